"""The hash banks as screening has them in memory: a snapshot in S3, and the lines of the log since then.

    log ──(hourly, `Compactor`)──> snapshot in S3 ──(cold start, hourly)──> `BankReader` <──(each batch)── log

A snapshot holds the lines that were at least `SETTLED_AFTER` old: a transaction commits long before that, whatever the
clocks of the machines that write, so no line appears in the past of a snapshot. Lines younger than that are read again
with each refresh.

Removals are forgotten after `REMOVALS_KEPT`: a snapshot as old as that would bring back what was taken out since, so
nobody uses it and the log is read from its beginning.
"""

import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.bank_log import REMOVALS_KEPT, BankLog, Line, Removal
from pawcast.screening.banks import BankEntry
from pawcast.screening.hash_banks import HashBanks
from pawcast.screening.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "banks/pdq/snapshot.npz"
SETTLED_AFTER = timedelta(minutes=15)
# A reader looks for a newer snapshot after this long, so that what it reads of the log stays short.
RELOADED_AFTER = timedelta(hours=1)
# Without anything new a snapshot is still written this often, so that it does not grow too old to be used.
REWRITTEN_AFTER = timedelta(days=1)
FORMAT = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """All entries that were settled before `through`."""

    through: datetime
    entries: tuple[BankEntry, ...]

    def is_too_old(self, now: datetime) -> bool:
        """Whether the log may have forgotten a removal that came after this snapshot."""
        return now - self.through >= REMOVALS_KEPT

    def encoded(self) -> bytes:
        """As an uncompressed npz file without pickled objects: hashes hardly shrink, and loading it is a copy."""
        columns = {
            name: np.array([getattr(entry, name) for entry in self.entries], "S")
            for name in ("entry_id", "bank", "label", "post_id", "review_id")
        }
        hashes = np.frombuffer(bytes.fromhex("".join(entry.pdq for entry in self.entries)), np.uint8).reshape(-1, 32)
        qualities = np.array([entry.quality for entry in self.entries], np.uint8)
        file = io.BytesIO()
        np.savez(
            file,
            allow_pickle=False,
            format=np.array(FORMAT),
            through=np.array(self.through.isoformat(), "S"),
            pdq=hashes,
            quality=qualities,
            **columns,
        )
        return file.getvalue()

    @classmethod
    def decoded(cls, content: bytes) -> "Snapshot":
        """What `encoded` made.

        Raises:
            ValueError: the bytes are none of it.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                if int(file["format"]) != FORMAT:
                    message = f"snapshot of format {int(file['format'])}, this code reads {FORMAT}"
                    raise ValueError(message)
                hashes = file["pdq"].tobytes().hex()
                texts = {
                    name: file[name].astype(str).tolist()
                    for name in ("entry_id", "bank", "label", "post_id", "review_id")
                }
                qualities = file["quality"].tolist()
                through = datetime.fromisoformat(file["through"].item().decode())
        except (BadZipFile, OSError, EOFError, KeyError, ValueError) as error:
            message = f"no snapshot of the hash banks: {error}"
            raise ValueError(message) from error
        return cls(
            through,
            tuple(
                BankEntry(
                    entry_id=entry_id,
                    bank=texts["bank"][row],
                    label=texts["label"][row],
                    pdq=hashes[64 * row : 64 * (row + 1)],
                    quality=qualities[row],
                    post_id=texts["post_id"][row],
                    review_id=texts["review_id"][row],
                    added_at=datetime.fromisoformat(entry_id.partition("#")[0]),
                )
                for row, entry_id in enumerate(texts["entry_id"])
            ),
        )

    def followed_by(self, lines: Iterable[Line], through: datetime) -> "Snapshot":
        """The snapshot after `lines`, whose order does not matter."""
        entries = {entry.entry_id: entry for entry in self.entries}
        removed: set[str] = set()
        for line in lines:
            if isinstance(line, Removal):
                removed.add(line.removed)
            else:
                entries[line.entry_id] = line
        kept = (entry for entry_id, entry in sorted(entries.items()) if entry_id not in removed)
        return Snapshot(through, tuple(kept))


class SnapshotStore:
    """The snapshot's object in S3."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        """`bucket` by name."""
        self._s3 = s3
        self._bucket = bucket

    def read(self, unless: str = "") -> tuple[Snapshot | None, str]:
        """The snapshot and its ETag; None with the ETag of `unless` when that is the one that lies there.

        Without an object, or with one that can't be read, there is nothing and the ETag is empty: the log has it all.
        """
        condition = {"IfNoneMatch": unless} if unless else {}
        with mapped("s3:GetObject", f"{self._bucket}/{KEY}"):
            try:
                answer = self._s3.get_object(Bucket=self._bucket, Key=KEY, **condition)  # type: ignore[arg-type]
                content = answer["Body"].read()
            except ClientError as error:
                if error_code(error) in ("304", "NotModified"):
                    return None, unless
                if error_code(error) == "NoSuchKey":
                    return None, ""
                raise
        try:
            return Snapshot.decoded(content), answer["ETag"]
        except ValueError:
            _log.exception("the snapshot %s is read from the log instead", KEY)
            return None, ""

    def write(self, snapshot: Snapshot) -> None:
        """Replace the snapshot."""
        with mapped("s3:PutObject", f"{self._bucket}/{KEY}"):
            self._s3.put_object(
                Bucket=self._bucket, Key=KEY, Body=snapshot.encoded(), ContentType="application/octet-stream"
            )


class BankReader:
    """Keeps the banks in memory; one for each warm function."""

    def __init__(self, log: BankLog, store: SnapshotStore, now: Clock) -> None:
        self._log = log
        self._store = store
        self._now = now
        self._etag = ""
        self._loaded_at: datetime | None = None
        self._settled = HashBanks(())
        self._lines: dict[str, Line] = {}
        self._read_until: datetime | None = None

    def current(self) -> HashBanks:
        """The banks with every line that was committed before this call.

        Raises:
            DependencyUnavailable: the log or the snapshot can't be read now; the next call tries again.
        """
        now = self._now()
        if self._loaded_at is None or now - self._loaded_at >= RELOADED_AFTER:
            self._load(now)
            self._loaded_at = now
        for line in self._log.lines(since=self._read_until):
            self._lines[line.entry_id] = line
        # The next call reads again what may not have been settled.
        self._read_until = now - SETTLED_AFTER
        added = [line for line in self._lines.values() if isinstance(line, BankEntry)]
        removed = {line.removed for line in self._lines.values() if isinstance(line, Removal)}
        return self._settled.with_changes(added, removed)

    def _load(self, now: datetime) -> None:
        snapshot, etag = self._store.read(self._etag)
        if snapshot is None or snapshot.is_too_old(now):
            return
        self._settled = HashBanks(snapshot.entries)
        self._etag = etag
        # From here on once more: the snapshot may be an older one, of a compactor that was slow to write.
        self._lines = {}
        self._read_until = snapshot.through


@dataclass(frozen=True)
class Compaction:
    """What a run of the compactor found: entries in the snapshot, and lines that were new to it."""

    entries: int
    new_lines: int


class Compactor:
    """Writes the snapshot; two at once, or one cut off anywhere, do no harm."""

    def __init__(self, log: BankLog, store: SnapshotStore, now: Clock) -> None:
        self._log = log
        self._store = store
        self._now = now

    def run(self) -> Compaction:
        """Write a snapshot with everything that has settled.

        Raises:
            DependencyUnavailable: the log or the bucket can't be reached; the next run does it.
        """
        now = self._now()
        through = now - SETTLED_AFTER
        before, _ = self._store.read()
        if before is not None and before.is_too_old(now):
            before = None
        lines = list(self._log.lines(since=before.through if before else None, until=through))
        snapshot = (before or Snapshot(through, ())).followed_by(lines, through)
        if before is None or lines or through - before.through >= REWRITTEN_AFTER:
            self._store.write(snapshot)
        return Compaction(len(snapshot.entries), len(lines))

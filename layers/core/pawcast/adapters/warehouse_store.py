"""The warehouse in S3. What its files mean is `pawcast.forecasting.warehouse`.

Several functions write at once. A part is a new file and needs no lock. A base is replaced on the condition that it is
the one that was read; whoever comes second reads again. Parts go only after the base that holds them stands. A reader
that finds a file gone which it had listed, lists again: the rows are in a newer base.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

import pandas as pd
from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.run_frames import frame_of, parquet_bytes
from pawcast.errors import DependencyUnavailable, VersionConflict
from pawcast.forecasting.history import data_version, freshness, history
from pawcast.forecasting.warehouse import (
    CALENDAR,
    PROMOTIONS,
    STORES,
    VISITS,
    Origin,
    Partition,
    Table,
    by_partition,
    concatenated,
    latest,
    part_name,
    with_origin,
)
from pawcast.forecasting.weekly.opening import Snapshot
from pawcast.forecasting.weekly.week import Week

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READERS: Final = 8  # files at once; each is a few MB
TRIES: Final = 5
# A drop compacts the months that it touches at once unless they are larger; those wait for the night.
COMPACT_AT_ONCE_BYTES: Final = 32 * 1024 * 1024
_LOST: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412"})


@dataclass(frozen=True)
class Files:
    """The files of one partition: the base, if there is one, and parts."""

    base: str | None = None
    parts: tuple[str, ...] = ()
    size_bytes: int = 0

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything to be read."""
        return (self.base, *self.parts) if self.base else self.parts


@dataclass(frozen=True)
class Compaction:
    """What a compaction did: partitions rewritten, parts that are gone, rows in the new bases."""

    partitions: int = 0
    parts: int = 0
    rows: int = 0
    left: tuple[str, ...] = ()  # partitions that somebody else was faster at, each time

    def __add__(self, other: "Compaction") -> "Compaction":
        return Compaction(
            self.partitions + other.partitions,
            self.parts + other.parts,
            self.rows + other.rows,
            self.left + other.left,
        )


@dataclass
class WarehouseStore:
    """Tables as Parquet files below a bucket's prefixes."""

    s3: "S3Client"
    bucket: str
    readers: int = field(default=READERS)

    # --- writing

    def add(self, table: Table, frame: pd.DataFrame, origin: Origin) -> tuple[Partition, ...]:
        """Add a drop's rows: one part for each partition it touches. Adding the same again changes nothing."""
        touched = []
        for partition, rows in by_partition(table.typed(with_origin(frame, origin)), table):
            content = parquet_bytes(rows)
            key = partition.prefix(table) + part_name(origin.drop_id, content)
            with mapped("s3:PutObject", key):
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
            touched.append(partition)
        return tuple(touched)

    def compact(
        self, table: Table, only: Iterable[Partition] | None = None, at_most_bytes: int | None = None
    ) -> Compaction:
        """Merge parts into the base of each partition (or of some) that has any and is not too large."""
        done = Compaction()
        found = self._listed(table) if only is None else {one: self._files(table, one) for one in only}
        for partition, files in sorted(found.items()):
            if files.parts and (at_most_bytes is None or files.size_bytes <= at_most_bytes):
                done += self._compact_one(table, partition, files)
        return done

    def _compact_one(self, table: Table, partition: Partition, files: Files) -> Compaction:
        for _ in range(TRIES):
            try:
                return self._merge(table, partition, files)
            except VersionConflict:
                files = self._files(table, partition)
                if not files.parts:
                    return Compaction()
        return Compaction(left=(partition.prefix(table),))

    def _merge(self, table: Table, partition: Partition, files: Files) -> Compaction:
        """Write a new base in place of the one that was read; raises VersionConflict when another one stands there."""
        frames, etag = [], None
        for key in files.keys:
            content, tag = self._get(key)
            frames.append(frame_of(content))
            etag = tag if key == files.base else etag
        merged = latest(frames, table)
        base, body = partition.prefix(table) + table.base, parquet_bytes(merged)
        try:
            with mapped("s3:PutObject", base):
                if etag:
                    self.s3.put_object(Bucket=self.bucket, Key=base, Body=body, IfMatch=etag)
                else:
                    self.s3.put_object(Bucket=self.bucket, Key=base, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error_code(error) not in _LOST:
                raise
            message = f"{base} was replaced in the meantime"
            raise VersionConflict(message) from error
        for key in files.parts:
            with mapped("s3:DeleteObject", key):
                self.s3.delete_object(Bucket=self.bucket, Key=key)
        return Compaction(1, len(files.parts), len(merged))

    # --- reading

    def read(self, table: Table, until: date | None = None) -> pd.DataFrame:
        """The latest row of each key; of monthly tables, months up to that of `until`."""
        last = Partition(until.year, until.month) if until else Partition(9999, 12)
        listed = {partition: files for partition, files in self._listed(table).items() if partition <= last}
        with ThreadPoolExecutor(self.readers) as pool:
            months = list(pool.map(lambda each: self._read_one(table, *each), sorted(listed.items())))
        return concatenated([month for month in months if len(month)], table)

    def _read_one(self, table: Table, partition: Partition, files: Files) -> pd.DataFrame:
        for _ in range(TRIES):
            try:
                frames = [frame_of(self._get(key)[0]) for key in files.keys]
            except VersionConflict:
                files = self._files(table, partition)
                continue
            # a base is resolved already, and by far the most there is to read
            return table.typed(frames[0]) if files.keys == (files.base,) else latest(frames, table)
        raise DependencyUnavailable(f"{partition.prefix(table)} was compacted again and again while it was read")

    def facts(self, table: Table) -> pd.DataFrame:
        """A small table, without the rows that were taken back (`active` 0)."""
        rows = self.read(table)
        return rows[rows["active"]].drop(columns="active").reset_index(drop=True) if "active" in rows else rows

    def snapshot(self, week: Week) -> Snapshot:
        """What a run of `week` may know: HISTORY of every store, STORES, how fresh they are."""
        stores, calendar, promotions = (self.facts(table) for table in (STORES, CALENDAR, PROMOTIONS))
        visits = self.read(VISITS, until=week.known_until)
        version = data_version(visits, (stores, calendar, promotions), week.known_until)
        return Snapshot(
            history(visits, stores, calendar, promotions, week),
            stores,
            freshness(visits, stores, week, calendar=calendar, version=version),
        )

    # --- files

    def _files(self, table: Table, partition: Partition) -> Files:
        return self._listed(table, partition.prefix(table)).get(partition, Files())

    def _listed(self, table: Table, prefix: str | None = None) -> dict[Partition, Files]:
        """The files of each partition."""
        found: dict[Partition, tuple[list[str], int]] = {}
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix or f"{table.name}/")
        with mapped("s3:ListBucket", self.bucket):
            for page in pages:
                for thing in page.get("Contents", ()):
                    partition = partition_of(thing["Key"], table)
                    if partition is not None:
                        keys, size = found.get(partition, ([], 0))
                        found[partition] = ([*keys, thing["Key"]], size + thing["Size"])
        return {partition: _sorted_out(keys, size) for partition, (keys, size) in found.items()}

    def _get(self, key: str) -> tuple[bytes, str]:
        """Content and ETag; raises VersionConflict when the file is gone, because a newer base holds it."""
        with mapped("s3:GetObject", key):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=key)
                return answer["Body"].read(), answer["ETag"]
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise
                raise VersionConflict(f"{key} is gone") from error


def partition_of(key: str, table: Table) -> Partition | None:
    """The partition that a key lies in; None for a key that is no file of this table."""
    folder, _, name = key.rpartition("/")
    if not name.endswith(".parquet") or (name != table.base and not name.startswith("_")):
        return None
    if table.month_of is None:
        return Partition() if folder == table.name else None
    try:
        first, year, month = folder.split("/")
        found = Partition(int(year.removeprefix("year=")), int(month.removeprefix("month=")))
    except ValueError:
        return None
    return found if first == table.name else None


def _sorted_out(keys: Sequence[str], size_bytes: int) -> Files:
    base = next((key for key in keys if not key.rpartition("/")[2].startswith("_")), None)
    return Files(base, tuple(sorted(key for key in keys if key != base)), size_bytes)

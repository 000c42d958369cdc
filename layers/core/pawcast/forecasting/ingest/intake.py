"""One dropped file from S3's notification to the warehouse, the sender's report and one event.

A drop is one version of one object. Its place among others is when S3 took it, so notifications may come twice, late
and in any order. Each step can be repeated: parts have the name of their content, the report is written last. A report
of the same drop means that all was done.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, Literal, Protocol
from urllib.parse import unquote_plus

import pandas as pd

from pawcast.errors import InvalidRequest, RefusedDrop
from pawcast.forecasting.ingest.checked import Checked
from pawcast.forecasting.ingest.checks import VISITS_COLUMNS, check_visits
from pawcast.forecasting.ingest.columns import Limits
from pawcast.forecasting.ingest.facts import COLUMNS, check_facts
from pawcast.forecasting.ingest.reading import read_table, refuse_size
from pawcast.forecasting.ingest.report import Problem, Report, refusal
from pawcast.forecasting.warehouse import (
    CALENDAR,
    PROMOTIONS,
    SET_ASIDE,
    STORES,
    VISITS,
    Origin,
    Partition,
    Table,
    drop_id,
)
from pawcast.languages import texts

TABLE_OF: Final[Mapping[str, Table]] = {
    "visits": VISITS,
    "stores": STORES,
    "calendar": CALENDAR,
    "promotions": PROMOTIONS,
}
# A drop merges the months that it touches at once unless they are larger; those wait for the night.
MERGED_AT_ONCE_BYTES: Final = 32 * 1024 * 1024

type Outcome = Literal["taken", "refused", "repeated", "gone"]

SUMMARIES: Final = texts(
    {
        "taken": (
            "{key}: {rows_read:,}행 중 {rows_kept:,}행 받음, {rows_set_aside:,}행 따로 둠. 보고서: {report_key}",
            "{key}: {rows_kept:,} of {rows_read:,} rows taken, {rows_set_aside:,} set aside. Report: {report_key}",
        ),
        "refused": (
            "{key}: 파일을 받지 못했습니다. {ko}",
            "{key}: the file was refused. {en}",
        ),
        "subject_taken": ("[Pawcast] 파일을 받았습니다", "[Pawcast] A file was taken"),
        "subject_problems": ("[Pawcast] 파일에 고칠 행이 있습니다", "[Pawcast] A file has rows to correct"),
        "subject_refused": ("[Pawcast] 파일을 받지 못했습니다", "[Pawcast] A file was refused"),
    }
)


@dataclass(frozen=True, slots=True)
class Drop:
    """A version of an object below `drops/`. `version` is empty in a bucket without versions.

    `received_at` (UTC): when S3 took it, as the notification says. `sequencer` orders versions of the same moment.
    """

    key: str
    version: str
    sequencer: str
    received_at: datetime

    @property
    def kind(self) -> str:
        """What the file should hold: the folder below `drops/`."""
        parts = self.key.split("/")
        return parts[1] if len(parts) > 2 else ""

    @property
    def report_key(self) -> str:
        """Where the sender finds the report."""
        return f"ingest-reports/{self.key.removeprefix('drops/')}.json"


@dataclass(frozen=True)
class OpenedDrop:
    """A file that can be read. `version` names it among all versions of its key: version id, or ETag."""

    stream: BinaryIO
    size_bytes: int
    version: str


class Drops(Protocol):
    """The bucket that senders write to."""

    def open(self, drop: Drop) -> OpenedDrop | None:
        """Open a file; None when it is gone."""
        ...

    def report_of(self, report_key: str) -> Mapping[str, Any]:
        """The report that lies there; empty when there is none."""
        ...

    def put_report(self, report_key: str, document: Mapping[str, Any]) -> None:
        """Write a report."""
        ...


class Tables(Protocol):
    """The warehouse."""

    def facts(self, table: Table) -> pd.DataFrame:
        """A small table, its latest rows."""
        ...

    def add(self, table: Table, frame: pd.DataFrame, origin: Origin) -> tuple[Partition, ...]:
        """Add a drop's rows; which partitions they are in."""
        ...

    def compact(
        self, table: Table, only: Sequence[Partition] | None = None, at_most_bytes: int | None = None
    ) -> object:
        """Merge parts into what other readers see."""
        ...


class Listeners(Protocol):
    """Who hears of drops."""

    def tell(self, event: dict[str, Any], subject: str, text: str) -> None:
        """Publish: `event` for machines, subject and text for people."""
        ...


@dataclass(frozen=True)
class Taken:
    """What became of a drop."""

    outcome: Outcome
    kind: str = ""
    report: Report | None = None


def drops_of(body: str) -> tuple[Drop, ...]:
    """The drops that a message of S3 announces; none for its test event and for folders.

    Raises:
        InvalidRequest: the body is no notification of S3.
    """
    try:
        content = json.loads(body)
        if content.get("Event") == "s3:TestEvent":
            return ()
        found = [_drop(record) for record in content["Records"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"no S3 notification of a drop: {type(error).__name__} at {error!s:.120}"
        raise InvalidRequest(message, code="message_invalid") from error
    return tuple(drop for drop in found if not drop.key.endswith("/"))


def _drop(record: Mapping[str, Any]) -> Drop:
    thing = record["s3"]["object"]
    key = unquote_plus(thing["key"])
    if not key.startswith("drops/"):
        raise ValueError(key)
    at = datetime.fromisoformat(record["eventTime"]).astimezone(UTC)
    return Drop(key, thing.get("versionId") or "", thing.get("sequencer") or "", at)


@dataclass(frozen=True)
class Ingester:
    """Takes drops."""

    drops: Drops
    tables: Tables
    listeners: Listeners
    now: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)

    def take(self, drop: Drop) -> Taken:
        """Take one drop.

        Raises:
            DependencyUnavailable: a service failed; taking it again does what is missing.
        """
        opened = self.drops.open(drop)
        if opened is None:
            return Taken("gone", drop.kind)
        origin = Origin(drop.received_at, drop_id(drop.received_at, drop.sequencer, drop.key, opened.version))
        with opened.stream:
            last = str(self.drops.report_of(drop.report_key).get("drop_id", ""))
            if last == origin.drop_id:
                return Taken("repeated", drop.kind)
            report = self._report_on(drop, opened, origin)
        event, subject, text = _told(drop, origin, report, self.now())
        self.listeners.tell(event, subject, text)
        if last < origin.drop_id:  # else a newer version of the file was reported on before
            self.drops.put_report(drop.report_key, event | report.document())
        return Taken("refused" if report.refused else "taken", drop.kind, report)

    def _report_on(self, drop: Drop, opened: OpenedDrop, origin: Origin) -> Report:
        try:
            return self._stored(drop, opened, origin)
        except RefusedDrop as error:
            problem = Problem(drop.key, error.problem_code, column=error.column, value=error.value, limit=error.limit)
            return refusal(drop.key, problem)

    def _stored(self, drop: Drop, opened: OpenedDrop, origin: Origin) -> Report:
        if drop.kind not in TABLE_OF:
            folders = ", ".join(f"drops/{kind}/" for kind in TABLE_OF)
            raise RefusedDrop("kind_unknown", value=drop.key, limit=folders)
        refuse_size(opened.size_bytes, self.limits)
        checked = self._checked(drop, opened)
        table = TABLE_OF[drop.kind]
        touched = self.tables.add(table, checked.kept, origin)
        self.tables.compact(table, touched, MERGED_AT_ONCE_BYTES)
        aside = self.tables.add(SET_ASIDE, checked.set_aside, origin)
        self.tables.compact(SET_ASIDE, aside, MERGED_AT_ONCE_BYTES)
        return checked.report

    def _checked(self, drop: Drop, opened: OpenedDrop) -> Checked:
        columns = VISITS_COLUMNS if drop.kind == "visits" else COLUMNS[drop.kind]
        raw = read_table(opened.stream, drop.key, columns, self.limits)
        stores = self.tables.facts(STORES)
        if drop.kind == "visits":
            return check_visits(raw, stores, drop.received_at)
        return check_facts(drop.kind, raw, stores)


def _told(drop: Drop, origin: Origin, report: Report, now: datetime) -> tuple[dict[str, Any], str, str]:
    """The event, and a mail's subject and text in both languages."""
    outcome = "refused" if report.refused else "taken"
    facts: dict[str, Any] = {
        "key": drop.key,
        "report_key": drop.report_key,
        "rows_read": report.rows_read,
        "rows_kept": report.rows_kept,
        "rows_set_aside": report.rows_set_aside,
    }
    first = report.problems[0] if report.problems else None
    words = {language: first.text(language) if first else "" for language in ("ko", "en")}
    summary = {language: SUMMARIES[outcome][language].format(**facts, **words) for language in ("ko", "en")}
    event = {
        "event": "DropRefused" if report.refused else "DropTaken",
        "drop_id": origin.drop_id,
        "kind": drop.kind,
        "version": drop.version,
        "received_at": origin.received_at.isoformat(),
        "ingested_at": now.isoformat(),
        "counts": {count.code: count.problems for count in report.counts},
        "summary": summary,
        **facts,
    }
    title = "subject_refused" if report.refused else "subject_problems" if report.has_errors else "subject_taken"
    subject = f"{SUMMARIES[title]['en']} / {SUMMARIES[title]['ko']}"
    return event, subject, f"{summary['ko']}\n\n{summary['en']}\n"

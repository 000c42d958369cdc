"""What a week's run needs from outside, as protocols; `pawcast.adapters` fulfils them, tests do with dictionaries.

Every method raises `pawcast.errors.DependencyUnavailable` when its service fails in a way that passes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pawcast.forecasting.weekly.run import Edit, Receipt, ReceiptState, Run, RunEvent

type Clock = Callable[[], datetime]
type Json = dict[str, Any]


@dataclass(frozen=True)
class Page[T]:
    """Some items and where the next page starts; None after the last."""

    items: tuple[T, ...]
    next_key: str | None


class Weeks(Protocol):
    """Run records and their events, edits, receipts and task tokens."""

    def get(self, week: str) -> Run | None:
        """The newest attempt at a week, read consistently."""
        ...

    def put_new(self, run: Run, replaced: Run | None) -> None:
        """Begin an attempt where `replaced` (or nothing) stands; raises VersionConflict when something else does."""
        ...

    def save(self, run: Run) -> None:
        """Write a record whose stored revision is one behind; raises VersionConflict otherwise."""
        ...

    def latest(self, start: str | None, limit: int) -> Page[Run]:
        """Runs of all weeks, newest week first."""
        ...

    def add_event(self, event: RunEvent) -> None:
        """Append to the history; the same step of an attempt by the same person at the same moment is one event."""
        ...

    def events(self, week: str) -> Sequence[RunEvent]:
        """The history of a week, oldest first."""
        ...

    def put_token(self, week: str, attempt: int, token: str) -> None:
        """Keep the task token that waits for a decision. It is in no record that leaves the back end."""
        ...

    def token(self, week: str, attempt: int) -> str | None:
        """That token."""
        ...

    def put_edits(self, run: Run, edits: Sequence[Edit]) -> None:
        """Store edits and the run's next plan version together; raises VersionConflict when the run moved meanwhile."""
        ...

    def edits(self, week: str, store_id: str | None = None) -> Sequence[Edit]:
        """The newest edit of each cell of a week, or of one store of it."""
        ...

    def receipts(self, week: str, plan_version: int) -> Mapping[str, Receipt]:
        """Receipts of one plan version by store."""
        ...

    def claim_receipt(self, receipt: Receipt) -> bool:
        """Store a receipt in state `sending` where this store and plan version has none; whether it was new."""
        ...

    def settle_receipt(self, receipt: Receipt, state: ReceiptState) -> None:
        """Write down what became of a claimed receipt."""
        ...

    def release_receipt(self, receipt: Receipt) -> None:
        """Forget a claim whose mail surely did not leave, so that it is tried again."""
        ...

    def was_told(self, week: str, notice: str) -> bool:
        """Whether a notice of a week was told."""
        ...

    def note_told(self, week: str, notice: str) -> None:
        """Write down that it was."""
        ...


class Files(Protocol):
    """JSON documents in the plans bucket."""

    def put_json(self, key: str, document: object) -> None:
        """Store a document, replacing one of the same key."""
        ...

    def get_json(self, key: str) -> Any:
        """A document; raises NotFound."""
        ...

    def put_text(self, key: str, text: str, content_type: str) -> None:
        """Store a text, such as a CSV or HTML."""
        ...

    def copy(self, key: str, bucket: str, target: str) -> None:
        """Copy an object to another bucket."""
        ...

    def link(self, key: str, seconds: int) -> str:
        """A link that opens an object for so long."""
        ...


class Planners(Protocol):
    """Tells planners and whoever else listens to the topic of forecast events."""

    def tell(self, event: Json, subject: str, text: str) -> None:
        """Publish: `event` for machines, subject and text for people."""
        ...


class Workflow(Protocol):
    """The state machine."""

    def start(self, name: str, request: Json) -> str:
        """Start an execution; the name of it. Starting the same name again changes nothing."""
        ...

    def succeed(self, token: str, output: Json) -> bool:
        """Answer a waiting task; False when nothing waits for that token any more."""
        ...

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Fail a waiting task; False when nothing waits for that token any more."""
        ...

"""What is wrong with a drop file, in words its sender can act on.

A problem is a code with a place: file, row as the sender sees it (the line of a CSV, its header being line 1; the
record of a Parquet file, from 1), column, value. The sentence comes from `SENTENCES`, one for each code and language;
codes are contract, words may change. A problem of severity `error` takes its row out of the data; a `warning` leaves it
in, except for duplicates, of which one row stays in.

A file of a million bad rows must not become a report of a million lines: `ProblemLog` counts all problems by code and
lists the first 1,000, errors before warnings.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.ingest.sentences import SENTENCES, WARNINGS
from pawcast.languages import Language

Severity = Literal["error", "warning"]

LISTED_AT_MOST: Final = 1_000
SHOWN_CHARACTERS: Final = 80  # of a value: enough to find it, too little to flood a mail


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `row` is None where it concerns the whole file; `limit` is what it was held against."""

    file: str
    code: str
    row: int | None = None
    column: str | None = None
    value: str = ""
    other_row: int | None = None
    limit: str = ""

    @property
    def severity(self) -> Severity:
        """Whether the data is wrong (`error`) or worth a look (`warning`)."""
        return severity(self.code)

    def text(self, language: Language) -> str:
        """What happened and what to do, without the place."""
        return SENTENCES[self.code][language].format(
            value=self.value, column=self.column or "", other_row=self.other_row or "", limit=self.limit
        )


@dataclass(frozen=True, slots=True)
class Count:
    """How often a code came up, and the first row with it (None: the whole file)."""

    code: str
    problems: int
    first_row: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """What the sender of a file gets. `rows_read` = `rows_kept` + `rows_set_aside`, always."""

    file: str
    format: str
    rows_read: int
    rows_kept: int
    rows_set_aside: int
    counts: tuple[Count, ...]
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether the file as a whole was not taken."""
        return any(problem.severity == "error" and problem.row is None for problem in self.problems)

    @property
    def has_errors(self) -> bool:
        """Whether the sender must correct something."""
        return any(severity(count.code) == "error" for count in self.counts)

    @property
    def not_listed(self) -> int:
        """Problems that are counted but not in the list."""
        return sum(count.problems for count in self.counts) - len(self.problems)

    def document(self) -> dict[str, object]:
        """As JSON, with each sentence in both languages."""
        return {
            "file": self.file,
            "format": self.format,
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_set_aside": self.rows_set_aside,
            "refused": self.refused,
            "not_listed": self.not_listed,
            "counts": [{**asdict(count), "severity": severity(count.code)} for count in self.counts],
            "problems": [
                {
                    **asdict(problem),
                    "severity": problem.severity,
                    "text": {"ko": problem.text("ko"), "en": problem.text("en")},
                }
                for problem in self.problems
            ],
        }


def severity(code: str) -> Severity:
    """Of a code: whether data is lost by it."""
    return "warning" if code in WARNINGS else "error"


def shown(value: str) -> str:
    """A sender's value as it may stand in a report: short, on one line, without control characters."""
    line = "".join(character if character.isprintable() else "·" for character in value[: SHOWN_CHARACTERS + 1])
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def refusal(file: str, problem: Problem, file_format: str = "unknown") -> Report:
    """The report on a file that was not taken at all."""
    return Report(file, file_format, 0, 0, 0, (Count(problem.code, 1, None),), (problem,))


@dataclass
class ProblemLog:
    """Collects problems while a file is checked: counts all of them, keeps the first ones."""

    file: str
    at_most: int = LISTED_AT_MOST
    _counts: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    _kept: dict[str, list[Problem]] = field(default_factory=dict)

    def file_problem(self, code: str, *, column: str | None = None, value: str = "", limit: str = "") -> None:
        """Add a problem of the whole file."""
        self._kept.setdefault(code, []).append(Problem(self.file, code, column=column, value=shown(value), limit=limit))
        self._counts[code] = (self._counts.get(code, (0, None))[0] + 1, None)

    def row_problems(
        self,
        code: str,
        rows: NDArray[np.int32] | Sequence[int],
        *,
        column: str | None = None,
        values: Sequence[str] = (),
        other_rows: NDArray[np.int32] | Sequence[int] = (),
        limits: Sequence[str] | str = "",
    ) -> None:
        """Add one problem for each of `rows`, which ascend; `values` and `limits` may hold only the first ones'."""
        if not len(rows):
            return
        number, first = self._counts.get(code, (0, None))
        least = int(rows[0]) if first is None else min(first, int(rows[0]))
        self._counts[code] = (number + len(rows), least)
        kept = self._kept.setdefault(code, [])
        for position, row in enumerate(rows[: self.at_most]):
            value = shown(values[position]) if position < len(values) else ""
            other = int(other_rows[position]) if position < len(other_rows) else None
            limit = limits if isinstance(limits, str) else limits[position]
            kept.append(Problem(self.file, code, int(row), column, value, other, limit))
        if len(kept) > self.at_most:
            kept.sort(key=lambda problem: problem.row or 0)
            del kept[self.at_most :]

    def report(self, file_format: str, rows_kept: int, rows_set_aside: int) -> Report:
        """The finished report: errors before warnings, then by row."""
        problems = [problem for kept in self._kept.values() for problem in kept]
        problems.sort(key=lambda found: (found.severity, found.row or 0, found.code, found.column or ""))
        counts = [Count(code, number, first) for code, (number, first) in self._counts.items()]
        counts.sort(key=lambda count: (severity(count.code), -count.problems, count.code))
        return Report(
            self.file,
            file_format,
            rows_kept + rows_set_aside,
            rows_kept,
            rows_set_aside,
            tuple(counts),
            tuple(problems[: self.at_most]),
        )

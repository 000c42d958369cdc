"""What checking a file makes: rows for the warehouse, rows set aside with the reason, the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.ingest.columns import Encoded, RawTable
from pawcast.forecasting.ingest.report import LISTED_AT_MOST, ProblemLog, Report

type Bools = NDArray[np.bool_]

IGNORED_LISTED: Final = 20
GUESSED_AT_MOST: Final = 20  # comparing an unknown store with 10,000 known ones takes a while


@dataclass(frozen=True, eq=False)
class Checked:
    """A checked file.

    `kept`: rows as the warehouse takes them, without their origin. `set_aside`: file, row, problem (the first one's
    code), line (what the sender wrote). Every row of the file counts in `report.rows_kept` or is in `set_aside`.
    """

    kept: pd.DataFrame
    set_aside: pd.DataFrame
    report: Report


class RowChecks:
    """Collects problems of a table's rows. A row may have several; the first one found is why it is set aside."""

    def __init__(self, table: RawTable) -> None:
        self.table = table
        self.log = ProblemLog(table.file)
        self._reasons: list[str] = [""]
        self._reason = np.zeros(len(table.rows), np.int16)
        for code in sorted({broken.code for broken in table.broken}):
            rows = [broken for broken in table.broken if broken.code == code]
            listed = rows[:LISTED_AT_MOST]
            self.log.row_problems(
                code,
                [broken.row for broken in rows],
                values=[broken.value or broken.text for broken in listed],
                limits=[broken.limit for broken in listed],
            )
        for column in table.ignored[:IGNORED_LISTED]:
            self.log.file_problem("column_ignored", column=column)

    @property
    def good(self) -> Bools:
        """Rows that are not set aside so far."""
        return np.asarray(self._reason == 0)

    def set_aside(
        self,
        code: str,
        rows: Bools,
        column: str,
        *,
        limits: Sequence[str] | str = "",
        other_rows: NDArray[np.int32] | Sequence[int] = (),
    ) -> None:
        """Set rows aside for a problem in a column, showing what stands there."""
        index = np.flatnonzero(rows)
        if not len(index):
            return
        self._write_down(code, index, column, limits, other_rows)
        if code not in self._reasons:
            self._reasons.append(code)
        fresh = index[self._reason[index] == 0]
        self._reason[fresh] = self._reasons.index(code)

    def warn(self, code: str, rows: Bools, column: str, *, limits: Sequence[str] | str = "") -> None:
        """Mention rows, and keep them."""
        index = np.flatnonzero(rows)
        if len(index):
            self._write_down(code, index, column, limits, ())

    def by_text(self, column: str, code_of_text: Sequence[str], *, limit_of_text: Sequence[str] | str = "") -> Bools:
        """Set aside the rows whose text of a column has a problem ("" for none); which rows those are."""
        encoded = self.table.columns[column]
        wrong = np.zeros(len(encoded.codes), np.bool_)
        codes = np.array([*code_of_text, ""], dtype=object)
        for code in sorted(set(code_of_text) - {""}):
            rows = (codes == code)[encoded.codes]
            limits: Sequence[str] | str = limit_of_text if isinstance(limit_of_text, str) else ""
            if not isinstance(limit_of_text, str):
                limits = [limit_of_text[number] for number in encoded.codes[np.flatnonzero(rows)[:LISTED_AT_MOST]]]
            self.set_aside(code, rows, column, limits=limits)
            wrong |= rows
        return wrong

    def duplicates(self, key: NDArray[np.int64], value: NDArray[np.int64], column: str) -> None:
        """Of good rows with the same key only the last one counts; `value` says which rows are identical."""
        index = np.flatnonzero(self.good)
        order = index[np.argsort(key[index], kind="stable")]
        if len(order) < 2:
            return
        same = key[order[:-1]] == key[order[1:]]
        if not same.any():
            return
        group_end = np.flatnonzero(np.append(~same, True))  # the last row of each key
        winner = order[group_end[np.searchsorted(group_end, np.arange(len(order)))]]
        loses = winner != order
        losers, winners = order[loses], winner[loses]
        in_file_order = np.argsort(losers)
        losers, winners = losers[in_file_order], winners[in_file_order]
        identical = value[losers] == value[winners]
        for code, mine in (("duplicate_identical", identical), ("duplicate_disagrees", ~identical)):
            rows = np.zeros(len(key), np.bool_)
            rows[losers[mine]] = True
            self.set_aside(code, rows, column, other_rows=self.table.rows[winners[mine][:LISTED_AT_MOST]])

    def finished(self, kept: pd.DataFrame) -> Checked:
        """The result, with these rows for the warehouse."""
        rows = np.flatnonzero(~self.good)
        lines = [",".join(cells) for cells in zip(*(c.at(rows) for c in self.table.columns.values()), strict=True)]
        aside = pd.DataFrame(
            {
                "file": self.table.file,
                "row": np.concatenate([[broken.row for broken in self.table.broken], self.table.rows[rows]]),
                "problem": pd.Categorical(
                    [broken.code for broken in self.table.broken]
                    + [self._reasons[number] for number in self._reason[rows]]
                ),
                "line": np.array([broken.text for broken in self.table.broken] + lines, dtype=object),
            }
        )
        report = self.log.report(self.table.format, int(self.good.sum()), len(aside))
        return Checked(kept, aside, report)

    def _write_down(
        self,
        code: str,
        index: NDArray[np.intp],
        column: str,
        limits: Sequence[str] | str,
        other_rows: NDArray[np.int32] | Sequence[int],
    ) -> None:
        values = self.table.columns[column].at(index[:LISTED_AT_MOST]) if column in self.table.columns else ()
        self.log.row_problems(
            code, self.table.rows[index], column=column, values=values, limits=limits, other_rows=other_rows
        )


def store_positions(texts: Sequence[str], known: Sequence[str]) -> tuple[NDArray[np.int32], list[str], list[str]]:
    """For each text: the store's position or -1, a problem or "", and for unknown ones a guess who was meant."""
    position_of = {store: position for position, store in enumerate(known)}
    found = np.array([position_of.get(text.strip(), -1) for text in texts], np.int32)
    problems, guesses, guessed = [], [], 0
    for text, position in zip(texts, found, strict=True):
        plain = text.strip()
        problems.append("" if position >= 0 else "store_unknown" if plain else "store_missing")
        guess: list[str] = []
        if position < 0 and plain and guessed < GUESSED_AT_MOST:
            guessed += 1
            guess = get_close_matches(plain, known, n=1, cutoff=0.75)
        guesses.append(f" ({guess[0]}?)" if guess else "")
    return found, problems, guesses


def microseconds(moment: datetime) -> int:
    """Since 1970 UTC."""
    return int(moment.timestamp() * 1_000_000)


def texts_of(table: RawTable, column: str) -> Encoded:
    """A column, empty in each row where the file has none."""
    return table.columns.get(column) or Encoded(np.zeros(len(table.rows), np.int32), [""])

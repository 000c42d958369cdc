"""The linear programme of one day's shifts, as HiGHS takes it.

Costs are whole numbers so that optimality can be checked without rounding. The move from one vertex to a better one
changes each shift and each hour's surplus by at most one (total unimodularity), so at most 1 + 24 shifts change: a
person-hour that outweighs 32 people, and a person that outweighs 32 tie-breaks, keep the order strict.
"""

from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.staffing.rules import Shift

type Ints = NDArray[np.int32]

TIES: Final = 4096
PERSON: Final = 32 * TIES
HOUR: Final = 32 * PERSON


@dataclass(frozen=True, eq=False)
class Window:
    """The shifts of a pattern that fit one day's open hours. `matrix` is [hour, shift]: 1 where it is covered."""

    hours: tuple[int, ...]
    shifts: tuple[Shift, ...]
    matrix: Ints
    cost: NDArray[np.int64]

    @property
    def covers_all(self) -> bool:
        """Whether each open hour is in some shift."""
        return bool(self.matrix.any(axis=1).all())


def window_of(shifts: tuple[Shift, ...], hours: tuple[int, ...]) -> Window:
    """The shifts that begin and end within the open hours; a break of the opening hours inside a shift is a break."""
    fitting = tuple(shift for shift in sorted(shifts) if shift.starts_at >= hours[0] and shift.ends_at <= hours[-1] + 1)
    open_hours = np.array(hours)[:, None]
    starts = np.array([shift.starts_at for shift in fitting], int)
    lengths = np.array([shift.hours for shift in fitting], int)
    matrix = ((open_hours >= starts) & (open_hours < starts + lengths)).astype(np.int32)
    useful = matrix.any(axis=0)
    return Window(
        hours=hours,
        shifts=tuple(shift for shift, use in zip(fitting, useful, strict=True) if use),
        matrix=matrix[:, useful],
        cost=(lengths * HOUR + PERSON + _tie(starts, lengths))[useful],
    )


def _tie(starts: NDArray[np.int_], lengths: NDArray[np.int_]) -> NDArray[np.int64]:
    """A number for each shift, without pattern (splitmix64): two sets of shifts hardly ever have the same sum."""
    bits = starts.astype(np.uint64) * np.uint64(25) + lengths.astype(np.uint64) + np.uint64(1)
    bits *= np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return ((bits ^ (bits >> np.uint64(31))) % np.uint64(TIES)).astype(np.int64)


def new_highs() -> highspy.Highs:
    """A silent solver on one thread; presolve off, since these problems are smaller than its work."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.silent()
    for option, value in (
        ("threads", 1),
        ("presolve", "off"),
        ("solver", "simplex"),
        ("random_seed", 0),
        ("mip_rel_gap", 0.0),
    ):
        highs.setOptionValue(option, value)
    highs.setOptionValue("dual_feasibility_tolerance", 1e-9)
    return highs


def linear_programme(
    matrix: NDArray[np.int32], cost: NDArray[np.float64], upper: NDArray[np.float64] | None = None
) -> highspy.HighsLp:
    """Min cost . x, matrix . x >= 0, 0 <= x <= upper."""
    rows, columns = matrix.shape
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = columns, rows
    programme.col_cost_ = cost
    programme.col_lower_ = np.zeros(columns)
    programme.col_upper_ = np.full(columns, highspy.kHighsInf) if upper is None else upper
    programme.row_lower_ = np.zeros(rows)
    programme.row_upper_ = np.full(rows, highspy.kHighsInf)
    column, row = np.nonzero(matrix.T)
    programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    programme.a_matrix_.start_ = np.searchsorted(column, np.arange(columns + 1)).astype(np.int32)
    programme.a_matrix_.index_ = row.astype(np.int32)
    programme.a_matrix_.value_ = matrix[row, column].astype(float)
    return programme


def bounded_rows(highs: highspy.Highs, lower: Ints, upper: float = highspy.kHighsInf) -> None:
    """Set what the first rows of the loaded programme need and may have."""
    rows = len(lower)
    highs.changeRowsBounds(  # type: ignore[attr-defined]  # missing in its stubs
        rows, np.arange(rows, dtype=np.int32), lower.astype(float), np.full(rows, upper)
    )

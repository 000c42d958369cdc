"""From visitors in quantiles to people needed.

    needed = max(min_staff, ceil(visitors / visitors_per_person)),  0 where closed

The quotient is rounded to six places first, so that 360 visitors at 120 a person are 3 people and not 4 by noise.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int32]

LEVELS: Final = (0.1, 0.5, 0.8, 0.9)
QUANTILES: Final = ("q10", "q50", "q80", "q90")
PLACES: Final = 6
MOST_PEOPLE: Final = 1e6  # of one cell; more is a slip in visitors_per_person


def visitors_at(quantiles: Floats, level: Floats) -> Floats:
    """[row] visitors at a level, from [row, level] quantiles; between two levels on the straight line."""
    levels = np.array(LEVELS)
    right = np.clip(np.searchsorted(levels, level, side="left"), 1, len(levels) - 1)
    row = np.arange(len(quantiles))
    share = np.clip((level - levels[right - 1]) / (levels[right] - levels[right - 1]), 0.0, 1.0)
    low, high = quantiles[row, right - 1], quantiles[row, right]
    return np.where(share == 1.0, high, low + share * (high - low))


def people_needed(visitors: Floats, per_person: Floats, min_staff: Ints, is_open: NDArray[np.bool_]) -> Ints:
    """[row] people for so many visitors."""
    quotient = np.minimum(visitors / per_person, MOST_PEOPLE)
    needed = np.maximum(min_staff, np.ceil(np.round(quotient, PLACES)))
    return np.where(is_open, needed, 0).astype(np.int32)

"""Recall in operation, estimated from the passed photos that operators looked at afterwards.

In a window a model passed `passed` photos and flagged others, of which operators upheld `flagged_upheld`. How many of
the passed ones hold a face is unknown; of a sample that was drawn with equal probability and checked, `missed` do.

- Missed among all passed: Horvitz and Thompson's estimator with the realised sampling fraction (the stratum of passed
  photos expanded by `passed / checked`): Cochran, *Sampling Techniques*, 3rd edition, 5.2; Thompson, *Sampling*, 6.2.
- Its interval: the exact one of a finite population, which inverts the two one-sided hypergeometric tests (Buonaccorsi,
  "A Note on Confidence Intervals for Proportions in Finite Populations", The American Statistician 41, 1987). It is
  Clopper and Pearson's with the population's size taken into account: never narrower than promised, and of no width at
  all once every passed photo was checked.
- Recall: `flagged_upheld / (flagged_upheld + missed among all passed)`. It falls as the missed rise, so the interval's
  ends swap and its coverage stays.

It holds if the share drawn did not change within the window, if those drawn but not checked yet are like the others,
and if the flagged ones were looked at: a flagged photo that waits counts as no find, which lowers the estimate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class RecallEstimate:
    """Recall (0 to 1) with its interval."""

    estimate: float
    low: float
    high: float


def recall(*, passed: int, checked: int, missed: int, flagged_upheld: int) -> RecallEstimate | None:
    """Recall of one model version in one window; None as long as it can't be told.

    Counts come from different moments (a photo is passed before it is checked), so a window's edge may cut between
    them: more checked than passed counts as all of them checked.
    """
    checked, upheld = max(checked, 0), max(flagged_upheld, 0)
    missed, passed = min(max(missed, 0), checked), max(passed, checked)
    if checked == 0 or upheld + missed == 0:
        return None
    low, high = missed_bounds(passed, checked, missed)
    return RecallEstimate(
        estimate=upheld / (upheld + passed * missed / checked),
        low=upheld / (upheld + high),
        high=upheld / (upheld + low),
    )


def missed_bounds(passed: int, checked: int, missed: int) -> tuple[int, int]:
    """The interval of how many of `passed` photos were missed, when `missed` of `checked` drawn ones were."""
    tail = (1 - CONFIDENCE) / 2
    # Whatever was found is there, and whatever was checked and fine is not.
    least, most = missed, passed - (checked - missed)
    low = _first(least, most, lambda total: 1 - _at_most(missed - 1, passed, total, checked) > tail)
    high = _first(least, most + 1, lambda total: total > most or _at_most(missed, passed, total, checked) <= tail) - 1
    return low, high


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first number in [low, high] that `holds` is true of, if it stays true from there; it is of `high`."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _at_most(found: int, population: int, marked: int, drawn: int) -> float:
    """The chance that `drawn` of `population` things hold at most `found` of the `marked` ones (hypergeometric)."""
    fewest = max(0, drawn - (population - marked))
    ways = _log_choose(population, drawn)
    return sum(
        math.exp(_log_choose(marked, hits) + _log_choose(population - marked, drawn - hits) - ways)
        for hits in range(fewest, min(found, marked, drawn) + 1)
    )


def _log_choose(things: int, taken: int) -> float:
    return math.lgamma(things + 1) - math.lgamma(taken + 1) - math.lgamma(things - taken + 1)

"""From what a sender's clock showed to an instant, by the time zone of the store.

A row is written in one of three ways, and a file keeps to one: the store's wall clock (no offset), one fixed offset for
all rows (often Z), or each store's own offset. The way that most rows are written in is the file's; rows written
otherwise are refused, since nobody can say which of them lie (`time_zone_mixed`).

Daylight saving: an hour that the clocks skip does not exist and is refused. An hour that they repeat comes twice; in
file order the first is the earlier one. Days begin at local midnight, or at the first moment that exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.ingest.cells import NO_OFFSET

type Microseconds = NDArray[np.int64]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, eq=False)
class Moments:
    """For each row: instant and local wall clock in microseconds, and what could not be placed."""

    utc_us: Microseconds
    wall_us: Microseconds
    mixed: NDArray[np.bool_]  # written in another way than most rows
    nonexistent: NDArray[np.bool_]  # in the hour that is skipped
    repeated: NDArray[np.bool_]  # in the hour that comes twice, written without an offset
    way: str  # how most rows are written, for the sentence


def place(
    written_us: Microseconds,
    offset_minutes: NDArray[np.int16],
    zone_of_row: NDArray[np.int32],
    zones: Sequence[str],
    store_of_row: NDArray[np.int32],
    daily: NDArray[np.bool_],
) -> Moments:
    """Instant and wall clock of each row; rows come in file order."""
    local = offset_minutes == NO_OFFSET
    utc = written_us - np.where(local, 0, offset_minutes.astype(np.int64) * 60_000_000)
    wall = written_us.copy()
    nonexistent = np.zeros(len(utc), bool)
    repeated = np.zeros(len(utc), bool)
    for number, zone in enumerate(zones):
        here = zone_of_row == number
        mine = np.flatnonzero(here & ~local)
        wall[mine] = _to_wall(utc[mine], zone)
        mine = np.flatnonzero(here & local)
        utc[mine], nonexistent[mine], repeated[mine] = _to_utc(written_us[mine], store_of_row[mine], daily[mine], zone)
    mixed, way = _other_ways(written_us, offset_minutes, wall, local)
    return Moments(utc, wall, mixed, nonexistent, repeated, way)


def _to_wall(utc_us: Microseconds, zone: str) -> Microseconds:
    distinct, codes = np.unique(utc_us, return_inverse=True)
    instants = pd.DatetimeIndex(distinct.view("datetime64[us]")).tz_localize("UTC").tz_convert(zone)
    return instants.tz_localize(None).as_unit("us").asi8[codes]


def _to_utc(
    wall_us: Microseconds, store_of_row: NDArray[np.int32], daily: NDArray[np.bool_], zone: str
) -> tuple[Microseconds, NDArray[np.bool_], NDArray[np.bool_]]:
    distinct, codes = np.unique(wall_us, return_inverse=True)
    clock = pd.DatetimeIndex(distinct.view("datetime64[us]"))
    everywhere = np.ones(len(distinct), bool)
    earlier = clock.tz_localize(zone, ambiguous=everywhere, nonexistent="shift_forward").as_unit("us").asi8
    later = clock.tz_localize(zone, ambiguous=~everywhere, nonexistent="shift_forward").as_unit("us").asi8
    skipped = clock.tz_localize(zone, ambiguous=everywhere, nonexistent="NaT").isna()
    nonexistent = skipped[codes] & ~daily
    twice = (earlier != later)[codes] & ~daily
    utc = earlier[codes]
    rows = np.flatnonzero(twice)
    if len(rows):  # few: one hour a year
        seen = pd.DataFrame({"store": store_of_row[rows], "wall": wall_us[rows]})
        groups = seen.groupby(["store", "wall"], sort=False)["wall"]
        second = rows[groups.cumcount().to_numpy() > 0]
        utc[second] = later[codes[second]]
        twice[rows] = groups.transform("size").to_numpy() == 1  # only the lonely ones are in doubt
    return utc, nonexistent, twice


def _other_ways(
    written_us: Microseconds, offset_minutes: NDArray[np.int16], wall_us: Microseconds, local: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], str]:
    """Rows that are written in another way than most, and what the way of most is called."""
    if not len(local):
        return np.zeros(0, bool), "local time"
    own = ~local & (wall_us == written_us)
    # in the order of preference where two ways explain as many rows
    ways: list[tuple[str, NDArray[np.bool_]]] = [("the store's own offset", own)]
    for offset in np.unique(offset_minutes[~local]):
        sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(int(offset)), 60)
        ways.append((f"{sign}{hours:02d}:{minutes:02d}", offset_minutes == offset))
    ways.append(("local time", local))
    way, fitting = max(ways, key=lambda each: int(each[1].sum()))
    return ~fitting, way

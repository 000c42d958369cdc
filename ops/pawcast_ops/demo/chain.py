"""A made-up chain of stores, for the demo, tests and load tests: the files that its head office would drop.

Visits are drawn from what stores really have: a level of its own that wanders, weekdays, promotions every other week, a
summer and a December, public holidays, closed Sundays, a shop that closed for two weeks, one that opened a month ago.
The same seed draws the same chain. Times are the stores' wall clocks.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import holidays
import numpy as np
import pandas as pd
from numpy.typing import NDArray

REGIONS: Final = ("KR", "JP", "DE-BY")
ZONES: Final = {"KR": "Asia/Seoul", "JP": "Asia/Tokyo", "DE-BY": "Europe/Berlin"}
OPENS_AT, CLOSES_AT = 9, 21
WEEKDAYS: Final = np.array([1.0, 0.95, 0.96, 1.02, 1.18, 1.35, 1.05])
HOURS: Final = np.array([0.4, 0.7, 1.0, 1.5, 1.3, 0.9, 0.8, 0.9, 1.2, 1.5, 1.2, 0.6])
PEOPLE_SERVE: Final = {"day": 40.0, "hour": 6.0}
KOREAN_TOWNS: Final = ("강남", "홍대", "부산", "대구", "인천", "광주", "대전", "수원", "제주", "전주")
JAPANESE_TOWNS: Final = ("Shibuya", "Osaka", "Nagoya", "Sapporo", "Fukuoka", "Kyoto", "Sendai", "Kobe")
GERMAN_TOWNS: Final = ("München", "Nürnberg", "Augsburg", "Regensburg", "Würzburg", "Ingolstadt")
TOWNS: Final = {"KR": KOREAN_TOWNS, "JP": JAPANESE_TOWNS, "DE-BY": GERMAN_TOWNS}


@dataclass(frozen=True, eq=False)
class Chain:
    """Tables as senders drop them. `visits`: store_id, ts, visitors, open; closed rows have no visitors."""

    stores: pd.DataFrame
    visits: pd.DataFrame
    promotions: pd.DataFrame
    calendar: pd.DataFrame


def drawn_chain(*, stores: int, by_hour: int, first: date, last: date, seed: int = 7) -> Chain:
    """A chain of `stores` that plan by day, of which `by_hour` plan by hour, with visits from `first` to `last`."""
    rng = np.random.default_rng(seed)
    table = _stores(stores, by_hour)
    days = pd.date_range(first, last, freq="D", unit="us")
    promotions = _promotions(first, last + timedelta(weeks=3))
    promoted = _promoted(days, promotions)
    frames = []
    for position, store in enumerate(table.itertuples()):
        region, plans_by = str(store.region), str(store.plans_by)
        holiday = _holidays(region, days)
        is_open = ~holiday if region == "DE-BY" else np.ones(len(days), dtype=np.bool_)
        if region == "DE-BY" or position % 7 == 3:
            is_open = is_open & (days.day_of_week.to_numpy() != 6)
        begins = len(days) - 30 if position == 5 else 0
        if position == 11:
            is_open[-60:-46] = False
        level = float(rng.lognormal(5.2, 0.5))
        mean = _daily_mean(rng, days, level, promoted, holiday)
        if plans_by == "day":
            frames.append(_by_day(rng, str(store.store_id), days, mean, is_open, begins))
        else:
            frames.append(_by_hour(rng, str(store.store_id), days, mean, is_open))
    calendar = pd.DataFrame({"region": ["KR"], "day": [(last + timedelta(days=3)).isoformat()], "school_holiday": [1]})
    return Chain(table, pd.concat(frames, ignore_index=True), promotions, calendar)


def _stores(count: int, by_hour: int) -> pd.DataFrame:
    rows = []
    for position in range(count):
        region = REGIONS[0 if position % 10 < 7 else 1 if position % 10 < 9 else 2]
        towns = TOWNS[region]
        plans_by = "hour" if position >= count - by_hour else "day"
        rows.append(
            {
                "store_id": f"S{position + 1:04d}",
                "name": f"{towns[position % len(towns)]} {position // len(towns) + 1}",
                "region": region,
                "time_zone": ZONES[region],
                "mail": "" if position % 100 == 42 else f"store-{position + 1:04d}@example.com",
                "language": "ko" if region == "KR" else "en",
                "plans_by": plans_by,
                "opens_at": OPENS_AT,
                "closes_at": CLOSES_AT,
                "visitors_per_person": PEOPLE_SERVE[plans_by],
                "service_quantile": 0.8,
                "min_staff": 3,
                "max_staff": 0,
                "shift_pattern": "short_and_long",
            }
        )
    return pd.DataFrame(rows)


def _promotions(first: date, last: date) -> pd.DataFrame:
    monday = first - timedelta(days=first.weekday())
    starts = [monday + timedelta(weeks=2 * index) for index in range((last - monday).days // 14 + 1)]
    return pd.DataFrame(
        {
            "promotion_id": [f"P{start:%Y%m%d}" for start in starts],
            "region": "*",
            "from_day": [start.isoformat() for start in starts],
            "to_day": [(start + timedelta(days=4)).isoformat() for start in starts],
        }
    )


def _promoted(days: pd.DatetimeIndex, promotions: pd.DataFrame) -> NDArray[np.bool_]:
    on = np.zeros(len(days), dtype=np.bool_)
    for row in promotions.itertuples():
        on |= (days >= pd.Timestamp(str(row.from_day))) & (days <= pd.Timestamp(str(row.to_day)))
    return on


def _holidays(region: str, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    country, _, part = region.partition("-")
    known = holidays.country_holidays(country, subdiv=part or None, years=sorted(set(days.year)))
    return np.array([day.date() in known for day in days])


def _daily_mean(
    rng: np.random.Generator,
    days: pd.DatetimeIndex,
    level: float,
    promoted: NDArray[np.bool_],
    holiday: NDArray[np.bool_],
) -> NDArray[np.float64]:
    wander = np.cumsum(rng.normal(0, 0.008, len(days)))
    year = 1 + 0.06 * np.sin(2 * np.pi * (days.day_of_year.to_numpy() - 100) / 365.25)
    december = np.where((days.month == 12) & (days.day < 24), 1.2, 1.0)
    lift = 1 + 0.22 * rng.uniform(0.6, 1.4) * promoted
    off = np.where(holiday, rng.uniform(0.6, 1.3), 1.0)
    shape = WEEKDAYS * rng.normal(1, 0.06, 7)
    mean: NDArray[np.float64] = (
        level * np.exp(wander) * year * december * lift * off * shape[days.day_of_week.to_numpy()]
    )
    return mean


def _by_day(
    rng: np.random.Generator,
    store_id: str,
    days: pd.DatetimeIndex,
    mean: NDArray[np.float64],
    is_open: NDArray[np.bool_],
    begins: int,
) -> pd.DataFrame:
    came = rng.poisson(mean * rng.lognormal(0, 0.09, len(days))).astype(float)
    frame = pd.DataFrame(
        {"store_id": store_id, "ts": days, "visitors": np.where(is_open, came, np.nan), "open": is_open}
    )
    return frame.iloc[begins:]


def _by_hour(
    rng: np.random.Generator,
    store_id: str,
    days: pd.DatetimeIndex,
    mean: NDArray[np.float64],
    is_open: NDArray[np.bool_],
) -> pd.DataFrame:
    hours = np.arange(OPENS_AT, CLOSES_AT)
    ts = (days.to_numpy()[:, None] + hours[None, :].astype("timedelta64[h]")).ravel()
    part = (mean * 0.8)[:, None] * (HOURS / HOURS.sum())[None, :]
    came = rng.poisson(part * rng.lognormal(0, 0.1, part.shape)).astype(float)
    opened = np.repeat(is_open, len(hours))
    return pd.DataFrame(
        {"store_id": store_id, "ts": ts, "visitors": np.where(opened, came.ravel(), np.nan), "open": opened}
    )

"""Visits of small chains, drawn by a seed: weekdays, promotions, closed Sundays, noise."""

import numpy as np
import pandas as pd

FIRST_MONDAY = pd.Timestamp("2026-03-02")


def drawn_visits(
    stores: int = 6, weeks: int = 20, hours: tuple[int, ...] = (0,), seed: int = 0, unknown_weeks: int = 0
) -> pd.DataFrame:
    """HISTORY: store_id, ts, visitors (NaN in the last `unknown_weeks`), open, promo, holiday_kind, school_holiday."""
    rng = np.random.default_rng(seed)
    days = pd.date_range(FIRST_MONDAY, periods=7 * weeks, freq="D", unit="us")
    times = np.array([day + pd.Timedelta(hours=hour) for day in days for hour in hours], dtype="datetime64[us]")
    weekday = pd.DatetimeIndex(times).day_of_week.to_numpy()
    promo = (np.arange(len(times)) // (7 * len(hours))) % 2 == 0
    frames = []
    for store in range(stores):
        level = 80 * (1 + store) / len(hours)
        mean = level * np.array([1.2, 1.0, 0.9, 1.0, 1.1, 1.3, 0.8])[weekday] * np.where(promo, 1.25, 1.0)
        is_open = ~((weekday == 6) & (store % 2 == 0))
        visitors = np.where(is_open, rng.poisson(mean * rng.lognormal(0, 0.1, len(times))), np.nan)
        visitors[len(times) - 7 * len(hours) * unknown_weeks :] = np.nan
        frames.append(
            pd.DataFrame(
                {"store_id": f"s{store:02d}", "ts": times, "visitors": visitors, "open": is_open, "promo": promo}
            )
        )
    return pd.concat(frames, ignore_index=True).assign(holiday_kind="0", school_holiday=False)

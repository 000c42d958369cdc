"""Forecasts against what came: by store, weekday, hour, week, arm and method, always beside seasonal naive.

    evaluation = evaluate(forecast, actual, naive)
    evaluation.model_dump_json()                  the document that report, gate and run record read
    evaluation.frame()                            the same figures as one table
    store_weeks(forecast, actual, naive)          the input of `experiment.py`

A row is scored where the forecast had the store open and a number of visitors came. Closed is not zero and unknown is
not closed: both are left out and counted, and so is a store that opened though the calendar had it closed, which is the
calendar's mistake.

Staff is counted where `staff` is given: a frame with store_id, ts, `planned` and `needed` people, `unedited` (what was
planned before a person changed it) and `staff_days` (what one person of the row is in staff-days: 1 by day, 1/8 by
hour). It comes from the staffing module, which knows the rule from visitors to people.

Formulas: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice" (3rd ed., sections 5.8 and 5.9); WAPE is
the sum of absolute errors over the sum of visitors; skill is 1 - MAE / MAE of seasonal naive on the same rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from pawcast.errors import InvalidVisits
from pawcast.forecasting import experiment
from pawcast.mlops.registry import Document

STORE: Final = "store_id"
TIME: Final = "ts"
MEAN: Final = "yhat"
LEVELS: Final = {"q10": 0.1, "q50": 0.5, "q80": 0.8, "q90": 0.9}
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LOOK_AT: Final = 10  # stores


class StaffFigures(Document):
    """People planned against people that the visitors who came needed, in staff-days."""

    rows: int
    planned: float
    needed: float
    over: float
    under: float
    under_rows: float  # share of the rows with too few people
    edited_rows: int
    value_of_edits: float  # staff-days over and under that edits saved; negative: they cost some


class Figures(Document):
    """Errors of a group of rows. None where there is nothing to divide by, or no such forecast."""

    rows: int
    visitors: float
    mae: float | None
    rmse: float | None
    wape: float | None
    bias: float | None  # sum of errors over sum of visitors; above 0: too many forecast
    pinball_10: float | None  # visitors a row, as the MAE
    pinball_50: float | None
    pinball_80: float | None
    pinball_90: float | None
    coverage: float | None  # share of rows from q10 to q90; should be .8
    naive_mae: float | None
    naive_wape: float | None
    skill: float | None
    staff: StaffFigures | None = None


class Group(Document):
    """Figures of one value of a column."""

    key: str
    figures: Figures


class StoreToLookAt(Document):
    """A store that somebody should look at first, and what it is about."""

    store_id: str
    reason: Literal["staff", "error"]
    staff_days_lost: float | None
    wape: float | None
    usual_wape: float | None
    excess_visitors: float  # absolute error beyond the usual share of the visitors


class NotScored(Document):
    """Rows that are no part of any figure."""

    closed: int
    unknown: int  # open, but nobody knows how many came
    opened_unplanned: int  # visitors came, the calendar had it closed
    without_forecast: int  # visitors came to a store and time that had no row


class Evaluation(Document):
    """Everything said about the forecasts of one or more weeks."""

    weeks: tuple[str, ...]
    not_scored: NotScored
    overall: Figures
    by_store: tuple[Group, ...]
    by_weekday: tuple[Group, ...]
    by_hour: tuple[Group, ...]  # empty where no store plans by hour
    by_week: tuple[Group, ...]
    by_arm: tuple[Group, ...]
    by_method: tuple[Group, ...]
    look_at: tuple[StoreToLookAt, ...]

    def frame(self) -> pd.DataFrame:
        """One row for each group: by, key, and the figures; staff figures as `staff_...`."""
        groups = [("overall", Group(key="all", figures=self.overall))]
        for by in ("store", "weekday", "hour", "week", "arm", "method"):
            groups += [(by, group) for group in getattr(self, f"by_{by}")]
        rows = []
        for by, group in groups:
            figures = group.figures.model_dump()
            staff = figures.pop("staff") or dict.fromkeys(StaffFigures.model_fields)
            rows.append({"by": by, "key": group.key, **figures, **{f"staff_{name}": staff[name] for name in staff}})
        table = pd.DataFrame(rows)
        numbers = [column for column in table if column not in {"by", "key"}]
        return table.astype(dict.fromkeys(numbers, float)).astype({"rows": int})


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows with all that the figures are sums of, and the count of those left out."""

    rows: pd.DataFrame
    not_scored: NotScored


def evaluate(
    forecast: pd.DataFrame,
    actual: pd.DataFrame,
    naive: pd.DataFrame,
    *,
    staff: pd.DataFrame | None = None,
    usual: "pd.Series[float] | None" = None,
) -> Evaluation:
    """Score a forecast.

    Args:
        forecast: store_id, ts, open, yhat and, where there are any, q10, q50, q80, q90, arm, method; one row for each
            store and time.
        actual: store_id, ts, visitors (NaN: unknown), open. Rows beyond the forecast's weeks do no harm.
        naive: store_id, ts, yhat of the seasonal-naive forecast.
        staff: see above.
        usual: WAPE that each store (index store_id) had in earlier weeks; without it, all stores' of these weeks.

    Raises:
        InvalidVisits: a column is missing, or a store and time has two rows.
    """
    _refuse_two(forecast, "forecast", [STORE, TIME])
    scored = score(forecast, actual, naive)
    rows = scored.rows
    if staff is not None:
        rows = _with_staff(rows, staff)
    rows = rows.assign(
        weekday=rows[TIME].dt.day_of_week, hour=rows[TIME].dt.hour, week=_week_names(rows[TIME]), everything="all"
    )
    overall = _groups(rows, "everything")
    by_store = _groups(rows, STORE)
    figures = overall[0].figures if overall else _figures({})
    weekdays = tuple(Group(key=WEEKDAYS[int(group.key)], figures=group.figures) for group in _groups(rows, "weekday"))
    return Evaluation(
        weeks=tuple(sorted(rows["week"].unique())),
        not_scored=scored.not_scored,
        overall=figures,
        by_store=by_store,
        by_weekday=weekdays,
        by_hour=_groups(rows, "hour") if rows["hour"].any() else (),
        by_week=_groups(rows, "week"),
        by_arm=_groups(rows, "arm"),
        by_method=_groups(rows, "method"),
        look_at=_look_at(by_store, figures, usual),
    )


def score(forecast: pd.DataFrame, actual: pd.DataFrame, naive: pd.DataFrame) -> Scored:
    """The scored rows with their losses; columns beside the keys are summed by every group.

    Here, unlike in `evaluate`, a store and time may have a row for each of several arms.
    """
    made = _keyed(forecast, "forecast", (MEAN, "open"), by_arm=True)
    came = _keyed(actual, "actual", ("visitors", "open"))
    bar = _keyed(naive, "naive", (MEAN,))[[STORE, TIME, MEAN]].rename(columns={MEAN: "naive"})
    came = came[[STORE, TIME, "visitors", "open"]].rename(columns={"visitors": "came", "open": "was_open"})
    rows = made.merge(came, how="left", on=[STORE, TIME]).merge(bar, how="left", on=[STORE, TIME])
    planned_open = rows["open"].to_numpy(dtype=bool)
    was_open = (rows["was_open"] == True).to_numpy(dtype=bool)  # noqa: E712 - no row: neither open nor closed
    was_closed = (rows["was_open"] == False).to_numpy(dtype=bool)  # noqa: E712
    known = was_open & rows["came"].notna().to_numpy()
    use = planned_open & known
    counts = NotScored(
        closed=int(((~planned_open & ~known) | (planned_open & was_closed)).sum()),
        unknown=int((planned_open & ~was_closed & ~known).sum()),
        opened_unplanned=int((~planned_open & known).sum()),
        without_forecast=_without_forecast(made, came),
    )
    return Scored(_with_losses(rows[use]), counts)


def store_weeks(forecast: pd.DataFrame, actual: pd.DataFrame, naive: pd.DataFrame) -> pd.DataFrame:
    """One row for each store, week and arm: what `experiment.compare_split` and `compare_shadow` compare."""
    rows = score(forecast, actual, naive).rows
    rows = rows.assign(week=_week_names(rows[TIME]))
    names = {
        "absolute": experiment.LOSS,
        "came": experiment.VISITORS,
        "naive_absolute": experiment.NAIVE_LOSS,
    }
    keys = {STORE: experiment.STORE, "week": experiment.WEEK, "arm": experiment.ARM}
    sums = rows.groupby(list(keys), sort=True, observed=True)[list(names)].sum().reset_index()
    return sums.rename(columns=names | keys)


def usual_wape(store_weeks: pd.DataFrame) -> "pd.Series[float]":
    """Median over earlier weeks of each store's WAPE, from rows of `store_weeks`; index store_id."""
    rows = store_weeks[store_weeks[experiment.VISITORS] > 0]
    ratio = rows[experiment.LOSS] / rows[experiment.VISITORS]
    usual: pd.Series[float] = ratio.groupby(rows[experiment.STORE]).median()
    return usual


def _keyed(frame: pd.DataFrame, name: str, columns: tuple[str, ...], *, by_arm: bool = False) -> pd.DataFrame:
    for column in (STORE, TIME, *columns):
        if column not in frame:
            raise InvalidVisits(f"the {name} frame has no column {column}; add it", field=column)
    keyed = frame.assign(store_id=frame[STORE].astype(str), ts=frame[TIME].astype("datetime64[us]"))
    _refuse_two(keyed, name, [STORE, TIME, "arm"] if by_arm and "arm" in frame else [STORE, TIME])
    return keyed


def _refuse_two(frame: pd.DataFrame, name: str, keys: list[str]) -> None:
    if set(keys) <= set(frame) and (twice := frame.duplicated(keys)).any():
        first = frame[twice].iloc[0]
        raise InvalidVisits(f"the {name} frame has two rows of {first[STORE]} at {first[TIME]}; keep one", field=TIME)


def _without_forecast(made: pd.DataFrame, came: pd.DataFrame) -> int:
    """Known visitors in the forecast's weeks at stores and times that it left out."""
    if made.empty:
        return int((came["was_open"].astype(bool) & came["came"].notna()).sum())
    weeks = set(_week_names(made[TIME]))
    known = came[(came["was_open"] == True) & came["came"].notna()]  # noqa: E712
    known = known[_week_names(known[TIME]).isin(weeks)]
    missing = (
        known.merge(made[[STORE, TIME]].drop_duplicates(), how="left", on=[STORE, TIME], indicator=True)["_merge"]
        == "left_only"
    )
    return int(missing.sum())


def _week_names(time: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    """As in 2026-W49, by way of the few distinct days."""
    day = time.dt.normalize()
    names = {one: f"{one.isocalendar()[0]}-W{one.isocalendar()[1]:02d}" for one in day.unique()}
    named: pd.Series[str] = day.map(names).astype(str)
    return named


def _with_losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Keys and sums: a column that can't be had for a row is 0 there, and so is its count."""
    came, error = rows["came"].astype(float), rows[MEAN].astype(float) - rows["came"].astype(float)
    columns: dict[str, Any] = {
        STORE: rows[STORE],
        TIME: rows[TIME],
        "arm": rows["arm"].astype(str) if "arm" in rows else "",
        "method": rows["method"].astype(str) if "method" in rows else "",
        "n": 1.0,
        "came": came,
        "error": error,
        "absolute": error.abs(),
        "squared": error**2,
    }
    quantiles = [name for name in LEVELS if name in rows]
    has_quantiles = rows[quantiles].notna().all(axis=1) if len(quantiles) == len(LEVELS) else came * 0 > 0
    columns["quantile_n"] = has_quantiles.astype(float)
    for name, level in LEVELS.items():
        below = came - rows[name] if name in rows else came * 0
        loss = np.maximum(level * below, (level - 1) * below)
        columns[f"pinball_{name[1:]}"] = np.where(has_quantiles, loss, 0.0)
    inside = (came >= rows["q10"]) & (came <= rows["q90"]) if len(quantiles) == len(LEVELS) else has_quantiles
    columns["inside"] = (inside & has_quantiles).astype(float)
    has_naive = rows["naive"].notna()
    columns["naive_n"] = has_naive.astype(float)
    columns["naive_came"] = np.where(has_naive, came, 0.0)
    columns["naive_absolute"] = np.where(has_naive, (rows["naive"] - came).abs(), 0.0)
    columns["beside_naive"] = np.where(has_naive, error.abs(), 0.0)
    return pd.DataFrame(columns)


def _with_staff(rows: pd.DataFrame, staff: pd.DataFrame) -> pd.DataFrame:
    """Adds sums in staff-days. Rows without a plan have none."""
    plan = _keyed(staff, "staff", ("planned", "needed"))
    plan = plan.assign(
        unedited=plan["unedited"] if "unedited" in plan else plan["planned"],
        staff_days=plan.get("staff_days", 1.0),
    )[[STORE, TIME, "planned", "needed", "unedited", "staff_days"]]
    both = rows.merge(plan, how="left", on=[STORE, TIME])
    has = both["planned"].notna() & both["needed"].notna()
    days, gap = both["staff_days"], both["planned"] - both["needed"]
    missed, missed_unedited = gap.abs() * days, (both["unedited"] - both["needed"]).abs() * days
    edited = has & (both["unedited"] != both["planned"])
    sums = {
        "staff_n": has.astype(float),
        "staff_planned": both["planned"] * days,
        "staff_needed": both["needed"] * days,
        "staff_over": gap.clip(lower=0) * days,
        "staff_under": (-gap).clip(lower=0) * days,
        "staff_under_n": (gap < 0).astype(float),
        "staff_edited_n": edited.astype(float),
        "staff_edits": (missed_unedited - missed).where(edited, 0.0),
    }
    return both.assign(**{name: values.where(has, 0.0) for name, values in sums.items()}).drop(
        columns=["planned", "needed", "unedited", "staff_days"]
    )


def _groups(rows: pd.DataFrame, by: str) -> tuple[Group, ...]:
    if rows.empty:
        return ()
    numbers = [name for name in rows if rows[name].dtype == float]
    sums = rows.groupby(by, sort=True, observed=True)[numbers].sum()
    keys = [str(key) for key in sums.index]
    records = sums.to_dict("records")
    return tuple(Group(key=key, figures=_figures(record)) for key, record in zip(keys, records, strict=True))


def _figures(sums: Mapping[Any, float]) -> Figures:
    n, came = float(sums.get("n", 0.0)), float(sums.get("came", 0.0))

    def share(name: str, of: float) -> float | None:
        return float(sums[name]) / of if of > 0 else None

    quantile_n, naive_n = float(sums.get("quantile_n", 0.0)), float(sums.get("naive_n", 0.0))
    squares = share("squared", n)
    naive = float(sums.get("naive_absolute", 0.0))
    beside = share("beside_naive", naive)
    return Figures(
        rows=round(n),
        visitors=came,
        mae=share("absolute", n),
        rmse=None if squares is None else squares**0.5,
        wape=share("absolute", came),
        bias=share("error", came),
        pinball_10=share("pinball_10", quantile_n),
        pinball_50=share("pinball_50", quantile_n),
        pinball_80=share("pinball_80", quantile_n),
        pinball_90=share("pinball_90", quantile_n),
        coverage=share("inside", quantile_n),
        naive_mae=share("naive_absolute", naive_n),
        naive_wape=share("naive_absolute", float(sums.get("naive_came", 0.0))),
        skill=None if beside is None else 1 - beside,
        staff=_staff_figures(sums) if sums.get("staff_n", 0.0) > 0 else None,
    )


def _staff_figures(sums: Mapping[Any, float]) -> StaffFigures:
    return StaffFigures(
        rows=round(sums["staff_n"]),
        planned=float(sums["staff_planned"]),
        needed=float(sums["staff_needed"]),
        over=float(sums["staff_over"]),
        under=float(sums["staff_under"]),
        under_rows=float(sums["staff_under_n"] / sums["staff_n"]),
        edited_rows=round(sums["staff_edited_n"]),
        value_of_edits=float(sums["staff_edits"]),
    )


def _look_at(
    stores: tuple[Group, ...], overall: Figures, usual: "pd.Series[float] | None"
) -> tuple[StoreToLookAt, ...]:
    """Largest loss in staff-days first, then by absolute error beyond the usual, then by name: the same each time."""
    found = []
    for store in stores:
        figures = store.figures
        own = None if usual is None else usual.get(store.key)
        expected = float(own) if own is not None and np.isfinite(own) else overall.wape or 0.0
        excess = (figures.mae or 0.0) * figures.rows - expected * figures.visitors
        lost = None if figures.staff is None else figures.staff.over + figures.staff.under
        if (lost or 0.0) > 0 or excess > 0:
            found.append(
                StoreToLookAt(
                    store_id=store.key,
                    reason="staff" if lost else "error",
                    staff_days_lost=lost,
                    wape=figures.wape,
                    usual_wape=None if own is None or not np.isfinite(own) else float(own),
                    excess_visitors=excess,
                )
            )
    found.sort(key=lambda one: (-(one.staff_days_lost or 0.0), -one.excess_visitors, one.store_id))
    return tuple(found[:LOOK_AT])

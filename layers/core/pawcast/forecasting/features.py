"""What is known about a day in advance, as columns for regression.

Two groups. *Effects* are what each series has coefficients of its own for: weekday, promotion, holiday, closed
neighbours, yearly wave. *Context* is what only the correction over all series sees: finer waves, position in the
month and in the promotion rhythm, holiday weeks, bridge days. A column that is never on is left out, so a chain
without promotions pays nothing for them.

Nothing here looks at visitors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.calendar import day_of_month, day_of_year
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.panel import DAYS_A_WEEK, Days, Panel

YEAR = 365.25
SATURDAY, SUNDAY = 5, 6
PROMO_DAYS = 5  # Monday to Friday have an effect of their own


@dataclass(frozen=True, eq=False)
class Column:
    """One regressor: `values` is [series, day], or [day] where it is the same for all series."""

    name: str
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Design:
    """All regressors known in advance; the first seven effects are the weekdays, of which exactly one is 1."""

    effects: tuple[Column, ...]
    context: tuple[Column, ...]


def block(columns: tuple[Column, ...], series: int, start: int, stop: int) -> NDArray[np.float32]:
    """The columns' days `start` to `stop` as one array [series, day, column]."""
    stacked = np.empty((series, stop - start, len(columns)), dtype=np.float32)
    for index, column in enumerate(columns):
        stacked[:, :, index] = column.values[..., start:stop]
    return stacked


def later(values: NDArray[np.float32], days: int) -> NDArray[np.float32]:
    """What `values` are `days` later (earlier, if negative); 0 beyond the grid."""
    moved = np.zeros_like(values)
    if days > 0:
        moved[..., :-days] = values[..., days:]
    else:
        moved[..., -days:] = values[..., :days]
    return moved


def design(panel: Panel, config: ForecastConfig) -> Design:
    """The regressors of every day of the panel."""
    weekday = np.arange(panel.visitors.shape[1]) % DAYS_A_WEEK
    effects = [Column(f"weekday_effect:{day}", _one(weekday == day)) for day in range(DAYS_A_WEEK)]
    context: list[Column] = []
    if panel.promo.any():
        own, shared = _promotion(panel, weekday)
        effects += own
        context += shared
    school = _one(panel.school)
    if school.any() and (school.mean(axis=1) < 1).any():
        effects.append(Column("school", school))
        context += _school_holidays(school, weekday)
    if (panel.holiday > 0).any():
        own, shared = _holidays(panel, weekday)
        effects += own
        context += shared
    effects += _closed_neighbours(panel, weekday)
    for wave in range(1, max(config.season_waves, config.correction_waves) + 1):
        angle = 2 * np.pi * wave * day_of_year(panel.days) / YEAR
        pair = [
            Column(f"season:sin{wave}", np.sin(angle).astype(np.float32)),
            Column(f"season:cos{wave}", np.cos(angle).astype(np.float32)),
        ]
        (effects if wave <= config.season_waves else context).extend(pair)
    effects.append(Column("year_end", year_end(panel.days)))
    since, until = day_of_month(panel.days)
    context += [
        Column("month:start", _one(since < 3)),
        Column("month:end", _one(until <= 3)),
        Column("month:day", (since / 30 - 0.5).astype(np.float32)),
        Column("month:payday", _one(since >= 24)),
    ]
    for wave in range(1, config.month_waves + 1):
        angle = 2 * np.pi * wave * since / (since + until)
        context.append(Column(f"month:sin{wave}", np.sin(angle).astype(np.float32)))
        context.append(Column(f"month:cos{wave}", np.cos(angle).astype(np.float32)))
    return Design(effects=tuple(effects), context=tuple(context))


def year_end(days: Days) -> NDArray[np.float32]:
    """[day] how far the season before New Year has come: from 0 on November 27 to 1 on December 18, until the 30th."""
    month = days.astype("datetime64[M]").astype(np.intp) % 12 + 1
    day = day_of_month(days)[0] + 1
    december = np.select([month == 12, month == 11], [day, day - 30], default=-30)
    rising = np.clip((december + 3) / 21, 0.0, 1.0)
    return np.where((month == 12) & (day > 30), 0.0, rising).astype(np.float32)


def _promotion(panel: Panel, weekday: NDArray[np.intp]) -> tuple[list[Column], list[Column]]:
    promo = _one(panel.promo)
    own = [Column("promo:any", promo)]
    own += [Column(f"promo:{day}", promo * (weekday == day)) for day in range(PROMO_DAYS)]
    this_week = _week_maximum(promo)
    week_before = later(this_week, -DAYS_A_WEEK)
    shared = [
        Column("promo:week_before", week_before),
        Column("promo:only_week_before", week_before * (1 - promo)),
        Column("promo:second_week", week_before * promo),
    ]
    shared += [Column(f"no_promo_week:{day}", (1 - this_week) * (weekday == day)) for day in range(SUNDAY)]
    return own, shared


def _school_holidays(school: NDArray[np.float32], weekday: NDArray[np.intp]) -> list[Column]:
    """The first and last week of school holidays, the weeks around them, and the weekdays on which they tell most."""
    week_before, week_after = later(school, -DAYS_A_WEEK), later(school, DAYS_A_WEEK)
    return [
        Column("school_edge:first_week", school * (1 - week_before)),
        Column("school_edge:last_week", school * (1 - week_after)),
        Column("school_edge:week_before", (1 - school) * week_after),
        Column("school_edge:week_after", (1 - school) * week_before),
        *(Column(f"school_weekday:{day}", school * (weekday == day)) for day in (0, SATURDAY, SUNDAY)),
    ]


def _holidays(panel: Panel, weekday: NDArray[np.intp]) -> tuple[list[Column], list[Column]]:
    holiday = _one(panel.holiday > 0)
    workday = 1 - holiday
    tomorrow, yesterday = later(holiday, 1), later(holiday, -1)
    kinds = list(enumerate(panel.kinds, 1))  # by name: a registered model has shards with fewer kinds
    own = [
        Column(f"holiday:{name}", _one(panel.holiday == kind))
        for kind, name in kinds
        if ((panel.holiday == kind) & panel.open).any()
    ]
    own += [
        Column("holiday_weekend", holiday * (weekday >= SATURDAY)),
        Column("before_holiday:any", tomorrow * workday),
        Column("after_holiday:any", yesterday * workday),
        Column("before_holiday:sunday", tomorrow * (weekday == SUNDAY)),
    ]
    near = [
        Column(f"{side}_kind:{name}", later(_one(panel.holiday == kind), ahead) * workday)
        for side, ahead in (("before", 1), ("after", -1))
        for kind, name in kinds
    ]
    seen = [column for column in near if (column.values * panel.open).any()]
    if len({column.name.partition(":")[2] for column in seen}) > 1:  # one kind alone is what "any" says already
        own += seen
    share = np.repeat(_by_week(holiday).mean(axis=2), DAYS_A_WEEK, axis=1).astype(np.float32)
    shared = [
        Column("before_holiday:2", later(holiday, 2) * workday),
        Column("after_holiday:2", later(holiday, -2) * workday),
        Column("bridge:between", yesterday * tomorrow * workday),
        Column("bridge:long_weekend", np.maximum(yesterday * (weekday == 4), tomorrow * (weekday == 0))),
        Column("bridge:inside", yesterday * tomorrow * holiday),
        Column("holiday:last", holiday * (1 - tomorrow)),
        Column("holiday_week:this", share),
        Column("holiday_week:next", later(share, DAYS_A_WEEK)),
        Column("holiday_week:last", later(share, -DAYS_A_WEEK)),
    ]
    return own, shared


def _closed_neighbours(panel: Panel, weekday: NDArray[np.intp]) -> list[Column]:
    """Open next to a closed day; around Sunday that is every week's rhythm, which the weekday already says."""
    is_open, closed = _one(panel.open), _one(~panel.open)
    tomorrow, yesterday = later(closed, 1), later(closed, -1)
    return [
        Column("closed_neighbour:tomorrow", tomorrow * is_open * ((weekday != SATURDAY) & (weekday != SUNDAY))),
        Column("closed_neighbour:yesterday", yesterday * is_open * (weekday != 0)),
    ]


def _week_maximum(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.repeat(_by_week(values).max(axis=2), DAYS_A_WEEK, axis=1)


def _by_week(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values.reshape(len(values), -1, DAYS_A_WEEK)


def _one(values: NDArray[np.bool_]) -> NDArray[np.float32]:
    return values.astype(np.float32)

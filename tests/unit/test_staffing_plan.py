"""A week's plan: who works when, what last week's practice would have been, what can't be."""

import io
from pathlib import Path

import fastparquet
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.staffing.plan import PLAN_COLUMNS, SHIFT_COLUMNS, STORE_COLUMNS, plan_week
from pawcast.forecasting.staffing.rules import PATTERNS, StoreRules
from tests.support.staffing import MONDAY, day_rules, hour_rules, hourly, records
from tests.support.staffing import daily as by_day

VISITORS = st.floats(0, 5_000)
WEEK = st.lists(VISITORS, min_size=7, max_size=7)
OPEN_DAY = st.lists(st.floats(0, 120), min_size=8, max_size=14)


def two_kinds() -> tuple[pd.DataFrame, dict[str, StoreRules]]:
    forecast = pd.concat(
        [
            by_day("S1", [250, 320, 700, 0, 400, 410, 520], closed=[3]),
            hourly("H1", [[20, 30, 60, 80, 70, 50, 30, 20, 10, 5]] * 7, opens_at=10),
            by_day("S2", [90] * 7),
        ],
        ignore_index=True,
    )
    return forecast, {"S1": day_rules("S1"), "S2": day_rules("S2", min_staff=4), "H1": hour_rules("H1")}


def test_a_store_by_day_has_people_for_its_visitors_and_none_when_closed() -> None:
    made = plan_week(by_day("S1", [250, 320, 700, 0, 400.0, 401, 50], closed=[3]), {"S1": day_rules()})

    assert [3, 4, 7, 0, 4, 5, 3] == made.plan["staff"].tolist()
    assert made.plan["staff"].tolist() == made.plan["needed"].tolist()
    assert made.shifts.empty
    assert 26.0 == made.stores["staff_days"].item()
    assert 0.0 == made.plan["risk"][3]


def test_a_store_by_the_hour_has_rows_for_open_hours_and_shifts_that_add_up_to_them() -> None:
    forecast, rules = two_kinds()

    made = plan_week(forecast, rules)

    plan = made.plan[made.plan["store_id"] == "H1"]
    assert set(range(10, 20)) == set(plan["ts"].dt.hour)
    assert (plan["staff"] >= plan["needed"]).all()
    counted = dict.fromkeys(plan["ts"], 0)
    for shift in records(made.shifts):
        for hour in range(int(shift.starts_at), int(shift.ends_at)):
            counted[shift.day + pd.Timedelta(hours=hour)] += shift.people
    assert list(counted.values()) == plan["staff"].tolist()
    assert plan["staff"].sum() / 8 == made.stores.set_index("store_id").loc["H1", "staff_days"]


def test_frames_have_their_columns_and_types_whether_there_are_stores_or_not(tmp_path: Path) -> None:
    forecast, rules = two_kinds()

    full, empty = plan_week(forecast, rules), plan_week(forecast, {})

    for made in (full, empty):
        assert PLAN_COLUMNS == tuple(made.plan)
        assert SHIFT_COLUMNS == tuple(made.shifts)
        assert STORE_COLUMNS == tuple(made.stores)
    for name in ("plan", "shifts", "stores"):
        frame = getattr(full, name)
        assert frame.dtypes.tolist() == pd.concat([frame, getattr(empty, name)]).dtypes.tolist()
        path = tmp_path / f"{name}.parquet"
        fastparquet.write(str(path), frame)
        read = fastparquet.ParquetFile(io.BytesIO(path.read_bytes())).to_pandas()
        pd.testing.assert_frame_equal(frame, read, check_dtype=False)


def test_a_store_without_rules_is_named_and_the_others_are_planned() -> None:
    forecast, rules = two_kinds()
    del rules["H1"]

    made = plan_week(forecast, rules)

    stores = made.stores.set_index("store_id")
    assert ["H1", "S1", "S2"] == stores.index.tolist()
    assert ["no_rules", "", ""] == stores["infeasible"].tolist()
    assert {"S1", "S2"} == set(made.plan["store_id"])


def test_order_of_rows_and_other_stores_change_no_stores_plan() -> None:
    forecast, rules = two_kinds()
    whole = plan_week(forecast, rules)

    shuffled = plan_week(forecast.sample(frac=1, random_state=3), rules)

    pd.testing.assert_frame_equal(whole.plan, shuffled.plan)
    pd.testing.assert_frame_equal(whole.shifts, shuffled.shifts)
    for store in rules:
        alone = plan_week(forecast[forecast["store_id"] == store], rules)
        pd.testing.assert_frame_equal(whole.plan[whole.plan["store_id"] == store].reset_index(drop=True), alone.plan)


@given(WEEK, st.sets(st.integers(0, 6)), st.floats(1, 300), st.sampled_from([0.5, 0.65, 0.8, 0.9]), st.integers(3, 8))
@settings(max_examples=50)
def test_a_closed_day_is_never_staffed_an_open_one_never_below_the_minimum(
    visitors: list[float], closed: set[int], per_person: float, level: float, least: int
) -> None:
    rules = {"S1": day_rules(per_person=per_person, service_quantile=level, min_staff=least)}

    plan = plan_week(by_day("S1", visitors, sorted(closed)), rules).plan

    for place, staff in enumerate(plan["staff"]):
        assert staff == 0 if place in closed else staff >= least
    assert ((plan["risk"] <= 1 - level + 1e-6) | (plan["staff"] == 0)).all()


@given(st.lists(OPEN_DAY, min_size=1, max_size=3), st.integers(0, 10), st.integers(3, 6), st.integers(0, 2))
@settings(max_examples=40)
def test_every_open_hour_is_covered_and_no_closed_one(
    days: list[list[float]], opens_at: int, least: int, breaks: int
) -> None:
    forecast = hourly("H1", days, opens_at)
    closed = forecast["ts"].dt.hour == opens_at + 3
    forecast["open"] &= ~(closed & (breaks > 0))

    made = plan_week(forecast, {"H1": hour_rules(min_staff=least)})

    opened = forecast[forecast["open"]]
    assert opened["ts"].tolist() == made.plan["ts"].tolist()
    assert (made.plan["staff"] >= made.plan["needed"]).all()
    assert (made.plan["needed"] >= least).all()
    assert "" == made.stores["infeasible"].item()
    by_day_hours = opened["ts"].dt.hour.groupby(opened["ts"].dt.normalize())
    first, last = by_day_hours.min().to_dict(), by_day_hours.max().to_dict()
    for shift in records(made.shifts):
        assert first[shift.day] <= shift.starts_at < shift.ends_at <= last[shift.day] + 1


@given(WEEK, st.integers(0, 6), st.floats(1, 2))
@settings(max_examples=30)
def test_more_visitors_never_need_fewer_people(visitors: list[float], place: int, factor: float) -> None:
    more = [value * (factor if number == place else 1) for number, value in enumerate(visitors)]

    before, after = (plan_week(by_day("S1", each), {"S1": day_rules()}).plan["staff"] for each in (visitors, more))

    assert (after >= before).all()


@given(st.lists(st.integers(0, 900), min_size=7, max_size=7), st.sampled_from([0.25, 0.5, 2.0, 8.0]))
@settings(max_examples=30)
def test_scaling_visitors_and_ratio_together_changes_no_plan(visitors: list[int], factor: float) -> None:
    plain = plan_week(by_day("S1", visitors), {"S1": day_rules(per_person=60.0)}).plan

    scaled = plan_week(by_day("S1", [value * factor for value in visitors]), {"S1": day_rules(per_person=60 * factor)})

    assert plain["staff"].tolist() == scaled.plan["staff"].tolist()


def test_a_service_quantile_between_the_forecasts_is_interpolated() -> None:
    forecast = by_day("S1", [1000])

    needs = [
        plan_week(forecast, {"S1": day_rules(service_quantile=level)}).plan["visitors"].item()
        for level in (0.5, 0.65, 0.8, 0.85, 0.9)
    ]

    assert [1000.0, 1125.0, 1250.0, 1325.0, 1400.0] == pytest.approx(needs)


def history_of(store: str, days_before: dict[int, float], *, is_open: bool = True) -> pd.DataFrame:
    rows = [(store, MONDAY - np.timedelta64(days, "D"), visitors, is_open) for days, visitors in days_before.items()]
    return pd.DataFrame(rows, columns=["store_id", "ts", "visitors", "open"])


def test_last_weeks_practice_staffs_for_the_visitors_of_two_weeks_earlier() -> None:
    forecast = by_day("S1", [1000, 1000, 1000, 1000])
    history = pd.concat(
        [
            history_of("S1", {14: 510, 7: 9_999, 21: 100}),  # 7 days back is not known yet when the plan is made
            history_of("S1", {13: 700}, is_open=False),  # closed is not zero: one week further back
            history_of("S1", {20: 450}),
            history_of("S1", {12: np.nan, 19: np.nan, 26: 650}),
            history_of("other", {11: 5}),  # nothing known of the fourth day: as planned
        ]
    )

    made = plan_week(forecast, {"S1": day_rules()}, history=history)

    assert [6.0, 5.0, 7.0, 10.0] == made.plan["last_week_staff"].tolist()
    assert 28.0 == made.stores["last_week_staff_days"].item()
    assert -12.0 == made.totals()["saved_staff_days"]
    assert made.stores["last_week_understaffed_days"].item() > made.stores["understaffed_days"].item()


def test_practice_by_the_hour_is_covered_by_shifts_as_well() -> None:
    forecast = hourly("H1", [[30] * 8], opens_at=10)
    history = forecast.assign(ts=forecast["ts"] - pd.Timedelta(days=14), visitors=forecast["yhat"] * 2)

    made = plan_week(forecast, {"H1": hour_rules()}, history=history)

    assert [6.0] * 8 == made.plan["last_week_staff"].tolist()
    assert (3.0, 6.0) == (made.stores["staff_days"].item(), made.stores["last_week_staff_days"].item())


def test_without_history_last_week_is_unknown_and_nothing_is_saved() -> None:
    made = plan_week(by_day("S1", [400]), {"S1": day_rules()})

    assert made.plan["last_week_staff"].isna().all()
    assert np.isnan(made.stores["last_week_staff_days"].item())
    assert 0.0 == made.totals()["saved_staff_days"]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda frame: frame.drop(columns="q80"), "missing_column"),
        (lambda frame: frame.assign(q80=np.nan), "unknown_forecast"),
        (lambda frame: frame.assign(q90=np.inf), "unknown_forecast"),
        (lambda frame: pd.concat([frame, frame.head(1)]), "two_rows_of_a_cell"),
        (lambda frame: frame.assign(ts=frame["ts"] + pd.Timedelta(hours=9)), "wrong_grain"),
    ],
)
def test_a_forecast_that_cannot_be_planned_is_refused(spoil: object, code: str) -> None:
    forecast = spoil(by_day("S1", [400, 500]))  # type: ignore[operator]

    with pytest.raises(InvalidStaffing) as refused:
        plan_week(forecast, {"S1": day_rules()})

    assert code == refused.value.request_code


def test_a_closed_day_needs_no_forecast() -> None:
    forecast = by_day("S1", [400, 500], closed=[1])
    forecast.loc[1, ["q10", "q50", "q80", "q90"]] = np.nan

    assert [4, 0] == plan_week(forecast, {"S1": day_rules()}).plan["staff"].tolist()


def test_a_store_that_is_always_closed_has_an_empty_week() -> None:
    forecast = hourly("H1", [[], []], opens_at=9)

    made = plan_week(forecast, {"H1": hour_rules()})

    assert made.plan.empty
    assert (0.0, "") == (made.stores["staff_days"].item(), made.stores["infeasible"].item())


def test_totals_add_the_stores_up() -> None:
    forecast, rules = two_kinds()
    history = forecast.assign(ts=forecast["ts"] - pd.Timedelta(days=14), visitors=forecast["yhat"])
    made = plan_week(forecast, rules, history=history)

    totals = made.totals()

    assert 3.0 == totals["stores"]
    assert made.stores["staff_days"].sum() == totals["staff_days"]
    assert totals["last_week_staff_days"] - totals["staff_days"] == pytest.approx(totals["saved_staff_days"])


def test_patterns_of_stores_do_not_mix() -> None:
    forecast = pd.concat([hourly(store, [[20] * 12], opens_at=9) for store in ("H1", "H2")])
    rules = {"H1": hour_rules("H1", pattern=PATTERNS["eight_hours"]), "H2": hour_rules("H2")}

    made = plan_week(forecast, rules)

    hours = made.shifts.assign(hours=made.shifts["ends_at"] - made.shifts["starts_at"]).groupby("store_id")["hours"]
    assert {8} == set(hours.get_group("H1"))
    assert {"H1": 6.0, "H2": 4.5} == made.stores.set_index("store_id")["staff_days"].to_dict()

"""One bad store never sinks its neighbours, whatever is wrong with it."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pawcast.errors import InvalidPolicy, ModelRejected, NotFound
from pawcast.forecasting.forecast import Forecast
from pawcast.forecasting.models import LoadedModel, SeasonalNaiveModel, built_in_document, load_model, parse_release
from pawcast.forecasting.panel import Panel
from pawcast.forecasting.weekly.messages import QUARANTINE
from pawcast.forecasting.weekly.shards import ShardForecaster, ShardTask, ShardWork, with_every_store
from tests.support.visits import FIRST_MONDAY, drawn_visits
from tests.support.week_fakes import FakeFiles

WEEKS = 20
TARGET = FIRST_MONDAY + pd.Timedelta(weeks=WEEKS - 1)
WEEK = f"{TARGET.isocalendar().year}-W{TARGET.isocalendar().week:02d}"
MONDAY = np.datetime64(date(TARGET.year, TARGET.month, TARGET.day), "D")
NUMBERS = ["yhat", "q10", "q50", "q80", "q90"]


class Problems:
    """The engineer's log."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def __call__(self, message: str, error: BaseException, **facts: Any) -> None:
        self.found.append((message, str(facts.get("store_id", ""))))


def release(*arms: tuple[str, dict[str, Any], float]) -> dict[str, Any]:
    """What `release.json` of a run holds."""
    arms = arms or (("champion", built_in_document(), 1.0),)
    names = [{"name": "visits-forecast", "version": name} for name, _, _ in arms]
    return {
        "version": 3,
        "arms": [{"name": name, "model": f"visits-forecast/{name}"} for name, _, _ in arms],
        "release": {
            "version": 3,
            "experiment": "first",
            "arms": [
                {"name": name, "model": ref, "share": share} for (name, _, share), ref in zip(arms, names, strict=True)
            ],
        },
        "models": {f"visits-forecast/{name}": document for name, document, _ in arms},
    }


class Shard:
    """Files of a shard of six stores, and what became of it."""

    def __init__(
        self,
        history: pd.DataFrame | None = None,
        store_ids: Sequence[str] | None = None,
        released: dict[str, Any] | None = None,
        plans_by: str = "day",
    ) -> None:
        history = drawn_visits(stores=6, weeks=WEEKS, unknown_weeks=2) if history is None else history
        ids = list(store_ids or history["store_id"].unique())
        self.files, self.log, self.task = FakeFiles(), Problems(), ShardTask(WEEK, 1, 0)
        self.files.put_frame(self.task.key("history.parquet"), history)
        self.files.put_frame(self.task.key("stores.parquet"), pd.DataFrame({"store_id": ids, "plans_by": plans_by}))
        self.files.put_json(f"{self.task.prefix}/release.json", released or release())

    def forecast(self, *, fallback: bool = False) -> dict[str, Any]:
        forecaster = ShardForecaster(files=self.files, frames=self.files, log=self.log)
        return forecaster.forecast(self.task, fallback=fallback)

    @property
    def rows(self) -> pd.DataFrame:
        return self.files.get_frame(self.task.key("forecast.parquet"))

    @property
    def methods(self) -> dict[str, str]:
        return {str(store): str(rows["method"].iloc[0]) for store, rows in self.rows.groupby("store_id")}

    @property
    def set_apart(self) -> dict[str, str]:
        result = self.files.get_json(self.task.key("result.json"))
        json.dumps(result, allow_nan=False)
        return {each["store_id"]: each["reason"] for each in result["quarantined"]}


def test_a_shard_is_forecast_by_the_model_of_the_release() -> None:
    shard = Shard()

    made = shard.forecast()

    assert {"shard": 0, "stores": 6, "quarantined": 0} == made
    assert 6 * 7 == len(shard.rows)
    assert ({"model"}, {"champion"}, {}) == (set(shard.methods.values()), set(shard.rows["arm"]), shard.set_apart)


def test_a_repetition_writes_the_same_again() -> None:
    shard = Shard()
    shard.forecast()
    before = shard.rows

    shard.forecast()

    pd.testing.assert_frame_equal(before, shard.rows)


# ------------------------------------------------------------ bad stores


class Fussy:
    """A model that raises wherever certain stores are in the panel."""

    def __init__(self, *bad: str, error: type[Exception] = ValueError) -> None:
        self.bad, self.error, self.calls = set(bad), error, 0
        self.model = load_model(built_in_document())

    def forecast(self, panel: Panel, monday: np.datetime64) -> Forecast:
        self.calls += 1
        if self.bad & {str(store) for store in panel.stores}:
            raise self.error("made for this test")
        return self.model.forecast(panel, monday)

    @property
    def loaded(self) -> LoadedModel:
        return LoadedModel(SeasonalNaiveModel(kind="seasonal_naive"), self.forecast)


def work(log: Problems, stores: int = 6) -> ShardWork:
    return ShardWork(drawn_visits(stores=stores, weeks=WEEKS, unknown_weeks=2), MONDAY, 1, log)


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, FloatingPointError, np.linalg.LinAlgError])
def test_a_store_at_which_the_model_raises_is_set_apart_alone(error: type[Exception]) -> None:
    log = Problems()

    part = work(log).forecast(Fussy("s03", error=error).loaded)

    methods = part.frame.groupby("store_id")["method"].first()
    assert {"s03": "model_failed"} == part.reasons
    assert ["s03"] == [store for store, method in methods.items() if method == "seasonal_naive"]
    assert [("a store was set apart", "s03")] == log.found
    assert np.isfinite(part.frame[NUMBERS]).all(axis=None)


def test_the_neighbours_forecast_is_nearly_the_one_they_had_without_the_bad_store() -> None:
    calm = work(Problems()).forecast(load_model(built_in_document())).frame
    broken = work(Problems()).forecast(Fussy("s03").loaded).frame

    others = calm["store_id"] != "s03"
    assert [*calm[["store_id", "ts"]].itertuples(index=False)] == [*broken[["store_id", "ts"]].itertuples(index=False)]
    assert np.allclose(calm.loc[others, "yhat"], broken.loc[others, "yhat"], rtol=0.25)


def test_finding_the_bad_store_among_a_hundred_takes_few_calls() -> None:
    model = Fussy("s42")

    part = work(Problems(), stores=100).forecast(model.loaded)

    assert {"s42": "model_failed"} == part.reasons
    assert 15 >= model.calls


def test_where_every_store_is_bad_every_store_still_gets_a_forecast() -> None:
    part = work(Problems()).forecast(Fussy(*(f"s{store:02d}" for store in range(6))).loaded)

    assert {"model_failed"} == set(part.reasons.values())
    assert 6 * 7 == len(part.frame)


def test_an_error_that_is_ours_is_not_taken_for_a_bad_store() -> None:
    with pytest.raises(TypeError):
        work(Problems()).forecast(Fussy("s03", error=TypeError).loaded)


def spoiled(**wrong: Any) -> pd.DataFrame:
    """The history of six stores with one row of s02 spoiled."""
    history = drawn_visits(stores=6, weeks=WEEKS, unknown_weeks=2).astype({"open": object})
    at = history.index[(history["store_id"] == "s02") & (history["ts"] == TARGET - pd.Timedelta(weeks=5))]
    for column, value in wrong.items():
        history.loc[at, column] = value
    return history


HOSTILE = {
    "infinite": lambda: spoiled(visitors=np.inf),
    "negative": lambda: spoiled(visitors=-4.0),
    "too many": lambda: spoiled(visitors=1e12),
    "twice": lambda: pd.concat([spoiled(), spoiled().query("store_id == 's02'").tail(3)], ignore_index=True),
    "no time": lambda: spoiled(ts=pd.NaT),
    "half an hour": lambda: spoiled(ts=TARGET - pd.Timedelta(weeks=5) + pd.Timedelta(minutes=30)),
    "an hour of a day": lambda: spoiled(ts=TARGET - pd.Timedelta(weeks=5) + pd.Timedelta(hours=3)),
    "half open": lambda: spoiled(open=0.5),
    "unknown whether open": lambda: spoiled(open=np.nan),
    "half a promotion": lambda: spoiled().assign(
        promo=lambda rows: rows["promo"].astype(float).mask(rows["store_id"] == "s02", 0.5)
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_row_sets_its_store_apart_and_no_other(kind: str) -> None:
    shard = Shard(HOSTILE[kind]())

    shard.forecast()

    assert {"s02"} == set(shard.set_apart)
    assert {"s02"} == {store for store, method in shard.methods.items() if method == "seasonal_naive"}
    assert np.isfinite(shard.rows[NUMBERS]).all(axis=None)
    assert 6 * 7 == len(shard.rows)


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_fallback_takes_any_row(kind: str) -> None:
    shard = Shard(HOSTILE[kind]())

    made = shard.forecast(fallback=True)

    assert {"shard": 0, "stores": 6, "quarantined": 6} == made
    assert np.isfinite(shard.rows[NUMBERS]).all(axis=None)


def test_the_fallback_takes_visitors_that_are_texts() -> None:
    history = drawn_visits(stores=2, weeks=WEEKS, unknown_weeks=2).astype({"visitors": object})
    shard = Shard(history.assign(visitors=history["visitors"].mask(history["store_id"] == "s01", "many")))

    shard.forecast(fallback=True)

    assert np.isfinite(shard.rows[NUMBERS]).all(axis=None)


def test_a_store_of_which_no_row_can_be_used_still_has_its_week() -> None:
    history = drawn_visits(stores=2, weeks=WEEKS, unknown_weeks=2)
    shard = Shard(history.assign(ts=history["ts"].mask(history["store_id"] == "s01")))

    shard.forecast()

    assert {"s00": 7, "s01": 7} == shard.rows["store_id"].value_counts().to_dict()
    assert {"s01": "model_failed"} == shard.set_apart


def test_a_store_is_set_apart_with_sentences_for_the_planner() -> None:
    shard = Shard(spoiled(visitors=-4.0))
    shard.forecast()

    (store,) = shard.files.get_json(shard.task.key("result.json"))["quarantined"]

    assert QUARANTINE["model_failed"].model_dump() == store["text"]


@pytest.mark.parametrize("reason", ["not_finite", "gone", "absurd", "model_failed", "shard_failed"])
def test_every_reason_has_its_sentences(reason: str) -> None:
    assert QUARANTINE[reason].ko != QUARANTINE[reason].en


# ------------------------------------------------------------ fallback


def test_a_shard_whose_function_died_falls_back_as_a_whole_and_says_so() -> None:
    shard = Shard()

    made = shard.forecast(fallback=True)

    assert {"shard": 0, "stores": 6, "quarantined": 6} == made
    assert ({"seasonal_naive"}, {"shard_failed"}) == (set(shard.methods.values()), set(shard.set_apart.values()))
    last = drawn_visits(stores=6, weeks=WEEKS).query("store_id == 's01'").set_index("ts")["visitors"]
    made_rows = shard.rows.query("store_id == 's01'").set_index("ts")["yhat"]
    assert np.allclose(last.reindex(pd.DatetimeIndex(made_rows.index) - pd.Timedelta(weeks=2)), made_rows)


def test_the_fallback_needs_no_model_that_can_be_loaded() -> None:
    shard = Shard(released=release(("champion", {"kind": "oracle"}, 1.0)))

    assert 6 == shard.forecast(fallback=True)["quarantined"]
    with pytest.raises(ModelRejected):
        shard.forecast()


def test_a_release_that_is_none_is_refused() -> None:
    shard = Shard(released=release() | {"release": {"version": 0}})

    with pytest.raises(InvalidPolicy):
        shard.forecast()


def test_a_shard_that_was_never_written_is_not_found() -> None:
    shard = Shard()
    shard.files.frames.clear()

    with pytest.raises(NotFound):
        shard.forecast()


# ------------------------------------------------------------ arms


def two_arms(share: float = 0.5) -> dict[str, Any]:
    return release(
        ("champion", built_in_document(), 1 - share), ("candidate", {"kind": "moving_average", "weeks": 4}, share)
    )


def test_every_arm_forecasts_every_store_and_each_store_gets_its_own() -> None:
    shard = Shard(drawn_visits(stores=20, weeks=WEEKS, unknown_weeks=2), released=two_arms())

    shard.forecast()

    ids = sorted(set(shard.rows["store_id"]))
    arms = shard.files.get_frame(shard.task.key("arms.parquet"))
    wanted = dict(zip(ids, parse_release(two_arms()["release"]).arm_of(ids), strict=True))
    assert {"champion", "candidate"} == set(wanted.values())
    assert wanted == shard.rows.groupby("store_id")["arm"].first().to_dict()
    assert {("champion", 140), ("candidate", 140)} == set(arms["arm"].value_counts().items())
    both = shard.rows.merge(arms, on=["store_id", "ts", "arm"], suffixes=("", "_own"))
    assert np.array_equal(both["yhat"], both["yhat_own"])


def test_a_store_keeps_its_arm_when_its_neighbours_change() -> None:
    frame = drawn_visits(stores=20, weeks=WEEKS, unknown_weeks=2)
    many, few = Shard(frame, released=two_arms()), Shard(frame[frame["store_id"] > "s11"], released=two_arms())
    many.forecast()
    few.forecast()

    arm_of = many.rows.groupby("store_id")["arm"].first().to_dict()

    assert {store: arm_of[store] for store in set(few.rows["store_id"])} == (
        few.rows.groupby("store_id")["arm"].first().to_dict()
    )


def test_a_store_that_another_arm_could_not_forecast_is_not_set_apart() -> None:
    history = drawn_visits(stores=20, weeks=WEEKS, unknown_weeks=2)
    shard = Shard(history, released=two_arms())
    ids = sorted(history["store_id"].unique())
    arm_of = dict(zip(ids, parse_release(two_arms()["release"]).arm_of(ids), strict=True))
    gone = [next(store for store in ids if arm_of[store] == arm) for arm in ("champion", "candidate")]
    late = history["store_id"].isin(gone) & (history["ts"] > TARGET - pd.Timedelta(weeks=7))
    shard.files.put_frame(shard.task.key("history.parquet"), history.assign(visitors=history["visitors"].mask(late)))

    shard.forecast()

    assert {gone[0]: "gone"} == shard.set_apart  # a moving average never says that a store is gone


# ------------------------------------------------------------ stores without history


def test_a_new_store_without_any_visit_is_forecast_from_the_others() -> None:
    shard = Shard(store_ids=[*(f"s{store:02d}" for store in range(6)), "new"])

    made = shard.forecast()

    own = shard.rows.query("store_id == 'new'")
    assert {"shard": 0, "stores": 7, "quarantined": 0} == made
    assert ({"cold_start"}, 7, True) == (set(own["method"]), len(own), bool((own["yhat"] > 0).all()))
    assert {} == shard.set_apart


@pytest.mark.parametrize("fallback", [False, True])
def test_a_shard_of_new_stores_alone_is_forecast(fallback: bool) -> None:
    history = with_every_store(drawn_visits(stores=1, weeks=1).iloc[:0], ["new1", "new2"], MONDAY, 1)
    shard = Shard(history)

    shard.forecast(fallback=fallback)

    assert 14 == len(shard.rows)
    assert np.isfinite(shard.rows[NUMBERS]).all(axis=None)
    assert {"new1", "new2"} == set(shard.set_apart)  # no other store says what to expect


def test_a_new_store_that_plans_by_hour_is_open_all_hours_until_somebody_says_otherwise() -> None:
    history = drawn_visits(stores=2, weeks=WEEKS, hours=tuple(range(9, 21)), unknown_weeks=2)
    shard = Shard(history, store_ids=["s00", "s01", "new"], plans_by="hour")

    shard.forecast()

    own = shard.rows.query("store_id == 'new'")
    assert (168, True) == (len(own), bool(own["open"].all()))


def test_a_store_that_opens_an_hour_earlier_than_ever_keeps_its_model() -> None:
    history = drawn_visits(stores=3, weeks=WEEKS, hours=tuple(range(10, 20)), unknown_weeks=2)
    longer = history.query("store_id == 's01'").tail(70).iloc[::10]
    longer = longer.assign(ts=longer["ts"].to_numpy() - np.timedelta64(1, "h"), open=True)
    shard = Shard(pd.concat([history, longer], ignore_index=True), plans_by="hour")

    shard.forecast()

    own = shard.rows.query("store_id == 's01' and open")
    at_nine = own["ts"].dt.hour == 9
    assert ({"model"}, {}) == (set(shard.methods.values()), shard.set_apart)
    assert 7 == at_nine.sum()
    assert own.loc[at_nine, "yhat"].between(own.loc[~at_nine, "yhat"].min(), own.loc[~at_nine, "yhat"].max()).all()
    assert (own[["q10", "q50", "q80", "q90"]].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_a_history_with_every_store_is_left_alone() -> None:
    history = drawn_visits(stores=2, weeks=2)

    assert history is with_every_store(history, ["s00", "s01"], MONDAY, 1)

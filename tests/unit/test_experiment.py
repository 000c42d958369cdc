"""A/B of arms: sticky draws, fair differences, and few false alarms although people look every week."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pawcast.errors import InvalidRequest
from pawcast.forecasting.experiment import (
    ERROR,
    MATTERS,
    assign,
    compare_shadow,
    compare_split,
    mixture_half_width,
    t_mixture_half_width,
    verdict_of,
)

STORES = [f"store-{number}" for number in range(2000)]
HALVES = {"champion": 0.5, "candidate": 0.5}
HALF_A_YEAR = 26


# ------------------------------------------------------------ draw


def test_arms_get_their_shares_of_the_stores() -> None:
    shares = {"champion": 0.7, "candidate": 0.2, "other": 0.1}

    arms = assign(STORES, experiment="summer", shares=shares)

    for arm, share in shares.items():
        spread = 4 * math.sqrt(share * (1 - share) / len(STORES))
        assert arms.count(arm) / len(STORES) == pytest.approx(share, abs=spread)


@given(st.lists(st.sampled_from(STORES), min_size=1, max_size=20))
def test_a_store_keeps_its_arm_whatever_other_stores_there_are(stores: list[str]) -> None:
    everyone = dict(zip(STORES, assign(STORES, experiment="summer", shares=HALVES), strict=True))

    assert assign(stores, experiment="summer", shares=HALVES) == [everyone[store] for store in stores]


def test_another_experiment_draws_anew() -> None:
    one, other = (assign(STORES, experiment=name, shares=HALVES) for name in ("summer", "winter"))

    same = sum(a == b for a, b in zip(one, other, strict=True)) / len(STORES)
    assert same == pytest.approx(0.5, abs=0.05)


def test_a_larger_share_takes_stores_and_gives_none_back() -> None:
    before, after = (
        assign(STORES, experiment="summer", shares={"champion": 1 - share, "candidate": share}) for share in (0.1, 0.3)
    )

    assert all(late == "candidate" for early, late in zip(before, after, strict=True) if early == "candidate")


def test_the_draw_is_the_same_next_year() -> None:
    arms = assign(["s1", "s2", "s3", "s4", "s5", "s6"], experiment="summer", shares=HALVES)

    assert arms == ["champion", "champion", "champion", "champion", "candidate", "champion"]


@pytest.mark.parametrize("shares", [{}, {"a": 0.5}, {"a": 0.8, "b": 0.3}, {"a": 1.5, "b": -0.5}])
def test_shares_that_are_not_all_stores_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match="must add up to 1"):
        assign(STORES, experiment="summer", shares=shares)


# ------------------------------------------------------------ comparisons


def errors(
    stores: int = 200,
    weeks: int = 10,
    effect: float = 0.0,
    seed: int = 0,
    shadow: bool = False,
    week_shock: float = 0.0,
) -> pd.DataFrame:
    """Weekly errors: stores and weeks differ, naive shares the difference, arm B is off by `effect` of the visitors."""
    rng = np.random.default_rng(seed)
    visitors = np.exp(rng.normal(7, 0.4, stores))[:, None] * np.ones((1, weeks))
    difficulty = 0.10 + 0.02 * rng.normal(size=stores)[:, None] + 0.01 * rng.normal(size=weeks)[None, :]
    shocks = week_shock * rng.normal(size=weeks)[None, :]
    names = [f"s{number:04d}" for number in range(stores)]
    drawn = np.array(assign(names, experiment=str(seed), shares=HALVES))
    frames = []
    for arm in HALVES:
        ratio = difficulty + 0.015 * rng.normal(size=(stores, weeks)) + (effect + shocks if arm == "candidate" else 0)
        chosen = np.ones(stores, dtype=bool) if shadow else drawn == arm
        frames.append(
            pd.DataFrame(
                {
                    "store_id": np.repeat(np.array(names)[chosen], weeks),
                    "week": np.tile([f"2026-W{week + 10}" for week in range(weeks)], chosen.sum()),
                    "arm": arm,
                    "absolute_error": (ratio * visitors)[chosen].ravel(),
                    "visitors": visitors[chosen].ravel(),
                    "naive_absolute_error": (1.6 * difficulty * visitors)[chosen].ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_a_split_finds_the_difference_that_is_there() -> None:
    comparison = compare_split(errors(effect=-0.01), "champion", "candidate")

    assert comparison.verdict == "b_is_better"
    assert comparison.low is not None
    assert comparison.high is not None
    assert comparison.low < -0.01 < comparison.high < 0
    assert comparison.en == "Stop, candidate is better."
    assert comparison.ko == "멈추세요. candidate 쪽이 더 정확합니다."


def test_swapping_the_arms_mirrors_the_answer() -> None:
    rows = errors(effect=-0.01)

    one, other = compare_split(rows, "champion", "candidate"), compare_split(rows, "candidate", "champion")

    assert other.difference == pytest.approx(-(one.difference or 0))
    assert (one.verdict, other.verdict) == ("b_is_better", "a_is_better")
    assert (one.wape_a, one.stores_a) == (other.wape_b, other.stores_b)


def test_a_store_s_own_past_and_naive_error_make_the_interval_narrower() -> None:
    rows = errors(effect=-0.01)
    own = rows["naive_absolute_error"] / rows["visitors"] / 1.6
    before = own.groupby(rows["store_id"]).mean()

    def width(given_rows: pd.DataFrame, past: "pd.Series[float] | None" = None) -> float:
        comparison = compare_split(given_rows, "champion", "candidate", before=past)
        assert comparison.low is not None
        assert comparison.high is not None
        return comparison.high - comparison.low

    blind = rows.assign(naive_absolute_error=0.0)

    assert width(rows) < 0.8 * width(blind)
    assert width(blind, before) < 0.8 * width(blind)


def test_a_store_without_a_past_counts_as_average() -> None:
    rows = errors(effect=-0.01)
    nothing_known = pd.Series(np.nan, index=rows["store_id"].unique())

    comparison = compare_split(rows, "champion", "candidate", before=nothing_known)

    assert comparison == compare_split(rows, "champion", "candidate")


def test_shadow_is_surer_than_a_split_after_the_same_weeks() -> None:
    split = compare_split(errors(effect=-0.005), "champion", "candidate")

    shadow = compare_shadow(errors(effect=-0.005, shadow=True), "champion", "candidate")

    assert shadow.verdict == "b_is_better"
    assert (shadow.weeks, shadow.stores_a, shadow.stores_b) == (10, 200, 200)
    assert (shadow.high or 1) - (shadow.low or 0) < (split.high or 1) - (split.low or 0)


def test_shadow_compares_only_what_both_arms_forecast() -> None:
    rows = errors(shadow=True)
    only_one = (rows["arm"] == "candidate") & ((rows["store_id"] < "s0050") | (rows["week"] == "2026-W10"))
    spoilt = rows.assign(absolute_error=rows["absolute_error"].where(~only_one, 1e9))
    missing = rows["arm"].eq("champion") & (rows["store_id"].lt("s0050") | rows["week"].eq("2026-W10"))

    comparison = compare_shadow(spoilt[~missing], "champion", "candidate")

    clean = compare_shadow(rows[~missing & ~only_one], "champion", "candidate")
    assert comparison.model_dump() == pytest.approx(clean.model_dump())
    assert (comparison.weeks, comparison.stores_a) == (9, 150)


def test_two_arms_that_forecast_the_same_do_not_differ() -> None:
    rows = errors(shadow=True)
    champion = rows[rows["arm"] == "champion"]

    comparison = compare_shadow(
        pd.concat([champion, champion.assign(arm="candidate")], ignore_index=True), "champion", "candidate"
    )

    assert comparison.verdict == "no_difference"
    assert comparison.en == "Stop, no difference that matters (under 0.2% of visitors)."


@pytest.mark.parametrize(
    "rows", [errors(weeks=3), errors(stores=12), errors().iloc[:0]], ids=["weeks", "stores", "none"]
)
def test_with_few_weeks_or_stores_the_rule_is_to_keep_going(rows: pd.DataFrame) -> None:
    comparison = compare_split(rows.assign(absolute_error=rows["absolute_error"] * 2), "champion", "candidate")

    assert comparison.verdict == "keep_going"
    assert comparison.low is comparison.high is None


def test_a_shadow_without_a_common_week_keeps_going() -> None:
    rows = errors(shadow=True)

    comparison = compare_shadow(rows[rows["arm"] == "champion"], "champion", "candidate")

    assert (comparison.verdict, comparison.weeks, comparison.wape_a) == ("keep_going", 0, None)


def test_a_store_that_changed_its_arm_is_named() -> None:
    with pytest.raises(InvalidRequest, match="store s0000 has had both arms"):
        compare_split(errors(shadow=True), "champion", "candidate")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (None, None, "keep_going"),
        (-0.01, 0.01, "keep_going"),
        (-0.01, -0.005, "b_is_better"),
        (0.005, 0.01, "a_is_better"),
        (-0.001, 0.001, "no_difference"),
        (0.0005, 0.001, "no_difference"),
        (-0.003, -0.0001, "b_is_better"),
    ],
)
def test_the_stop_rule(low: float | None, high: float | None, verdict: str) -> None:
    assert verdict_of(low, high) == verdict


# ------------------------------------------------------------ looking every week


def test_the_t_mixture_is_where_its_martingale_reaches_one_over_the_error() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 12)
    half = t_mixture_half_width(values)

    def log_martingale(mean: float) -> float:
        n, x = len(values), values - mean
        return float(-0.5 * math.log1p(n) - n / 2 * math.log(1 - x.sum() ** 2 / ((n + 1) * (x @ x))))

    assert log_martingale(values.mean() - half) == pytest.approx(math.log(1 / ERROR))
    assert log_martingale(values.mean() + half) == pytest.approx(math.log(1 / ERROR))


def test_an_interval_for_many_looks_is_wider_than_one_for_a_single_look() -> None:
    variance = MATTERS**2
    values = np.random.default_rng(0).normal(size=HALF_A_YEAR)

    assert mixture_half_width(variance) > NormalDist().inv_cdf(1 - ERROR / 2) * math.sqrt(variance)
    assert t_mixture_half_width(values) > 2.06 * values.std(ddof=1) / math.sqrt(len(values))


def test_certainty_has_no_width() -> None:
    assert mixture_half_width(0.0) == 0.0
    assert t_mixture_half_width(np.zeros(8)) == 0.0


def alarms(values: NDArray[Any]) -> float:
    """Share of experiments [experiment, week] that some weekly look would have stopped for a difference."""
    stopped = 0
    for weeks in values:
        looks = (weeks[:n] for n in range(2, len(weeks) + 1))
        stopped += any(abs(look.mean()) > t_mixture_half_width(look) for look in looks)
    return stopped / len(values)


def test_weekly_looks_for_half_a_year_stop_few_experiments_without_a_difference() -> None:
    rng = np.random.default_rng(7)
    independent = rng.normal(size=(1000, HALF_A_YEAR))
    heavy_tails = rng.standard_t(3, size=(1000, HALF_A_YEAR))

    assert alarms(independent) < ERROR
    assert alarms(heavy_tails) < ERROR


def test_a_plain_interval_would_stop_many_of_them() -> None:
    values = np.random.default_rng(7).normal(size=(1000, HALF_A_YEAR))
    count = np.arange(1, HALF_A_YEAR + 1)

    looked = np.abs(np.cumsum(values, axis=1) / np.sqrt(count)) > NormalDist().inv_cdf(1 - ERROR / 2)

    assert looked.any(axis=1).mean() > 4 * ERROR


@pytest.mark.parametrize("week_shock", [0.0, 0.02])
def test_weekly_looks_at_a_split_stop_few_experiments_without_a_difference(week_shock: float) -> None:
    experiments = 25
    stopped = 0
    for seed in range(experiments):
        rows = errors(stores=60, weeks=12, seed=seed, week_shock=week_shock)
        weeks = sorted(rows["week"].unique())
        looks = (compare_split(rows[rows["week"] <= week], "champion", "candidate") for week in weeks[5::2])
        stopped += any(look.verdict in {"a_is_better", "b_is_better"} for look in looks)

    assert stopped / experiments < ERROR

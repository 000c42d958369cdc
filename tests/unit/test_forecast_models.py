"""Models as the registry has them, and the release that says which store has which."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pawcast.errors import InvalidPolicy, ModelRejected
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.forecast import fallback_week, fit_chain, forecast_week
from pawcast.forecasting.models import BUILT_IN_RELEASE, ForecastRelease, built_in_document, load_model, parse_release
from pawcast.forecasting.panel import Panel, panel_from_frame
from tests.support.visits import FIRST_MONDAY, drawn_visits

WEEKS = 20
MONDAY = np.datetime64(FIRST_MONDAY.date(), "D") + np.timedelta64(7 * (WEEKS - 1), "D")


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_from_frame(drawn_visits(stores=3, weeks=WEEKS, unknown_weeks=2))


def an_arm(name: str = "champion", version: str = "1", share: float = 1.0) -> dict[str, Any]:
    return {"name": name, "model": {"name": "visits-forecast", "version": version}, "share": share}


def a_release(*arms: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {"version": 3, "arms": list(arms) or [an_arm()]} | changes


# ------------------------------------------------------------ models


def test_the_built_in_model_is_the_walk_with_the_codes_own_parameters(panel: Panel) -> None:
    model = load_model(built_in_document())

    assert "walk" == model.document.kind
    expected = forecast_week(panel, MONDAY, ForecastConfig()).mean
    assert np.array_equal(expected, model.forecast(panel, MONDAY).mean)


def test_hyper_parameters_of_the_document_are_those_that_forecast(panel: Panel) -> None:
    calm = load_model({"kind": "walk", "config": {"ridge": 1e6}}).forecast(panel, MONDAY).mean

    assert not np.array_equal(load_model(built_in_document()).forecast(panel, MONDAY).mean, calm)


def test_seasonal_naive_and_moving_averages_are_models_too(panel: Panel) -> None:
    naive = load_model({"kind": "seasonal_naive"}).forecast(panel, MONDAY)
    average = load_model({"kind": "moving_average", "weeks": 4}).forecast(panel, MONDAY)

    assert np.array_equal(fallback_week(panel, MONDAY).mean, naive.mean)
    assert np.array_equal(fallback_week(panel, MONDAY, mean_of=4).mean, average.mean)


def test_a_fixed_walk_takes_the_chains_effects_as_they_were_registered(panel: Panel) -> None:
    chain = fit_chain(panel, MONDAY - np.timedelta64(14, "D"), ForecastConfig())
    document = {"kind": "walk", "chain": chain.document()}

    fixed = load_model(document, retrain="fixed").forecast(panel, MONDAY).mean
    weekly = load_model(document, retrain="weekly").forecast(panel, MONDAY).mean

    assert np.array_equal(forecast_week(panel, MONDAY, ForecastConfig(), chain=chain).mean, fixed)
    assert not np.array_equal(weekly, fixed)


def test_a_fixed_walk_without_a_chain_is_refused_with_what_to_do() -> None:
    with pytest.raises(ModelRejected, match="publish one that was fitted"):
        load_model(built_in_document(), retrain="fixed")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({}, "kind"),
        ({"kind": "oracle"}, "oracle"),
        ({"kind": "moving_average"}, "weeks"),
        ({"kind": "moving_average", "weeks": 9}, r"weeks.*got '9'"),
        ({"kind": "seasonal_naive", "weeks": 1}, "weeks"),
        ({"kind": "walk", "chian": {}}, "chian"),
        ({"kind": "walk", "config": {"rigde": 1.0}}, "rigde"),
    ],
)
def test_a_document_that_is_no_model_is_refused_by_the_field(document: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelRejected, match=named):
        load_model(document)


# ------------------------------------------------------------ releases


def test_nothing_released_means_one_arm_for_all_stores() -> None:
    assert ["champion"] * 2 == BUILT_IN_RELEASE.arm_of(["S1", "S2"])
    assert "visits-forecast/built-in" == str(BUILT_IN_RELEASE.champion.model)
    assert ("weekly", "") == (BUILT_IN_RELEASE.retrain, BUILT_IN_RELEASE.experiment)


def test_stores_keep_their_arm_within_an_experiment_and_are_drawn_anew_in_the_next() -> None:
    arms = (an_arm(share=0.75), an_arm("candidate", "2", 0.25))
    stores = [f"S{number:04d}" for number in range(400)]
    release = parse_release(a_release(*arms, experiment="lift-2026"))
    other = parse_release(a_release(*arms, experiment="lift-2027"))

    drawn = release.arm_of(stores)

    assert drawn[7:9] == release.arm_of(stores[7:9])
    assert drawn != other.arm_of(stores)
    assert 70 <= Counter(drawn)["candidate"] <= 130


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({}, "version"),
        (a_release(version=0), "version"),
        (a_release(retrain="daily"), "retrain"),
        (a_release(arms=[]), "arms"),
        (a_release(an_arm("Champion")), r"arms\.0\.name"),
        (a_release(an_arm(share=0.0)), r"arms\.0\.share"),
        (a_release(an_arm(share=0.6), an_arm("candidate", share=0.6)), "add up to 1.2"),
        (a_release(an_arm(share=0.5), an_arm(share=0.5)), "same name"),
        (a_release(an_arm(version="../3")), r"arms\.0\.model\.version"),
        (a_release(experiment="x" * 61), "experiment"),
        (a_release(arm=an_arm()), "arm: "),
    ],
)
def test_a_release_that_can_not_be_is_refused_by_the_field(document: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidPolicy, match=named):
        parse_release(document)


def test_shares_in_thirds_add_up() -> None:
    thirds = [an_arm(name, share=1 / 3) for name in ("one", "two", "three")]

    assert 3 == len(ForecastRelease.model_validate(a_release(*thirds)).arms)

"""Price files say where each price comes from, and a bill never uses a price that nobody quoted."""

import json
from importlib.resources import files

import pytest

from pawcast.errors import PriceUnknown
from pawcast.mlops.prices import REGIONS, load_prices, price_file


@pytest.mark.parametrize("region", REGIONS)
def test_every_file_has_the_same_items_with_the_same_units(region: str) -> None:
    ours, model = price_file(region).prices, price_file("us-east-1").prices

    assert {key: (line.per, line.unit) for key, line in ours.items()} == {
        key: (line.per, line.unit) for key, line in model.items()
    }


@pytest.mark.parametrize("region", REGIONS)
def test_a_known_price_has_a_date_and_an_unknown_one_has_none(region: str) -> None:
    lines = price_file(region).prices.values()

    assert [line.usd != "?" for line in lines] == [line.as_of is not None for line in lines]


@pytest.mark.parametrize("region", REGIONS)
def test_every_item_is_found_in_some_region(region: str) -> None:
    assert set(load_prices(region).prices) == set(price_file(region).prices)


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_s_own_price_goes_before_a_fallback(region: str) -> None:
    own = {key for key, line in price_file(region).prices.items() if line.usd != "?"}

    assert {price.key for price in load_prices(region).prices.values() if price.region == region} == own


def test_an_unknown_price_is_borrowed_and_the_lender_is_named() -> None:
    seoul = load_prices("ap-northeast-2")

    assert price_file("ap-northeast-2").prices["http_api_requests"].usd == "?"
    assert (seoul["http_api_requests"].usd, seoul["http_api_requests"].region) == (1.29, "ap-northeast-1")
    assert seoul["http_api_requests"] in seoul.borrowed
    assert seoul["s3_storage"] not in seoul.borrowed


def test_the_first_fallback_that_knows_a_price_lends_it() -> None:
    seoul = load_prices("ap-northeast-2")

    assert price_file("ap-northeast-1").prices["ses_mails"].usd == "?"
    assert seoul["ses_mails"].region == "us-east-1"


def test_a_price_that_no_region_knows_is_refused() -> None:
    with pytest.raises(PriceUnknown, match="'rekognition' in ap-northeast-1"):
        load_prices("ap-northeast-1")["rekognition"]


def test_a_region_without_a_file_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(PriceUnknown, match="choose one of ap-northeast-2"):
        load_prices("mars-north-1")


def test_a_price_is_charged_by_its_unit() -> None:
    tokyo = load_prices("ap-northeast-1")

    assert tokyo["sqs_requests"].cost_usd(2_500_000) == pytest.approx(1.00)
    assert tokyo["s3_puts"].cost_usd(2_000) == pytest.approx(0.0094)


@pytest.mark.parametrize("region", REGIONS)
def test_the_sources_name_no_host_to_fetch_from(region: str) -> None:
    text = (files("pawcast.mlops") / "prices" / f"{region}.json").read_text("utf-8")

    assert "://" not in text
    assert json.loads(text)["region"] == region

"""One person can do so much in an hour, whatever others do."""

from datetime import timedelta

import pytest

from pawcast.errors import TooManyRequests
from pawcast.screening.rates import HOURLY, Rates
from tests.support.screening import NOW, FakeRates


def test_the_limit_is_for_each_person_and_each_kind_of_deed() -> None:
    rates = Rates(FakeRates(), posts_an_hour=1)
    for _ in range(HOURLY["appeal"]):
        rates.check("mina", "appeal", NOW)

    rates.check("mina", "post", NOW)
    rates.check("jun", "appeal", NOW)
    with pytest.raises(TooManyRequests, match="more than 20 of appeal"):
        rates.check("mina", "appeal", NOW)


def test_the_next_hour_begins_anew_and_the_refusal_says_when() -> None:
    rates = Rates(FakeRates(), posts_an_hour=1)
    rates.check("mina", "post", NOW)

    with pytest.raises(TooManyRequests) as refused:
        rates.check("mina", "post", NOW + timedelta(minutes=59, seconds=30))
    rates.check("mina", "post", NOW + timedelta(hours=1))

    assert timedelta(seconds=30) == refused.value.retry_after

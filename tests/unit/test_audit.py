"""The audit sample: every photo with the same probability, and the same photos whenever it is asked again."""

from hypothesis import given
from hypothesis import strategies as st

from pawcast.screening.audit import is_drawn

INFERENCES = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(INFERENCES, st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_draws_every_photo_that_a_smaller_one_draws(inference: str, one: float, other: float) -> None:
    small, large = sorted((one, other))

    assert is_drawn(inference, large) or not is_drawn(inference, small)


@given(INFERENCES)
def test_none_are_drawn_at_share_0_and_all_at_share_1(inference: str) -> None:
    assert (False, True) == (is_drawn(inference, 0.0), is_drawn(inference, 1.0))


def test_about_the_share_that_is_asked_for_is_drawn() -> None:
    drawn = sum(is_drawn(f"{number:032x}", 0.05) for number in range(20_000))

    # Four standard deviations of a binomial around 1,000.
    assert 877 < drawn < 1123

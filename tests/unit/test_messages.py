"""Every code that can reach a user has its sentences."""

import pytest

from pawcast import errors
from pawcast.languages import Text
from pawcast.request_errors import REQUEST_ERRORS
from pawcast.screening.messages import NOTICES, REASONS
from pawcast.screening.post import EVENTS


def family(kind: type[errors.PawcastError]) -> list[type[errors.PawcastError]]:
    return [kind, *(cousin for child in kind.__subclasses__() for cousin in family(child))]


@pytest.mark.parametrize("kind", family(errors.UnreadablePhoto)[1:])
def test_every_way_in_which_a_photo_is_unreadable_has_its_sentences(kind: type[errors.PawcastError]) -> None:
    assert {"ko", "en"} == set(REASONS[kind.code])


@pytest.mark.parametrize("event", sorted(EVENTS.values()))
def test_every_event_has_its_notice(event: str) -> None:
    assert {"ko", "en"} == set(NOTICES[event])


@pytest.mark.parametrize("text", [*REASONS.values(), *REQUEST_ERRORS.values()])
def test_korean_is_korean_and_english_is_english(text: Text) -> None:
    assert any("가" <= char <= "힣" for char in text["ko"])
    assert text["en"].isascii()


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in family(errors.PawcastError) if "code" in vars(kind)]

    assert sorted(set(codes)) == sorted(codes)

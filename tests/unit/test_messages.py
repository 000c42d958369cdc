"""Every code that can reach a user has its sentences."""

from typing import get_args

import pytest

from pawcast import errors
from pawcast.languages import Text
from pawcast.request_errors import REQUEST_ERRORS
from pawcast.screening.messages import BODIES, LOOK_AT_POST, NOTICES, OPEN_MY_POSTS, REASONS, REMEDIES
from pawcast.screening.notices import TOLD_WITH_REASON
from pawcast.screening.post import EventName
from pawcast.screening.remedies import APPEALABLE, COVERABLE


def family(kind: type[errors.PawcastError]) -> list[type[errors.PawcastError]]:
    return [kind, *(cousin for child in kind.__subclasses__() for cousin in family(child))]


@pytest.mark.parametrize("kind", family(errors.UnreadablePhoto)[1:])
def test_every_way_in_which_a_photo_is_unreadable_has_its_sentences(kind: type[errors.PawcastError]) -> None:
    assert {"ko", "en"} == set(REASONS[kind.code])


@pytest.mark.parametrize("event", get_args(EventName))
def test_every_event_has_a_title_and_something_to_say(event: str) -> None:
    assert {"ko", "en"} == set(NOTICES[event])
    assert event in BODIES or event in TOLD_WITH_REASON


@pytest.mark.parametrize("reason", sorted(APPEALABLE | COVERABLE))
def test_every_reason_with_a_remedy_has_its_sentence(reason: str) -> None:
    assert {"ko", "en"} == set(REASONS[reason])


EVERY_TEXT = [
    *REASONS.values(),
    *NOTICES.values(),
    *BODIES.values(),
    *REMEDIES.values(),
    *REQUEST_ERRORS.values(),
    LOOK_AT_POST,
    OPEN_MY_POSTS,
]


@pytest.mark.parametrize("text", EVERY_TEXT)
def test_korean_is_korean_and_english_is_english(text: Text) -> None:
    assert any("가" <= char <= "힣" for char in text["ko"])
    assert text["en"].replace("“", "").replace("”", "").isascii()


@pytest.mark.parametrize("text", [*REASONS.values(), *BODIES.values(), *REMEDIES.values()])
def test_every_sentence_is_polite_and_ends(text: Text) -> None:
    assert text["ko"].endswith(("니다.", "세요.", "게요."))
    assert text["en"].endswith(".")


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in family(errors.PawcastError) if "code" in vars(kind)]

    assert sorted(set(codes)) == sorted(codes)

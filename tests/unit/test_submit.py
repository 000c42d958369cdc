"""What a request to post a photo may hold."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import InvalidRequest
from pawcast.request_errors import REQUEST_ERRORS
from pawcast.screening.post import Post, PostState
from pawcast.screening.submit import UPLOAD_MAX_BYTES, language, new_post, normal_tag
from tests.support.screening import NOW, OWNER, post_id

GOOD: dict[str, Any] = {
    "title": "고양이",
    "description": "창가에서",
    "tags": ["Cat", "#고양이"],
    "content_type": "image/jpeg",
    "size_bytes": 1000,
}


def submitted(**changes: Any) -> Post:
    return new_post(GOOD | changes, user_id=OWNER, post_id=post_id(1), now=NOW)


def test_a_good_request_becomes_a_post_that_waits_for_its_photo() -> None:
    post = submitted()

    assert (PostState.AWAITING_UPLOAD, "고양이", ("cat", "고양이")) == (post.state, post.title, post.tags)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": None}, "title_missing"),
        ({"title": "   "}, "title_missing"),
        ({"title": 7}, "title_invalid"),
        ({"title": "x" * 101}, "title_too_long"),
        ({"title": "x" * 10_000}, "title_too_long"),
        ({"title": "line\nbreak"}, "title_invalid"),
        ({"title": "null\x00"}, "title_invalid"),
        ({"title": "\u202egnp.exe"}, "title_invalid"),
        ({"title": "\ud800"}, "title_invalid"),
        ({"description": "x" * 2001}, "description_too_long"),
        ({"description": "bell\x07"}, "description_invalid"),
        ({"tags": "cat"}, "tag_invalid"),
        ({"tags": [1]}, "tag_invalid"),
        ({"tags": ["a b"]}, "tag_invalid"),
        ({"tags": ["a\x00"]}, "tag_invalid"),
        ({"tags": ["x" * 31]}, "tag_invalid"),
        ({"tags": [""]}, "tag_invalid"),
        ({"tags": [str(n) for n in range(11)]}, "too_many_tags"),
        ({"content_type": "image/gif"}, "content_type_invalid"),
        ({"content_type": None}, "content_type_invalid"),
        ({"content_type": ["image/png"]}, "content_type_invalid"),
        ({"size_bytes": 0}, "size_invalid"),
        ({"size_bytes": UPLOAD_MAX_BYTES + 1}, "size_invalid"),
        ({"size_bytes": "1000"}, "size_invalid"),
        ({"size_bytes": True}, "size_invalid"),
        ({"size_bytes": 1.5}, "size_invalid"),
    ],
)
def test_a_field_outside_its_limit_is_refused_by_name(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        submitted(**changes)

    assert (code, next(iter(changes))) == (caught.value.request_code, caught.value.field)
    assert {"ko", "en"} == set(REQUEST_ERRORS[code])


def test_a_description_may_have_lines() -> None:
    assert "one\ntwo" == submitted(description="one\ntwo").description


def test_korean_typed_in_pieces_equals_korean_typed_whole() -> None:
    pieces = unicodedata.normalize("NFD", "고양이")

    assert ("고양이", ("고양이",)) == (submitted(title=pieces).title, submitted(tags=[pieces]).tags)


def test_tags_that_differ_in_case_or_sign_only_are_one() -> None:
    assert ("cat",) == submitted(tags=["Cat", "#CAT", " cat "]).tags


@given(st.text())
def test_a_tag_that_is_taken_stays_the_same_when_taken_again(text: str) -> None:
    try:
        tag = normal_tag(text)
    except InvalidRequest:
        return

    assert tag == normal_tag(tag)


def test_a_request_may_name_a_language_or_none() -> None:
    assert (None, "ko", "en") == (language({}), language({"locale": "ko"}), language({"language": "en"}, "language"))


@pytest.mark.parametrize("locale", ["fr", "", 1, ["ko"]])
def test_an_unknown_language_is_refused(locale: Any) -> None:
    with pytest.raises(InvalidRequest, match="locale must be one of"):
        language({"locale": locale})

"""Which remedies a post offers, and what each does to it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import Conflict, InvalidRequest
from pawcast.screening.post import (
    ALLOWED_MOVES,
    Appeal,
    Mosaic,
    PhotoFacts,
    Post,
    PostState,
)
from pawcast.screening.remedies import (
    APPEALABLE,
    CLAIMS_HIDE,
    COVERABLE,
    appeal_text,
    appealed,
    claim_of,
    claimed,
    closed,
    mosaic_accepted,
    mosaic_declined,
    mosaic_wanted,
    remedies_of,
    withdrawn,
)
from pawcast.screening.review import review_of
from tests.support.screening import NOW, a_post, an_upload, post_id

FACTS = PhotoFacts(width=4, height=3, format="jpeg", pdq="0" * 64, pdq_quality=80)
COPY = an_upload(version="copy", key=f"mosaics/{post_id(1)}/5")
MADE = Mosaic(upload=COPY, preview_key=f"mosaics/{post_id(1)}/5.jpg", faces=2, made_at=NOW)


def rejected(reason: str = "human_face", **changes: Any) -> Post:
    fields: dict[str, Any] = {
        "state": PostState.REJECTED,
        "revision": 3,
        "reason": reason,
        "upload": an_upload(),
        "photo": FACTS,
        "rendition_key": f"photos/{post_id(1)}/2.jpg",
    }
    return a_post(**(fields | changes))


def published(**changes: Any) -> Post:
    return rejected(**({"state": PostState.PUBLISHED, "reason": None, "published_at": NOW} | changes))


@pytest.mark.parametrize("reason", sorted(APPEALABLE))
def test_what_a_person_rejected_can_be_appealed_once(reason: str) -> None:
    change = appealed(rejected(reason), "Look again", not_for="operator", now=NOW)

    after, review = change.post, change.review
    assert review is not None
    assert (PostState.APPEALED, Appeal(text="Look again", at=NOW)) == (after.state, after.appeal)
    assert ("appeal", "operator", NOW + timedelta(hours=1)) == (review.reason, review.not_for, review.due_at)
    assert after.review_id == review.review_id
    again = after.model_copy(update={"state": PostState.REJECTED})
    assert "appeal" not in remedies_of(again)
    with pytest.raises(Conflict):
        appealed(again, "And again", not_for=None, now=NOW)


@pytest.mark.parametrize("reason", ["empty_file", "photo_missing", "truncated_image"])
def test_what_is_no_photo_can_only_be_uploaded_again(reason: str) -> None:
    post = rejected(reason)

    assert ("upload_again",) == remedies_of(post)
    with pytest.raises(Conflict):
        appealed(post, "Look again", not_for=None, now=NOW)
    with pytest.raises(Conflict):
        mosaic_wanted(post, NOW)


@pytest.mark.parametrize("reason", sorted(APPEALABLE))
def test_a_mosaic_is_offered_where_a_face_was_the_reason(reason: str) -> None:
    assert (reason in COVERABLE) == ("mosaic" in remedies_of(rejected(reason)))


def test_a_mosaic_that_was_rejected_too_is_not_covered_again() -> None:
    assert "mosaic" not in remedies_of(rejected(upload=COPY, mosaic=MADE))


def test_an_accepted_mosaic_is_screened_without_anything_that_was_known_of_the_photo() -> None:
    asked = mosaic_wanted(rejected(appeal=Appeal(text="Please", at=NOW)), NOW)
    made = asked.model_copy(update={"mosaic": MADE, "revision": asked.revision + 1})

    after = mosaic_accepted(made, NOW + timedelta(days=1))

    assert (PostState.SCREENING, COPY, True) == (after.state, after.upload, after.is_mosaic)
    assert (None, None, None, None, None) == (
        after.reason,
        after.photo,
        after.rendition_key,
        after.appeal,
        after.decision,
    )
    assert NOW + timedelta(days=1) == after.since


def test_a_declined_mosaic_leaves_the_rejection_as_it_was() -> None:
    made = mosaic_wanted(rejected(), NOW).model_copy(update={"mosaic": MADE})

    after = mosaic_declined(made)

    assert (PostState.REJECTED, "human_face", None) == (after.state, after.reason, after.mosaic)
    assert remedies_of(rejected()) == remedies_of(after)


@pytest.mark.parametrize("change", [mosaic_declined, lambda post: mosaic_accepted(post, NOW)])
@pytest.mark.parametrize("post", [rejected(), mosaic_wanted(rejected(), NOW)], ids=["rejected", "still being made"])
def test_there_must_be_a_mosaic_to_accept_or_decline(change: Any, post: Post) -> None:
    with pytest.raises(Conflict):
        change(post)


def test_reports_open_one_review_and_hide_the_post_at_the_limit() -> None:
    post, reviews, states = published(), [], []
    for _ in range(CLAIMS_HIDE):
        change = claimed(post, "gruesome", "poor cat", NOW)
        post = change.post.model_copy(update={"outbox": None})
        reviews.append(change.review)
        states.append(change.post.state)

    first, *later = reviews
    assert first is not None
    assert ("claim", "gruesome: poor cat", [None] * (CLAIMS_HIDE - 1)) == (first.reason, first.text, later)
    assert [PostState.PUBLISHED] * (CLAIMS_HIDE - 1) + [PostState.IN_REVIEW] == states
    assert (first.review_id, "claimed") == (post.review_id, post.reason)


def test_a_hidden_post_is_taken_out_of_the_feed_and_its_owner_told() -> None:
    post = published(claims=CLAIMS_HIDE - 1)

    change = claimed(post, "other", "", NOW)

    assert change.post.outbox is not None
    assert (post, "PostHeld", "claimed") == (
        change.before,
        change.post.outbox.event.event,
        change.post.outbox.event.reason,
    )


def test_only_what_is_published_can_be_reported() -> None:
    with pytest.raises(Conflict):
        claimed(rejected(), "other", "", NOW)


@pytest.mark.parametrize(
    "state", [state for state in PostState if PostState.WITHDRAWN in ALLOWED_MOVES[state]], ids=str
)
def test_a_withdrawn_post_keeps_nothing_of_what_was_said_or_shown(state: PostState) -> None:
    post = published(
        state=state,
        title="My cat",
        description="secret",
        tags=("cat",),
        appeal=Appeal(text="please", at=NOW),
        mosaic=MADE,
        claims=2,
    )

    change = withdrawn(post, NOW)

    left = change.post.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    assert {
        "post_id",
        "user_id",
        "title",
        "content_type",
        "state",
        "revision",
        "created_at",
        "upload_expires_at",
        "published_at",
        "since",
    } == set(left)
    assert ("", "erasing") == (change.post.title, change.post.unfinished)
    assert (post if state is PostState.PUBLISHED else None) == change.before


@pytest.mark.parametrize("state", [PostState.WITHDRAWN, PostState.EXPIRED])
def test_what_is_gone_is_not_withdrawn_again(state: PostState) -> None:
    with pytest.raises(Conflict):
        withdrawn(published(state=state), NOW)


def test_a_review_of_a_withdrawn_post_is_closed_without_the_words_in_it() -> None:
    waiting = review_of(rejected(), "appeal", due_at=NOW, now=NOW, text="my name is Mina")
    done = waiting.model_copy(update={"status": "done"})

    assert ("closed", "") == (closed(waiting).status, closed(waiting).text)
    assert ("done", "") == (closed(done).status, closed(done).text)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, "text_missing"),
        ({"text": "  "}, "text_missing"),
        ({"text": "x" * 1001}, "text_too_long"),
        ({"text": 1}, "text_invalid"),
        ({"text": "a\u0000"}, "text_invalid"),
    ],
)
def test_an_appeal_needs_words(request_: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        appeal_text(request_)

    assert (code, "text") == (refused.value.request_code, refused.value.field)


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text())))
def test_a_report_needs_one_of_our_reasons(reason: Any) -> None:
    with pytest.raises(InvalidRequest, match="reason must be one of"):
        claim_of({"reason": reason})


def test_a_report_needs_no_words() -> None:
    assert (("gruesome", ""), ("other", "too many cats")) == (
        claim_of({"reason": "gruesome"}),
        claim_of({"reason": "other", "text": " too many cats "}),
    )

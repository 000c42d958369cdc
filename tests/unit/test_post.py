"""A post's life: which moves there are, and that repeating one changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import Conflict
from pawcast.screening.ports import Change
from pawcast.screening.post import ALLOWED_MOVES, Post, PostState, move, waits_for
from pawcast.screening.review import review_of
from tests.support.screening import NOW, FakePosts, a_post, an_upload

STATES = st.sampled_from(PostState)


def test_every_state_stands_in_the_table_of_moves() -> None:
    assert set(PostState) == set(ALLOWED_MOVES)


def test_a_withdrawn_post_never_moves_again() -> None:
    assert frozenset() == ALLOWED_MOVES[PostState.WITHDRAWN]


def test_a_photo_is_never_shown_without_having_been_screened_or_judged() -> None:
    origins = {state for state, targets in ALLOWED_MOVES.items() if PostState.PUBLISHED in targets}

    assert {PostState.SCREENING, PostState.IN_REVIEW, PostState.APPEALED} == origins


@given(STATES, STATES)
def test_a_move_happens_exactly_when_the_table_has_it(start: PostState, end: PostState) -> None:
    post = a_post(state=start, revision=3)

    if end in ALLOWED_MOVES[start]:
        assert (end, 4) == (move(post, end).state, move(post, end).revision)
    else:
        with pytest.raises(Conflict, match=f"is {start}"):
            move(post, end)


@given(st.lists(STATES, max_size=12))
def test_whatever_is_tried_a_revision_counts_the_moves_that_happened(targets: list[PostState]) -> None:
    post = a_post()
    happened = 0
    for target in targets:
        try:
            post = move(post, target)
        except Conflict:
            continue
        happened += 1

    assert happened == post.revision


@given(st.permutations([PostState.PUBLISHED, PostState.IN_REVIEW, PostState.REJECTED]), st.integers(1, 3))
def test_of_concurrent_decisions_on_one_post_exactly_one_is_kept(order: list[PostState], repeats: int) -> None:
    post = a_post(state=PostState.SCREENING, revision=1)
    store = FakePosts(post)
    decisions = [move(post, state) for state in order] * repeats

    lost = [store.save_many([Change(decision)]) for decision in decisions]

    assert (order[0], 1) == (store.posts[post.post_id].state, lost.count(frozenset()))


def test_a_changed_field_is_validated_like_any_other_input() -> None:
    with pytest.raises(ValueError, match="decided_at"):
        move(a_post(state=PostState.SCREENING), PostState.PUBLISHED, decided_at="yesterday")


@pytest.mark.parametrize(
    ("state", "version", "expected"),
    [
        (PostState.AWAITING_UPLOAD, "v1", True),
        (PostState.EXPIRED, "v1", True),
        (PostState.SCREENING, "v1", True),
        (PostState.SCREENING, "v2", False),
        (PostState.PUBLISHED, "v1", False),
        (PostState.WITHDRAWN, "v1", False),
    ],
)
def test_a_post_waits_only_for_its_first_upload(state: PostState, version: str, *, expected: bool) -> None:
    post = a_post(state=state, upload=None if state is PostState.AWAITING_UPLOAD else an_upload(version="v1"))

    assert expected is waits_for(post, an_upload(version=version))


def test_a_review_of_the_same_revision_has_the_same_id() -> None:
    post = a_post(state=PostState.IN_REVIEW, revision=2)

    ids = {review_of(post, "flagged", due_at=NOW, now=NOW).review_id for _ in range(2)}

    assert {f"{post.post_id}-2"} == ids


def test_failed_uploads_come_before_flagged_ones_in_the_queue() -> None:
    post = a_post(state=PostState.IN_REVIEW)
    failed = review_of(post, "failed", due_at=NOW, now=NOW)
    flagged = review_of(post, "flagged", due_at=NOW, now=NOW)

    assert failed.priority_due_at < flagged.priority_due_at


def test_a_record_in_an_error_shows_no_content() -> None:
    with pytest.raises(ValueError, match="title") as caught:
        Post.model_validate({**dict(a_post()), "title": ["my secret"]})

    assert "my secret" not in str(caught.value)

"""Taking photos from the queue, putting them back, and the figures over it."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import Conflict, DependencyUnavailable, NotFound, VersionConflict
from pawcast.screening.post import PostState, outbox_of
from pawcast.screening.review import review_of
from pawcast.screening.reviews import ATTEMPTS, SKIP_LASTS, queue_of
from pawcast.screening.verdicts import LOCK_FOR, Case, Finding
from tests.support.review_fakes import ANNA, BORA, Room, a_case
from tests.support.screening import NOW, OWNER, post_id

FACE = Finding("uphold", "human_face")


def ids(*numbers: int) -> list[str]:
    return [f"{post_id(number)}-2" for number in numbers]


def test_the_most_urgent_photo_comes_first_and_among_equals_what_is_due_first() -> None:
    room = Room(
        a_case(1, "audit"),
        a_case(2, "flagged", minute=5),
        a_case(3, "flagged"),
        a_case(4, "claim"),
        a_case(5, "appeal"),
    )

    assert ids(4, 5, 3, 2, 1) == room.take(wanted=5)


def test_what_is_taken_is_locked_and_written_down() -> None:
    room = Room(a_case())

    room.take()

    review = room.review()
    assert (ANNA, room.now + LOCK_FOR) == (review.locked_by, review.locked_until)
    assert [("take", ANNA, "flagged")] == [(line.kind, line.operator_id, line.reason) for line in room.reviews.log]


def test_two_operators_get_different_photos() -> None:
    room = Room(*(a_case(number) for number in range(4)))

    assert not set(room.take(ANNA, 2)) & set(room.take(BORA, 4))


def test_what_an_operator_holds_is_given_again_first_even_before_more_urgent_photos() -> None:
    room = Room(a_case(1), a_case(2))
    room.take()
    claim = a_case(3, "claim")
    room.reviews.reviews[claim.review.review_id] = claim.review
    room.posts.posts[claim.post.post_id] = claim.post

    assert ids(1, 3) == room.take(wanted=2)


def test_taking_again_prolongs_the_lock_and_writes_nothing_down() -> None:
    room = Room(a_case())
    room.take()
    room.wait(minutes=9)

    room.take()

    assert room.now + LOCK_FOR == room.review().locked_until
    assert ["take"] == [line.kind for line in room.reviews.log]


def test_a_lock_is_not_prolonged_right_away_since_its_verdict_may_be_on_its_way() -> None:
    room = Room(a_case())
    room.take()
    until = room.review().locked_until
    room.wait(minutes=1)

    room.take()

    assert until == room.review().locked_until


def test_a_lock_that_ran_out_frees_the_photo_for_others() -> None:
    room = Room(a_case())
    room.take(ANNA)
    room.wait(minutes=11)

    taken = room.take(BORA)

    assert ids(1) == taken
    with pytest.raises(Conflict):
        room.reviewer.decide(ANNA, ids(1)[0], FACE)


def test_a_lock_that_ran_out_still_counts_while_nobody_else_took_the_photo() -> None:
    room = Room(a_case())
    room.take(ANNA)
    room.wait(hours=2)

    room.reviewer.decide(ANNA, ids(1)[0], FACE)

    assert PostState.REJECTED is room.post().state


def test_a_photo_that_another_operator_takes_in_the_same_moment_is_left_to_them() -> None:
    room = Room(a_case(1), a_case(2))
    room.reviews.before_lock.append(lambda: room.take(BORA))

    assert (ids(2), BORA) == (room.take(ANNA), room.review(1).locked_by)


def test_an_index_that_lags_behind_gives_nothing_twice() -> None:
    room = Room(*(a_case(number) for number in range(3)))
    room.reviews.lags = True

    taken = room.take(ANNA, 2) + room.take(BORA, 2) + room.take(BORA, 2)

    assert [*ids(0, 1), *ids(2), *ids(2)] == taken


def test_two_windows_of_one_operator_hold_the_same_photos() -> None:
    room = Room(*(a_case(number) for number in range(4)))
    room.reviews.before_lock.append(lambda: room.take(ANNA, 2))

    assert ids(0, 1) == room.take(ANNA, 2)
    assert [None, None] == [room.review(number).locked_by for number in (2, 3)]


def test_an_operator_who_takes_in_too_many_windows_at_once_is_refused() -> None:
    room = Room(*(a_case(number) for number in range(10)))

    def elsewhere() -> None:
        room.reviews.desks[ANNA] = (*room.reviews.desks.get(ANNA, ()), ids(9)[0])

    room.reviews.before_lock += [elsewhere] * ATTEMPTS

    with pytest.raises(VersionConflict):
        room.take(ANNA, 2)


@pytest.mark.parametrize("operator", [OWNER, "operator-before"])
def test_nobody_decides_on_their_own_photo_or_an_appeal_against_their_own_verdict(operator: str) -> None:
    case = a_case(1, "appeal")
    room = Room(Case(case.review.model_copy(update={"not_for": "operator-before"}), case.post))

    assert [] == room.take(operator)
    assert 1 == queue_of(room.reviews.waiting(), operator, room.now).blocked
    assert ids(1) == room.take(BORA)


def test_a_photo_that_was_passed_on_goes_to_others_until_the_next_shift() -> None:
    room = Room(a_case())
    room.take(ANNA)
    room.reviewer.skip(ANNA, ids(1)[0], "I know this person")

    assert [] == room.take(ANNA)
    assert ("I know this person", 1) == (room.review().skips[0].reason, room.counts.sums["skipped"])
    assert ids(1) == room.take(BORA)
    room.wait(seconds=SKIP_LASTS.total_seconds() + 1)
    assert ids(1) == room.take(ANNA)


def test_a_photo_that_is_put_back_is_free_at_once() -> None:
    room = Room(a_case())
    room.take(ANNA)
    room.reviewer.release(ANNA, ids(1)[0])

    assert (ids(1), ["take", "release", "take"]) == (room.take(BORA), [line.kind for line in room.reviews.log])


@pytest.mark.parametrize("state", [PostState.WITHDRAWN, PostState.REJECTED, PostState.MOSAIC, PostState.SCREENING])
def test_a_review_whose_post_leaves_nothing_to_decide_is_closed_and_the_next_one_given(state: PostState) -> None:
    room = Room(a_case(1, state=state), a_case(2))

    assert (ids(2), "closed", None) == (room.take(), room.review(1).status, room.review(1).locked_by)


def test_of_two_reviews_of_one_post_an_operator_gets_one() -> None:
    audit = a_case(1, "audit")
    claim = review_of(audit.post.model_copy(update={"revision": 3}), "claim", due_at=NOW + timedelta(hours=1), now=NOW)
    room = Room(audit)
    room.reviews.reviews[claim.review_id] = claim

    assert [claim.review_id] == room.take(wanted=5)


@pytest.mark.parametrize("deed", ["decide", "skip", "release", "comment", "seen"])
def test_nothing_can_be_done_to_a_photo_in_other_hands(deed: str) -> None:
    room = Room(a_case())
    room.take(ANNA)
    more = {"decide": (FACE,), "skip": ("no",), "comment": ("hm",), "seen": ("seen_photo",)}.get(deed, ())

    with pytest.raises(Conflict):
        getattr(room.reviewer, deed)(BORA, ids(1)[0], *more)

    assert ["take"] == [line.kind for line in room.reviews.log]


def test_an_unknown_review_is_not_found() -> None:
    with pytest.raises(NotFound):
        Room().reviewer.decide(ANNA, ids(1)[0], FACE)


def test_looks_and_comments_are_written_down() -> None:
    room = Room(a_case())
    room.take()
    room.reviewer.seen(ANNA, ids(1)[0], "seen_photo")
    room.reviewer.comment(ANNA, ids(1)[0], "a mirror?")

    assert [("take", ""), ("seen_photo", ""), ("comment", "a mirror?")] == [
        (line.kind, line.comment) for line in room.reviews.log
    ]


def test_what_a_post_has_still_to_tell_is_told_before_its_verdict_replaces_it() -> None:
    case = a_case()
    room = Room(Case(case.review, case.post.model_copy(update={"outbox": outbox_of(case.post, NOW)})))
    room.take()

    room.reviewer.decide(ANNA, ids(1)[0], FACE)

    assert ["PostHeld", "PostRejected"] == [event.event for event in room.events.published]
    assert room.post().outbox is None


def test_a_verdict_waits_until_the_last_event_can_be_told() -> None:
    case = a_case()
    room = Room(Case(case.review, case.post.model_copy(update={"outbox": outbox_of(case.post, NOW)})))
    room.events.refused.add(post_id(1))
    room.take()

    with pytest.raises(DependencyUnavailable):
        room.reviewer.decide(ANNA, ids(1)[0], FACE)

    assert ("waiting", PostState.IN_REVIEW) == (room.review().status, room.post().state)


def test_the_figures_count_every_review_and_the_age_of_who_waits_longest() -> None:
    room = Room(a_case(1, "audit", minute=-300), a_case(2), a_case(3), a_case(4, "claim", minute=5))
    room.take(BORA)
    queue = queue_of(room.reviews.waiting(), ANNA, NOW + timedelta(minutes=61))

    assert {"audit": 1, "flagged": 2, "claim": 1} == queue.by_reason
    assert (4, 61 * 60, 2, 0) == (queue.waiting, queue.oldest_seconds, queue.overdue, queue.blocked)
    assert 1 == queue_of(room.reviews.waiting(), ANNA, room.now).locked


def test_an_empty_queue_has_no_oldest() -> None:
    assert (0, {}, None) == (
        (queue := queue_of((), ANNA, NOW)).waiting,
        queue.by_reason,
        queue.oldest_seconds,
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from([ANNA, BORA]), st.sampled_from(["take", "uphold", "overturn", "skip", "release", "late"])
    ),
    max_size=60,
)


@given(steps=STEPS, size=st.integers(1, 8), lags=st.booleans())
def test_whatever_two_operators_do_no_photo_is_in_two_hands_and_none_is_lost(
    steps: list[tuple[str, str]], size: int, lags: bool
) -> None:
    room = Room(*(a_case(number) for number in range(size)))
    room.reviews.lags = lags
    judged: list[str] = []

    for operator, deed in steps:
        other = BORA if operator == ANNA else ANNA
        held = [one for one in room.reviews.reviews.values() if one.locked_by == operator]
        if deed == "take":
            room.reviews.before_lock[:] = [lambda by=other: room.take(by, 2)]
            room.take(operator, 3)
            room.reviews.before_lock.clear()
        elif deed == "late":
            room.wait(minutes=6)
        elif held and deed == "skip":
            room.reviewer.skip(operator, held[0].review_id, "no")
        elif held and deed == "release":
            room.reviewer.release(operator, held[0].review_id)
        elif held:
            said = FACE if deed == "uphold" else Finding("overturn", "fine")
            room.reviewer.decide(operator, held[0].review_id, said)
            judged.append(held[0].review_id)

    assert len(set(judged)) == len(judged)
    reviews = room.reviews.reviews.values()
    assert sorted(judged) == sorted(one.review_id for one in reviews if one.status == "done")
    assert size == sum(one.status in ("waiting", "done") for one in reviews)
    decided = {one.post_id for one in reviews if one.status == "done"}
    assert decided == {post.post_id for post in room.posts.posts.values() if post.state is not PostState.IN_REVIEW}
    # Every photo that changed hands did so after it was put down, passed on, or its lock had run out.
    for review in reviews:
        lines = [line for line in room.reviews.log if line.review_id == review.review_id]
        for earlier, later in pairwise(lines):
            if later.kind == "take" and earlier.kind == "take":
                assert later.at >= earlier.at + LOCK_FOR or later.operator_id == earlier.operator_id

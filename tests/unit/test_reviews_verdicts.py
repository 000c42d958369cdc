"""What verdicts change: the post, its uploader's notices, the banks, the log and the counts; and taking them back."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import Conflict
from pawcast.screening import counts
from pawcast.screening.post import Appeal, Post, PostState, move
from pawcast.screening.review import Label, ReviewReason, Skip, review_of
from pawcast.screening.reviews import ATTEMPTS
from pawcast.screening.verdicts import UNDO_WITHIN, Case, Finding
from tests.support.review_fakes import ANNA, BORA, FLAG, Room, a_case, facts
from tests.support.screening import NOW, an_upload, post_id

FACE, FINE = Finding("uphold", "human_face"), Finding("overturn", "fine")
REVIEW = f"{post_id(1)}-2"
VERSION = "face-classifier/3"


def decided(case: Case, said: Finding, *, seconds: int = 14) -> Room:
    """A room after Anna looked at the photo for some seconds and decided."""
    room = Room(case)
    room.take()
    room.wait(seconds=30)
    room.reviewer.seen(ANNA, case.review.review_id, "seen_photo")
    room.wait(seconds=seconds)
    room.reviewer.decide(ANNA, case.review.review_id, said)
    return room


def events(room: Room) -> list[tuple[str, str | None]]:
    return [(event.event, event.reason) for event in room.events.published]


@pytest.mark.parametrize("reason", ["flagged", "appeal", "failed"])
def test_an_overturned_photo_is_published_and_its_uploader_told(reason: ReviewReason) -> None:
    room = decided(a_case(1, reason, rendition_key="photos/1/2.jpg"), FINE)

    post = room.post()
    assert (PostState.PUBLISHED, None, room.now) == (post.state, post.reason, post.published_at)
    assert ([("PostOverturned", None)], None) == (events(room), post.outbox)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("human_face", "human_face"),
        ("printed_face", "printed_face"),
        ("no_living_animal", "no_living_animal"),
        ("gruesome", "gruesome"),
        ("other", "other_violation"),
    ],
)
def test_an_upheld_photo_is_rejected_for_what_the_operator_saw(label: Label, reason: str) -> None:
    room = decided(a_case(), Finding("uphold", label))

    assert (PostState.REJECTED, reason, [("PostRejected", reason)]) == (
        room.post().state,
        room.post().reason,
        events(room),
    )


def test_a_verdict_is_a_label_with_operator_time_and_model() -> None:
    room = decided(a_case(), Finding("uphold", "gruesome", "poor bird"))

    verdict = room.review().verdict
    assert verdict is not None
    assert ("uphold", "gruesome", "poor bird", ANNA, room.now) == (
        verdict.verdict,
        verdict.label,
        verdict.comment,
        verdict.operator_id,
        verdict.at,
    )
    assert ("face-classifier", "3", PostState.IN_REVIEW, 3) == (
        verdict.model,
        verdict.model_version,
        verdict.before,
        verdict.revision,
    )
    assert ("done", None, None) == (room.review().status, room.review().locked_by, room.review().locked_until)


def test_the_log_says_what_was_judged_without_anything_personal() -> None:
    room = decided(a_case(), FACE)

    line = room.reviews.log[-1]
    assert ("uphold", "flagged", "human_face", "face-classifier", "3", "v1", PostState.REJECTED, 14) == (
        line.kind,
        line.reason,
        line.label,
        line.model,
        line.model_version,
        line.photo_version,
        line.moved_to,
        line.seconds,
    )
    written = line.model_dump_json()
    case = a_case()
    assert not [known for known in (case.post.user_id, case.post.title, facts().pdq) if known in written]


def test_a_photo_that_was_never_rendered_goes_back_to_the_screener_which_asks_no_model() -> None:
    room = decided(a_case(1, "failed"), FINE)

    post = room.post()
    assert (PostState.SCREENING, REVIEW, room.now, None) == (
        post.state,
        post.cleared_by_review,
        post.since,
        post.reason,
    )
    assert ([an_upload(1)], []) == (room.uploads.sent, events(room))
    with pytest.raises(Conflict):
        room.reviewer.undo(ANNA, REVIEW)


def test_an_audited_photo_that_is_fine_stays_as_it_is() -> None:
    case = a_case(1, "audit")
    room = decided(case, FINE)

    assert (case.post, [], {}) == (room.post(), events(room), room.reviews.banks)
    assert "done" == room.review().status


def test_an_audited_photo_with_a_face_leaves_the_feed() -> None:
    room = decided(a_case(1, "audit"), FACE)

    assert (PostState.REJECTED, [("PostRejected", "human_face")]) == (room.post().state, events(room))
    assert ["banned"] == [entry.bank for entry in room.reviews.banks.values()]


def test_reports_of_a_photo_that_is_fine_are_forgotten() -> None:
    room = decided(a_case(1, "claim", claims=2), FINE)

    assert (PostState.PUBLISHED, 0, 3, []) == (
        room.post().state,
        room.post().claims,
        room.post().revision,
        events(room),
    )


def test_a_photo_that_was_hidden_for_reports_goes_back_to_its_place_in_the_feed() -> None:
    shown_at = NOW - timedelta(days=3)
    room = decided(a_case(1, "claim", state=PostState.IN_REVIEW, published_at=shown_at, claims=3), FINE)

    post = room.post()
    assert (PostState.PUBLISHED, shown_at, 0) == (post.state, post.published_at, post.claims)
    assert [("PostOverturned", None)] == events(room)


def test_the_review_that_was_decided_is_the_one_that_the_state_stands_on() -> None:
    room = decided(a_case(1, "audit", review_id="another"), FACE)

    assert REVIEW == room.post().review_id


@pytest.mark.parametrize(("said", "bank"), [(FACE, "banned"), (FINE, "cleared")])
def test_the_banks_learn_from_every_verdict(said: Finding, bank: str) -> None:
    room = decided(a_case(), said)

    (entry,) = room.reviews.banks.values()
    verdict = room.review().verdict
    assert (bank, said.label, facts().pdq, 90, post_id(1), REVIEW) == (
        entry.bank,
        entry.label,
        entry.pdq,
        entry.quality,
        entry.post_id,
        entry.review_id,
    )
    assert verdict is not None
    assert (bank, entry.entry_id) == (verdict.bank, verdict.bank_entry_id)
    assert 1 == room.counts.sums[f"bank_{bank}"]


def test_a_hash_that_says_too_little_goes_into_no_bank() -> None:
    room = decided(a_case(photo=facts(quality=49)), FACE)

    assert ({}, [None]) == (room.reviews.banks, [line.bank for line in room.reviews.log if line.verdict])


def appealed(room: Room) -> str:
    """The post's owner objects, the next review is open; its id."""
    post = move(room.post(), PostState.APPEALED, appeal=Appeal(text="a poster", at=room.now))
    review = review_of(post, "appeal", due_at=room.now + timedelta(hours=1), now=room.now, not_for=ANNA)
    room.posts.posts[post.post_id] = post.model_copy(update={"review_id": review.review_id})
    room.reviews.reviews[review.review_id] = review
    return review.review_id


def test_an_appeal_that_is_granted_replaces_the_photos_entry_and_taking_that_back_restores_it() -> None:
    room = decided(a_case(), Finding("uphold", "printed_face"))
    appeal = appealed(room)
    room.wait(minutes=5)

    assert [appeal] == room.take(BORA)
    room.reviewer.decide(BORA, appeal, FINE)
    granted = [(entry.bank, entry.label) for entry in room.reviews.banks.values()]
    room.wait(minutes=1)
    room.reviewer.undo(BORA, appeal)

    assert [("cleared", "fine")] == granted
    (entry,) = room.reviews.banks.values()
    assert ("banned", "printed_face", REVIEW, facts().pdq) == (entry.bank, entry.label, entry.review_id, entry.pdq)
    assert (1, 0, 0) == tuple(room.counts.sums[name] for name in ("bank_banned", "bank_cleared", "appeals_overturned"))


def test_an_entry_that_was_restored_is_replaced_like_any_other() -> None:
    room = decided(a_case(), FACE)
    appeal = appealed(room)
    room.take(BORA)
    for said in (FINE, FINE):
        room.wait(minutes=1)
        room.reviewer.decide(BORA, appeal, said)
        room.wait(minutes=1)
        room.reviewer.undo(BORA, appeal)
    room.wait(minutes=1)

    room.reviewer.decide(BORA, appeal, FINE)

    assert ["cleared"] == [entry.bank for entry in room.reviews.banks.values()]
    assert {"bank_banned": 0, "bank_cleared": 1} == {name: room.counts.sums[name] for name in counts.ALL_TIME}


def test_the_entry_of_another_version_of_the_photo_stays() -> None:
    room = decided(a_case(), FACE)
    covered = an_upload(1, "v2")
    post = move(move(room.post(), PostState.MOSAIC), PostState.SCREENING, upload=covered)
    held = move(post, PostState.IN_REVIEW, photo=facts(2), rendition_key="photos/1/6.jpg", decision=FLAG)
    review = review_of(held, "flagged", due_at=room.now, now=room.now)
    room.posts.posts[held.post_id], room.reviews.reviews[review.review_id] = held, review
    room.take(BORA)

    room.reviewer.decide(BORA, review.review_id, FINE)

    assert {"banned", "cleared"} == {entry.bank for entry in room.reviews.banks.values()}


# ---------------------------------------------------------------- taking back


@pytest.mark.parametrize(
    ("reason", "said", "told"),
    [
        ("flagged", FACE, ("PostHeld", "checked_again")),
        ("flagged", FINE, ("PostHeld", "checked_again")),
        ("appeal", FACE, ("PostHeld", "checked_again")),
        ("appeal", FINE, ("PostHeld", "checked_again")),
        ("audit", FACE, ("PostPublished", None)),
    ],
)
def test_a_verdict_that_is_taken_back_leaves_nothing_but_its_lines(
    reason: ReviewReason, said: Finding, told: tuple[str, str | None]
) -> None:
    case = a_case(1, reason)
    room = decided(case, said)
    room.wait(minutes=9)

    room.reviewer.undo(ANNA, REVIEW)

    post, review = room.post(), room.review()
    assert (case.post.state, case.post.revision + 2, case.post.published_at) == (
        post.state,
        post.revision,
        post.published_at,
    )
    assert ("waiting", ANNA, None, {}) == (review.status, review.locked_by, review.verdict, room.reviews.banks)
    assert told == events(room)[-1]
    assert Counter(undone=1) == +room.counts.sums
    assert [REVIEW] == room.take()
    assert [said.verdict, "undo"] == [line.kind for line in room.reviews.log][-2:]


def test_taking_back_that_an_audited_photo_is_fine_changes_nothing_about_the_post() -> None:
    case = a_case(1, "audit")
    room = decided(case, FINE)

    room.reviewer.undo(ANNA, REVIEW)

    assert (case.post, [], "waiting") == (room.post(), events(room), room.review().status)


@pytest.mark.parametrize(("operator", "minutes"), [(BORA, 1), (ANNA, 11)])
def test_only_its_operator_takes_a_verdict_back_and_only_within_ten_minutes(operator: str, minutes: int) -> None:
    room = decided(a_case(), FACE)
    room.wait(minutes=minutes)

    with pytest.raises(Conflict):
        room.reviewer.undo(operator, REVIEW)

    assert PostState.REJECTED is room.post().state


def test_a_verdict_can_be_taken_back_until_the_last_moment() -> None:
    room = decided(a_case(), FACE)
    room.wait(seconds=UNDO_WITHIN.total_seconds())

    room.reviewer.undo(ANNA, REVIEW)

    assert PostState.IN_REVIEW is room.post().state


@pytest.mark.parametrize("to", [PostState.APPEALED, PostState.MOSAIC, PostState.WITHDRAWN])
def test_a_verdict_stands_once_the_post_went_on(to: PostState) -> None:
    room = decided(a_case(), FACE)
    room.posts.posts[post_id(1)] = move(room.post(), to)

    with pytest.raises(Conflict):
        room.reviewer.undo(ANNA, REVIEW)


def test_a_verdict_is_taken_back_once() -> None:
    room = decided(a_case(), FACE)
    room.reviewer.undo(ANNA, REVIEW)

    with pytest.raises(Conflict):
        room.reviewer.undo(ANNA, REVIEW)


# ---------------------------------------------------------------- at the same time


def test_a_post_that_was_withdrawn_in_the_same_moment_stays_withdrawn() -> None:
    room = Room(a_case())
    room.take()

    def withdraw() -> None:
        room.posts.posts[post_id(1)] = move(room.post(), PostState.WITHDRAWN)

    room.reviews.before_write.append(withdraw)

    with pytest.raises(Conflict):
        room.reviewer.decide(ANNA, REVIEW, FACE)

    assert (PostState.WITHDRAWN, {}, []) == (room.post().state, room.reviews.banks, events(room))


def test_a_report_in_the_same_moment_does_not_lose_the_verdict() -> None:
    room = Room(a_case(1, "audit"))
    room.take()

    def report() -> None:
        post = room.post()
        room.posts.posts[post_id(1)] = post.model_copy(update={"claims": 1, "revision": post.revision + 1})

    room.reviews.before_write.append(report)

    room.reviewer.decide(ANNA, REVIEW, FACE)

    assert (PostState.REJECTED, 4) == (room.post().state, room.post().revision)


@pytest.mark.parametrize("deed", ["decide", "undo"])
def test_what_is_overtaken_again_and_again_is_refused(deed: str) -> None:
    room = decided(a_case(1, "flagged"), FACE) if deed == "undo" else Room(a_case(1, "flagged"))
    room.take()

    def elsewhere() -> None:
        room.reviews.reviews[REVIEW] = room.review().model_copy(
            update={"skips": (*room.review().skips, Skip(operator_id=BORA, at=room.now, reason="no"))}
        )

    room.reviews.before_write += [elsewhere] * ATTEMPTS
    more = (FACE,) if deed == "decide" else ()

    with pytest.raises(Conflict, match="at the same time"):
        getattr(room.reviewer, deed)(ANNA, REVIEW, *more)


def test_a_photo_that_was_settled_in_the_same_moment_is_not_put_back() -> None:
    room = Room(a_case())
    room.take()
    room.reviews.before_write.append(lambda: room.reviewer.decide(ANNA, REVIEW, FACE))

    with pytest.raises(Conflict):
        room.reviewer.release(ANNA, REVIEW)

    assert "done" == room.review().status


def test_a_lost_lock_refuses_the_verdict_even_in_the_last_moment() -> None:
    room = Room(a_case())
    room.take(ANNA)
    room.wait(minutes=11)
    room.reviews.before_write.append(lambda: room.take(BORA))

    with pytest.raises(Conflict):
        room.reviewer.decide(ANNA, REVIEW, FACE)

    assert (BORA, PostState.IN_REVIEW) == (room.review().locked_by, room.post().state)


@pytest.mark.parametrize("broken", ["events", "uploads", "counts"])
def test_a_verdict_stands_even_if_it_can_not_be_told_queued_or_counted(broken: str) -> None:
    room = Room(a_case(1, "failed"), a_case(2))
    for part in ("events", "uploads", "counts"):
        getattr(room, part).broken = part == broken
    room.take(wanted=2)

    done = [room.reviewer.decide(ANNA, f"{post_id(number)}-2", FINE) for number in (1, 2)]

    troubles = sum(len(one.troubles) for one in done)
    assert {"events": 1, "uploads": 1, "counts": 2}[broken] == troubles
    assert (PostState.SCREENING, PostState.PUBLISHED) == (room.post(1).state, room.post(2).state)
    assert (broken == "events") == (room.post(2).outbox is not None)


# ---------------------------------------------------------------- what is counted


@pytest.mark.parametrize(
    ("reason", "said", "more"),
    [
        ("flagged", FACE, {"upheld": 1, f"flagged_upheld@{VERSION}": 1, "bank_banned": 1}),
        ("flagged", Finding("uphold", "gruesome"), {"upheld": 1, "bank_banned": 1}),
        ("flagged", FINE, {"overturned": 1, f"flagged_overturned@{VERSION}": 1, "bank_cleared": 1}),
        ("audit", FACE, {"upheld": 1, f"audit_checked@{VERSION}": 1, f"audit_missed@{VERSION}": 1, "bank_banned": 1}),
        ("audit", Finding("uphold", "other"), {"upheld": 1, f"audit_checked@{VERSION}": 1, "bank_banned": 1}),
        ("audit", FINE, {"overturned": 1, f"audit_checked@{VERSION}": 1}),
        ("appeal", FINE, {"overturned": 1, "appeals_overturned": 1, "bank_cleared": 1}),
        ("failed", FACE, {"upheld": 1}),
        ("claim", FACE, {"upheld": 1, "bank_banned": 1}),
    ],
)
def test_every_verdict_counts_what_it_says(reason: ReviewReason, said: Finding, more: dict[str, int]) -> None:
    room = decided(a_case(1, reason), said)

    assert {"checks": 1, f"checks_{reason}": 1, "review_seconds": 14} | more == +room.counts.sums


def test_the_time_of_a_check_begins_when_the_photo_is_shown_not_when_it_is_taken_ahead() -> None:
    room = Room(a_case(1), a_case(2))
    room.take(wanted=2)
    room.wait(seconds=50)
    room.reviewer.decide(ANNA, REVIEW, FACE)
    room.reviewer.seen(ANNA, f"{post_id(2)}-2", "seen_photo")
    room.wait(seconds=5)
    room.reviewer.decide(ANNA, f"{post_id(2)}-2", FACE)

    assert [50, 5] == [line.seconds for line in room.reviews.log if line.verdict]


def reachable(post: Post) -> dict[str, Any]:
    """What must be the same after a verdict was taken back."""
    return post.model_dump(exclude={"revision", "reason", "outbox", "claims"})


@given(
    said=st.lists(st.sampled_from([FACE, FINE, Finding("uphold", "printed_face")]), min_size=1, max_size=6),
    reason=st.sampled_from(["flagged", "appeal", "audit", "claim", "disagreement"]),
    quality=st.sampled_from([10, 90]),
)
def test_deciding_and_taking_back_any_number_of_times_comes_out_where_it_began(
    said: list[Finding], reason: ReviewReason, quality: int
) -> None:
    case = a_case(1, reason, photo=facts(quality=quality))
    room = Room(case)
    room.take()

    for finding in said:
        room.wait(minutes=1)
        room.reviewer.decide(ANNA, REVIEW, finding)
        room.wait(minutes=1)
        room.reviewer.undo(ANNA, REVIEW)

    assert (reachable(case.post), {}) == (reachable(room.post()), room.reviews.banks)
    assert Counter(undone=len(said)) == +room.counts.sums
    assert not -room.counts.sums
    assert ("waiting", ANNA) == (room.review().status, room.review().locked_by)

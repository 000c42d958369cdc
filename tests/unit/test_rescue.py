"""What lands in the DLQ reaches a person, and the uploader hears of it."""

import pytest

from pawcast.screening.post import PostState, move
from pawcast.screening.rescue import Rescuer
from pawcast.screening.uploads import Message
from tests.support.screening import NOW, FakePosts, World, a_message, a_post, an_upload, post_id


def rescuer(world: World) -> Rescuer:
    return Rescuer(world.posts, world.events, world.inferences, world.counts, lambda: NOW)


@pytest.mark.parametrize(
    "post", [a_post(), move(a_post(), PostState.SCREENING, upload=an_upload())], ids=["never begun", "begun"]
)
def test_an_undecided_post_is_held_for_a_person_and_its_user_told(post: object) -> None:
    world = World(FakePosts(post))  # type: ignore[arg-type]

    report = rescuer(world).rescue([a_message(1)])

    stored, (review,) = world.posts.posts[post_id(1)], world.posts.reviews.values()
    assert (PostState.IN_REVIEW, "screening_failed", "failed") == (stored.state, stored.reason, review.reason)
    assert (["PostHeld"], frozenset()) == ([event.event for event in world.events.published], report.failed)


@pytest.mark.parametrize("order", [("v1", "v2"), ("v2", "v1")])
def test_a_second_upload_in_the_same_batch_does_not_hide_the_one_that_counts(order: tuple[str, str]) -> None:
    world = World(FakePosts(move(a_post(), PostState.SCREENING, upload=an_upload(version="v1"))))

    report = rescuer(world).rescue([a_message(1, version, version) for version in order])

    assert [PostState.IN_REVIEW] == [post.state for post in report.rescued]


def test_a_post_that_was_decided_meanwhile_is_left_alone() -> None:
    world = World(FakePosts(a_post(state=PostState.PUBLISHED)))

    report = rescuer(world).rescue([a_message(1)])

    assert ((), frozenset(), []) == (report.rescued, report.failed, world.events.published)


def test_repeating_a_rescue_changes_nothing() -> None:
    world = World(FakePosts(a_post()))

    for _ in range(3):
        rescuer(world).rescue([a_message(1)])

    assert (1, 1) == (len(world.posts.reviews), len(world.events.published))


def test_a_post_that_someone_else_moves_at_the_same_time_comes_back() -> None:
    world = World(FakePosts(a_post(), a_post(2)))

    def withdrawn_meanwhile() -> None:
        world.posts.posts[post_id(1)] = a_post(state=PostState.WITHDRAWN, revision=1)

    world.posts.before_save = withdrawn_meanwhile
    report = rescuer(world).rescue([a_message(1), a_message(2)])

    assert ({"m1"}, [post_id(2)]) == (set(report.failed), [post.post_id for post in report.rescued])


def test_an_event_that_was_not_taken_is_told_next_time() -> None:
    world = World(FakePosts(a_post()))
    world.events.refused = {post_id(1)}
    first = rescuer(world).rescue([a_message(1)])
    world.events.refused = set()

    second = rescuer(world).rescue([a_message(1)])

    assert ({"m1"}, set(), 1) == (set(first.failed), set(second.failed), len(world.events.published))


def test_a_message_that_announces_nothing_is_done() -> None:
    assert frozenset() == rescuer(World(FakePosts())).rescue([Message("m1", ())]).failed

"""Hot swap and rollback in a warm function, with a policy in a dictionary and a clock by hand."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from pawcast.errors import DependencyUnavailable, InvalidPolicy, NotFound, ReleaseUnavailable
from pawcast.mlops.policy import ReleasePolicy
from pawcast.mlops.release import Release, ReleaseWatcher
from tests.support.releases import a_policy


@dataclass
class Stage:
    """A stored policy, the models that load, a clock, and what the watcher did with them."""

    stored: ReleasePolicy | Exception
    loadable: set[str] = field(default_factory=lambda: {"1", "2", "3"})
    now: float = 1_000.0
    reads: int = 0
    loads: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    swaps: list[int] = field(default_factory=list)

    def load_policy(self) -> ReleasePolicy:
        self.reads += 1
        if isinstance(self.stored, Exception):
            raise self.stored
        return self.stored

    def load_models(self, policy: ReleasePolicy) -> str:
        version = policy.primary.model.version
        self.loads.append(version)
        if version not in self.loadable:
            raise NotFound(f"no model {version}")
        return f"model {version}"

    def watcher(self, load_models: Callable[[ReleasePolicy], str] | None = None) -> ReleaseWatcher[str]:
        return ReleaseWatcher(
            self.load_policy,
            load_models or self.load_models,
            lambda: self.now,
            ttl_seconds=30,
            on_error=lambda error: self.errors.append(str(error)),
            on_swap=lambda release: self.swaps.append(release.policy.version),
        )


def test_the_first_call_loads_and_later_calls_within_the_ttl_read_nothing() -> None:
    stage = Stage(a_policy(1))
    watcher = stage.watcher()

    releases = [watcher.current() for _ in range(1_000)]
    stage.now += 29.9
    releases.append(watcher.current())

    assert set(map(id, releases)) == {id(releases[0])}
    assert (releases[0].policy, releases[0].models) == (a_policy(1), "model 1")
    assert (stage.reads, stage.loads, stage.swaps) == (1, ["1"], [1])


def test_a_new_version_decides_after_the_ttl_without_a_restart() -> None:
    stage = Stage(a_policy(1))
    watcher = stage.watcher()
    before = watcher.current()
    stage.stored = a_policy(2, model_version="2")

    stage.now += 30
    after = watcher.current()

    assert (before.models, after.models, after.policy.version) == ("model 1", "model 2", 2)
    assert stage.swaps == [1, 2]


def test_a_rollback_brings_the_earlier_model_back_under_a_new_version() -> None:
    stage = Stage(a_policy(1))
    watcher = stage.watcher()
    seen = []
    for policy in (a_policy(1), a_policy(2, model_version="2"), a_policy(1).with_version(3)):
        stage.stored = policy
        stage.now += 30
        seen.append((watcher.current().policy.version, watcher.current().models))

    assert seen == [(1, "model 1"), (2, "model 2"), (3, "model 1")]


def test_an_unchanged_policy_is_read_once_each_ttl_and_its_models_are_not_loaded_again() -> None:
    stage = Stage(a_policy(1))
    watcher = stage.watcher()
    for _ in range(10):
        watcher.current()
        stage.now += 15

    assert (stage.reads, stage.loads) == (5, ["1"])


def test_another_document_under_the_same_version_is_taken_too() -> None:
    stage = Stage(a_policy(2, model_version="2"))
    watcher = stage.watcher()
    watcher.current()
    stage.stored = a_policy(2, model_version="3")

    stage.now += 30

    assert watcher.current().models == "model 3"


def test_a_model_that_does_not_load_leaves_the_last_good_release_and_reports_once_each_ttl() -> None:
    stage = Stage(a_policy(1), loadable={"1"})
    watcher = stage.watcher()
    good = watcher.current()
    stage.stored = a_policy(2, model_version="2")

    for second in range(120):
        stage.now = 1_000.0 + second
        assert watcher.current() is good

    assert stage.errors == ["no model 2"] * 3  # at 30, 60 and 90 seconds


def test_a_failing_load_is_tried_with_growing_pauses_up_to_ten_minutes() -> None:
    stage = Stage(a_policy(1), loadable={"1"})
    watcher = stage.watcher()
    watcher.current()
    stage.stored = a_policy(2, model_version="2")
    tried_at = []

    for _ in range(120):  # an hour
        stage.now += 30
        before = len(stage.loads)
        watcher.current()
        if len(stage.loads) > before:
            tried_at.append(stage.now - 1_000)

    assert tried_at == [30, 60, 120, 240, 480, 960, 1_560, 2_160, 2_760, 3_360]
    assert len(stage.errors) == 120


def test_a_model_that_loads_at_last_is_swapped_in() -> None:
    stage = Stage(a_policy(1), loadable={"1"})
    watcher = stage.watcher()
    watcher.current()
    stage.stored = a_policy(2, model_version="2")
    stage.now += 30
    watcher.current()
    stage.loadable.add("2")

    stage.now += 30

    assert watcher.current().models == "model 2"


def test_a_corrected_document_does_not_wait_for_the_broken_ones_pause() -> None:
    stage = Stage(a_policy(1), loadable={"1", "3"})
    watcher = stage.watcher()
    watcher.current()
    stage.stored = a_policy(2, model_version="2")
    for _ in range(6):
        stage.now += 30
        watcher.current()
    stage.stored = a_policy(3, model_version="3")

    stage.now += 30

    assert watcher.current().models == "model 3"


def test_a_return_to_the_running_document_forgets_the_broken_ones_pause() -> None:
    stage = Stage(a_policy(1), loadable={"1"})
    watcher = stage.watcher()
    watcher.current()
    for policy in [a_policy(2, model_version="2")] * 4 + [a_policy(1), a_policy(2, model_version="2")]:
        stage.stored = policy
        stage.now += 30
        watcher.current()

    assert stage.loads == ["1", "2", "2", "2", "2"]  # at 30, 60, 120 and, anew, at 180 seconds


@pytest.mark.parametrize(
    "trouble",
    [DependencyUnavailable("SSM throttles"), InvalidPolicy("written past the gate"), OSError("boom")],
)
def test_a_policy_that_cannot_be_read_leaves_the_last_good_release(trouble: Exception) -> None:
    stage = Stage(a_policy(1))
    watcher = stage.watcher()
    good = watcher.current()
    stage.stored = trouble

    stage.now += 30
    during = watcher.current()
    stage.stored = a_policy(2, model_version="2")
    stage.now += 30

    assert during is good
    assert stage.errors == [str(trouble)]
    assert watcher.current().models == "model 2"


@pytest.mark.parametrize(
    "trouble", [ReleaseUnavailable("nothing is released"), InvalidPolicy("broken"), OSError("boom")]
)
def test_while_nothing_was_ever_loaded_every_trouble_is_retryable_and_names_its_cause(
    trouble: Exception,
) -> None:
    stage = Stage(trouble)

    with pytest.raises(ReleaseUnavailable, match=str(trouble)) as caught:
        stage.watcher().current()

    assert caught.value.__cause__ is trouble


def test_while_nothing_was_ever_loaded_reads_pause_longer_each_time_up_to_the_ttl() -> None:
    stage = Stage(ReleaseUnavailable("nothing is released"))
    watcher = stage.watcher()
    read_at = []

    for second in range(100):
        stage.now = 1_000.0 + second
        before = stage.reads
        with pytest.raises(ReleaseUnavailable, match="nothing is released"):
            watcher.current()
        if stage.reads > before:
            read_at.append(second)

    assert read_at == [0, 1, 3, 7, 15, 31, 61, 91]
    assert len(stage.errors) == len(read_at)


def test_the_first_release_is_taken_as_soon_as_it_can_be_read() -> None:
    stage = Stage(ReleaseUnavailable("nothing is released"))
    watcher = stage.watcher()
    with pytest.raises(ReleaseUnavailable):
        watcher.current()
    stage.stored = a_policy(1)

    stage.now += 1

    assert watcher.current().models == "model 1"


def test_concurrent_first_callers_load_once_and_all_get_the_same_release() -> None:
    stage = Stage(a_policy(1))
    together = threading.Barrier(8)

    def slow(policy: ReleasePolicy) -> str:
        time.sleep(0.05)  # the others arrive meanwhile
        return stage.load_models(policy)

    watcher = stage.watcher(slow)

    def call(_: int) -> Release[str]:
        together.wait(timeout=5)
        return watcher.current()

    with ThreadPoolExecutor(8) as pool:
        releases = list(pool.map(call, range(8)))

    assert set(map(id, releases)) == {id(releases[0])}
    assert (stage.reads, stage.loads) == (1, ["1"])


def test_while_one_caller_loads_the_new_model_the_others_decide_with_the_old_and_do_not_wait() -> None:
    stage = Stage(a_policy(1))
    loading, finish = threading.Event(), threading.Event()

    def slow(policy: ReleasePolicy) -> str:
        if policy.version == 2:
            loading.set()
            assert finish.wait(timeout=5)
        return stage.load_models(policy)

    watcher = stage.watcher(slow)
    watcher.current()
    stage.stored = a_policy(2, model_version="2")
    stage.now += 30

    with ThreadPoolExecutor(1) as pool:
        swapping = pool.submit(watcher.current)
        assert loading.wait(timeout=5)
        meanwhile = [watcher.current().models for _ in range(100)]
        finish.set()
        swapped = swapping.result(timeout=5)

    assert meanwhile == ["model 1"] * 100
    assert (swapped.models, watcher.current().models) == ("model 2", "model 2")
    assert stage.loads == ["1", "2"]


def test_many_callers_under_constant_releases_never_see_a_policy_with_another_ones_models() -> None:
    stage = Stage(a_policy(1))
    watcher = stage.watcher(lambda policy: f"models of {policy.version}")
    stop = threading.Event()
    torn = []

    def decide() -> int:
        calls = 0
        while not stop.is_set():
            release = watcher.current()
            calls += 1
            if release.models != f"models of {release.policy.version}":
                torn.append(release)
        return calls

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(decide) for _ in range(4)]
        for version in range(2, 302):
            stage.stored = a_policy(version)
            stage.now += 30
            watcher.current()
        stop.set()
        calls = [caller.result(timeout=5) for caller in callers]

    stage.now += 30

    assert torn == []
    assert min(calls) > 0
    assert watcher.current().policy.version == 301


def test_without_listeners_errors_and_swaps_are_no_trouble() -> None:
    stage = Stage(a_policy(1))
    watcher = ReleaseWatcher(stage.load_policy, stage.load_models, lambda: stage.now)
    good = watcher.current()
    stage.stored = DependencyUnavailable("SSM throttles")

    stage.now += 30

    assert watcher.current() is good


def test_a_caller_that_comes_second_to_a_due_read_does_not_read_again() -> None:
    stage = Stage(a_policy(1))
    moments = iter([1_000.0, 1_030.0, 1_000.0])
    watcher = ReleaseWatcher(stage.load_policy, stage.load_models, lambda: next(moments))
    good = watcher.current()

    # due at the first look, and done by another caller before the lock was free
    assert watcher.current() is good
    assert stage.reads == 1

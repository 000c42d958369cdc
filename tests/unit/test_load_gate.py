"""The load gate, against closed formulas and against a slow, obvious loop."""

import math
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.mlops.load_gate import (
    GateLimits,
    LoadTest,
    concurrency_for_load,
    judge,
    simulate,
    waits_between,
)
from pawcast.mlops.workload import ServiceTimes

EXACT = ServiceTimes(mean_seconds=1, cv=0, batch_overhead_seconds=0, init_seconds=0)


def obvious_waits(test: LoadTest) -> list[int]:
    """Whole seconds, one after the other; every photo takes `mean_seconds`, arrivals are even and on the second."""
    gap = round(3600 / test.uploads_per_hour)
    coming = [gap // 2 + gap * number for number in range(round(test.hours * 3600 / gap))]
    uploads, waiting = dict(enumerate(coming)), list[int]()
    busy_until, decided = list[int](), dict[int, int]()
    started, pressed, now = 0, None, 0
    while len(decided) < len(coming):
        waiting += [photo for photo, at in uploads.items() if at == now]
        while waiting:
            warm = [slot for slot, until in enumerate(busy_until) if until <= now]
            minutes = 0 if pressed is None else (now - pressed) // 60
            allowed = min(test.concurrency, test.first_concurrency + minutes * test.added_per_minute)
            if not warm and started >= allowed:
                pressed = now if pressed is None else pressed
                break
            batch, waiting = waiting[: test.batch_size], waiting[test.batch_size :]
            seconds = test.service.batch_overhead_seconds + test.service.mean_seconds * len(batch)
            if warm:
                slot = min(warm, key=lambda slot: busy_until[slot])
            else:
                slot, seconds = started, seconds + test.service.init_seconds
                busy_until.append(0)
                started += 1
            busy_until[slot] = now + round(seconds)
            decided.update(dict.fromkeys(batch, busy_until[slot]))
        now += 1
    return [decided[photo] - uploads[photo] for photo in uploads]


@settings(deadline=None, max_examples=60)
@given(
    gap=st.sampled_from([2, 4, 6, 10, 20]),
    photo=st.integers(1, 40),
    overhead=st.integers(0, 30),
    init=st.integers(0, 20),
    concurrency=st.integers(2, 14),
    first=st.integers(1, 5),
    added=st.integers(1, 3),
    batch_size=st.integers(1, 10),
)
def test_the_simulation_equals_an_obvious_loop(
    gap: int, photo: int, overhead: int, init: int, concurrency: int, first: int, added: int, batch_size: int
) -> None:
    test = LoadTest(
        peak_uploads_per_hour=3600 / gap,
        base_uploads_per_hour=0,
        factor=1,
        hours=0.25,
        concurrency=concurrency,
        first_concurrency=first,
        added_per_minute=added,
        batch_size=batch_size,
        arrivals="even",
        service=ServiceTimes(
            mean_seconds=photo, cv=0, batch_overhead_seconds=overhead, init_seconds=init, origin="test"
        ),
    )

    assert simulate(test).waits.tolist() == pytest.approx(obvious_waits(test), abs=1e-6)


def test_an_even_overload_waits_as_the_fluid_formula_says() -> None:
    # 4 photos a second come, 2 functions get 2 a second through: after t seconds the wait is t x (4/2 - 1).
    test = LoadTest(peak_uploads_per_hour=7_200, base_uploads_per_hour=0, concurrency=2, service=EXACT, arrivals="even")

    run = simulate(test)

    assert run.verdict.max == pytest.approx(7_200, rel=0.002)
    assert run.verdict.p50 == pytest.approx(3_600, rel=0.005)
    assert run.verdict.late_share == pytest.approx(0.5, abs=0.005)
    assert run.longest_queue == pytest.approx(14_400, rel=0.005)
    assert run.drained_after_seconds == pytest.approx(7_200, rel=0.005)
    assert run.utilisation == pytest.approx(1, abs=0.001)


def test_the_base_load_slows_the_draining() -> None:
    # 14,400 photos are left, 2 a second go, 1 a second still comes.
    test = LoadTest(
        peak_uploads_per_hour=7_200,
        base_uploads_per_hour=3_600,
        concurrency=2,
        service=EXACT,
        arrivals="even",
    )

    assert simulate(test).drained_after_seconds == pytest.approx(14_400, rel=0.01)


def test_a_random_queue_waits_as_erlang_s_formula_says() -> None:
    functions, load = 8, 0.85 * 8
    inverse = sum(load**k / math.factorial(k) for k in range(functions))
    last = load**functions / math.factorial(functions) / (1 - load / functions)
    expected_queue_seconds = last / (inverse + last) / (functions - load)
    quantiles = (np.arange(4_000) + 0.5) / 4_000
    service = ServiceTimes.measured(tuple((-np.log1p(-quantiles)).tolist()), batch_overhead_seconds=0, init_seconds=0)
    test = LoadTest(
        peak_uploads_per_hour=3600 * load,
        base_uploads_per_hour=0,
        factor=1,
        hours=40,
        concurrency=functions,
        first_concurrency=functions,
        batch_size=1,
        service=service,
        seed=3,
    )

    run = simulate(test)

    assert run.verdict.mean == pytest.approx(1 + expected_queue_seconds, rel=0.03)
    assert run.utilisation == pytest.approx(0.85, abs=0.01)


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    test = LoadTest(peak_uploads_per_hour=5_000, base_uploads_per_hour=1_000, concurrency=3)
    again, other = simulate(test), simulate(test.model_copy(update={"seed": 1}))

    assert np.array_equal(simulate(test).waits, again.waits)
    assert not np.array_equal(again.waits[:100], other.waits[:100])


def test_twice_60_000_an_hour_takes_less_than_five_seconds() -> None:
    began = time.process_time()
    run = simulate(LoadTest(peak_uploads_per_hour=60_000, base_uploads_per_hour=24_000, concurrency=60))

    assert run.verdict.photos == pytest.approx(240_000, rel=0.01)
    assert time.process_time() - began < 5


def test_every_photo_is_decided_exactly_once() -> None:
    run = simulate(LoadTest(peak_uploads_per_hour=9_000, base_uploads_per_hour=4_000, concurrency=2, window_seconds=5))

    assert run.waits.size == run.uploaded_at.size
    assert (run.waits > 0).all()
    assert (np.diff(run.queue_at) >= 0).all()
    assert run.queue_length.min() >= 1


def test_functions_start_by_five_and_three_hundred_a_minute() -> None:
    # So many photos that every function stays busy: the number of functions limits the batches begun by each minute.
    test = LoadTest(
        peak_uploads_per_hour=3_600_000,
        base_uploads_per_hour=0,
        factor=1,
        hours=0.05,
        concurrency=400,
        batch_size=10,
        arrivals="even",
        service=ServiceTimes(mean_seconds=400, cv=0, batch_overhead_seconds=0, init_seconds=0),
    )

    starts = simulate(test).queue_at

    assert [int(np.count_nonzero(starts < minute * 60)) for minute in (1, 2, 3)] == [5, 305, 400]


def test_a_batching_window_waits_for_a_full_batch_but_no_longer() -> None:
    slow = LoadTest(
        peak_uploads_per_hour=360,
        base_uploads_per_hour=0,
        factor=1,
        concurrency=2,
        service=EXACT,
        arrivals="even",
        window_seconds=15,
    )
    run = simulate(slow)

    # One photo every 10 s: each batch is a photo and the next one, 15 s after the first.
    assert sorted({round(float(wait)) for wait in run.waits}) == [7, 17]


def test_too_little_for_the_work_ends_at_the_horizon_and_counts_what_is_left_as_late() -> None:
    test = LoadTest(
        peak_uploads_per_hour=5_000,
        base_uploads_per_hour=0,
        concurrency=2,
        service=ServiceTimes(mean_seconds=60),
    )
    run = simulate(test)

    assert run.verdict.undecided > 0
    assert run.drained_after_seconds is None
    assert not run.verdict.passed


@pytest.mark.parametrize(("late", "passed"), [(9, True), (10, False)])
def test_ten_percent_late_is_rejected_and_less_is_not(late: int, passed: bool) -> None:
    waits = np.array([3_601.0] * late + [3_600.0] * (100 - late))

    assert judge(waits, GateLimits()).passed is passed
    assert judge(waits, GateLimits()).late == late


def test_nothing_uploaded_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="nothing to judge"):
        judge(np.array([]), GateLimits())


@pytest.mark.parametrize("peak", [500, 4_000, 20_000, 60_000])
def test_the_smallest_passing_concurrency_passes_and_one_less_does_not(peak: int) -> None:
    test = LoadTest(peak_uploads_per_hour=peak, base_uploads_per_hour=peak / 3, concurrency=2)

    needed = concurrency_for_load(test)

    assert needed is not None
    assert simulate(test.model_copy(update={"concurrency": needed})).verdict.passed
    if needed > 2:
        assert not simulate(test.model_copy(update={"concurrency": needed - 1})).verdict.passed


def test_a_load_that_the_most_functions_cannot_carry_has_no_answer() -> None:
    test = LoadTest(
        peak_uploads_per_hour=20_000,
        base_uploads_per_hour=0,
        concurrency=2,
        service=ServiceTimes(mean_seconds=30),
    )

    assert concurrency_for_load(test, most=20) is None


def test_real_waits_are_judged_like_simulated_ones() -> None:
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    times = [(start, start + timedelta(seconds=number)) for number in range(1, 101)]

    waits, undecided = waits_between(times, GateLimits())

    assert waits.tolist() == [float(number) for number in range(1, 101)]
    assert undecided == 0


def test_a_photo_that_was_never_decided_is_late_however_new_it_is() -> None:
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    times = [(start, start + timedelta(seconds=3)), (start + timedelta(seconds=2), None)]

    waits, undecided = waits_between(times, GateLimits())

    assert undecided == 1
    assert judge(waits, GateLimits(), undecided=undecided).late == 1


def test_a_decision_before_its_upload_is_refused() -> None:
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)

    with pytest.raises(ValueError, match="decided before it was uploaded"):
        waits_between([(start, start - timedelta(seconds=1))], GateLimits())


def test_lognormal_service_times_have_the_mean_and_the_spread_they_were_given() -> None:
    drawn = ServiceTimes(mean_seconds=0.4, cv=0.5).draw(200_000, np.random.default_rng(1))

    assert drawn.mean() == pytest.approx(0.4, rel=0.01)
    assert drawn.std() / drawn.mean() == pytest.approx(0.5, rel=0.02)


def test_measured_samples_are_drawn_as_they_are() -> None:
    drawn = ServiceTimes.measured((0.1, 0.3)).draw(1_000, np.random.default_rng(1))

    assert sorted(set(drawn.tolist())) == [0.1, 0.3]

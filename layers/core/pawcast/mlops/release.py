"""How a warm function follows the release policy without a deploy.

`ReleaseWatcher.current()` is called once for each batch; every photo of the batch is decided by the release
that it returned, whatever is swapped meanwhile. Between two reads of the policy it costs one look at the
clock and takes no lock. When the time-to-live has passed, one caller re-reads the document and the others go
on with what they have; with 30 s, a new version decides in every busy warm function well within a minute.

What a change here must keep:
- A release that works is never given up for one that does not: when the new document or one of its models
  can't be loaded, the last good release stays, and `on_error` hears of it once each time-to-live.
- Documents are compared as a whole, not by `version`: SSM has no conditional write, so two operators can
  write different documents with one version (see `pawcast.adapters.policy_store`), and all functions must
  still end up with the one that is stored.
- New models are loaded before the old are dropped, so a swap holds both (about 17 MB for each new one). A
  function's memory must have that room.
- A document whose models failed to load is not loaded again at once: each failure doubles the pause, up to
  `MAX_BACKOFF_SECONDS`. The document itself is read every time-to-live, so a corrected one is taken promptly.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pawcast.errors import ReleaseUnavailable
from pawcast.mlops.policy import ReleasePolicy

FIRST_BACKOFF_SECONDS = 1.0  # only while nothing was ever loaded; photos are waiting
MAX_BACKOFF_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Release[T]:
    """A policy, and the models it names, loaded."""

    policy: ReleasePolicy
    models: T


@dataclass(frozen=True, slots=True)
class _FailedLoad:
    policy: ReleasePolicy
    error: Exception
    retry_at: float
    pause: float


def _ignore(_: object) -> None:
    """Nobody listens."""


class ReleaseWatcher[T]:
    """The release in force, kept up to date. Safe to share between threads."""

    def __init__(
        self,
        load_policy: Callable[[], ReleasePolicy],
        load_models: Callable[[ReleasePolicy], T],
        monotonic: Callable[[], float],
        *,
        ttl_seconds: float = 30.0,
        on_error: Callable[[Exception], None] = _ignore,
        on_swap: Callable[[Release[T]], None] = _ignore,
    ) -> None:
        """`on_error` and `on_swap` (also called for the first release) are for logs and metrics."""
        self._load_policy = load_policy
        self._load_models = load_models
        self._monotonic = monotonic
        self._ttl_seconds = ttl_seconds
        self._on_error = on_error
        self._on_swap = on_swap
        self._refreshing = threading.Lock()
        self._release: Release[T] | None = None
        self._next_read = float("-inf")
        self._failed_load: _FailedLoad | None = None
        self._nothing_yet: ReleaseUnavailable | None = None
        self._first_pause = min(FIRST_BACKOFF_SECONDS, ttl_seconds)

    def current(self) -> Release[T]:
        """The release to decide by. Raises `ReleaseUnavailable` only while none was ever loaded."""
        release = self._release
        if release is None:
            return self._first_release()
        if self._monotonic() >= self._next_read and self._refreshing.acquire(blocking=False):
            try:
                return self._refreshed(release)
            finally:
                self._refreshing.release()
        return release

    def _first_release(self) -> Release[T]:
        with self._refreshing:  # everybody waits: there is nothing to decide by
            if self._release is not None:
                return self._release
            if self._nothing_yet is not None and self._monotonic() < self._next_read:
                raise ReleaseUnavailable(str(self._nothing_yet)) from self._nothing_yet.__cause__
            try:
                policy = self._load_policy()
                release = Release(policy, self._load_models(policy))
            except Exception as error:  # whatever it was, the photo must go back to its queue, not be lost
                self._nothing_yet = ReleaseUnavailable(f"no release could be loaded yet: {error}")
                self._next_read = self._monotonic() + self._first_pause
                self._first_pause = min(2 * self._first_pause, self._ttl_seconds)
                self._on_error(error)
                raise self._nothing_yet from error
            self._swap_in(release)
            return release

    def _refreshed(self, release: Release[T]) -> Release[T]:
        if self._monotonic() < self._next_read:
            return self._release or release  # another caller has just refreshed
        failed, policy = self._failed_load, None
        try:
            policy = self._load_policy()
            if policy == release.policy:
                self._failed_load = None
            elif failed and failed.policy == policy and self._monotonic() < failed.retry_at:
                self._on_error(failed.error)
            else:
                release = Release(policy, self._load_models(policy))
                self._swap_in(release)
        except Exception as error:  # the release that works goes on, whatever the new one raised
            if policy is not None:
                self._failed_load = self._another_failure(policy, error)
            self._on_error(error)
        finally:
            self._next_read = self._monotonic() + self._ttl_seconds
        return release

    def _another_failure(self, policy: ReleasePolicy, error: Exception) -> _FailedLoad:
        failed, pause = self._failed_load, self._ttl_seconds
        if failed and failed.policy == policy:
            pause = min(2 * failed.pause, MAX_BACKOFF_SECONDS)
        return _FailedLoad(policy, error, self._monotonic() + pause, pause)

    def _swap_in(self, release: Release[T]) -> None:
        self._next_read = self._monotonic() + self._ttl_seconds
        self._release = release
        self._failed_load = None
        self._nothing_yet = None
        self._on_swap(release)

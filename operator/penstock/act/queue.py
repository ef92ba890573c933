"""Which keys are to be looked at, and when: each by one worker at a time, and once for however many events came.

A key that comes while it is being worked on is worked on once more after. Each key has at most one appointment, made
after it was last worked on: to look again, or to try again after an error, later and later each time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_WAIT = 0.25  # seconds, after the first error
LONGEST_WAIT = 60.0
SOONEST = 0.05  # seconds; who asks to look again at once does not keep the others out


class WorkQueue(Generic[K]):
    """A queue of keys.

    Args:
        jitter: gives a number between 0 and 1, so that keys that failed together do not come back together.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._gathered: dict[K, float] = {}
        self._appointments: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    def __len__(self) -> int:
        """Return how many keys wait for a worker."""
        return len(self._ready)

    def add(self, key: K) -> None:
        """Have the key worked on as soon as there is a worker for it."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._idle.clear()
            self._arrived.set()

    def add_within(self, key: K, seconds: float) -> None:
        """Have the key worked on in so many seconds at the latest; what comes until then is gathered."""
        if key in self._working:
            self._gathered[key] = min(seconds, self._gathered.get(key, seconds))
        elif key not in self._waiting and not self._closed:
            self._appoint(key, seconds)

    async def take(self) -> K:
        """Wait for the next key; `done` or `add_rate_limited` must be said of it.

        Raises:
            Closed: the queue is closed.
        """
        while not self._ready or self._closed:
            if self._closed:
                raise Closed
            self._arrived.clear()
            await self._arrived.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._working.add(key)
        self._cancel(key)
        return key

    def done(self, key: K, requeue_after: float | None = None) -> None:
        """The key was worked on; come back to it in so many seconds, or only when it is added."""
        self._failures.pop(key, None)
        self._finish(key, None if requeue_after is None else max(requeue_after, SOONEST))

    def add_rate_limited(self, key: K, retry_after: float | None = None) -> float:
        """The key could not be worked on; come back to it, no sooner than in so many seconds where they are given.

        Returns:
            In how many seconds.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # The exponent is bounded since a float is not: it would overflow after some thousand failures.
        longest = min(FIRST_WAIT * 2.0 ** min(failures, 30), LONGEST_WAIT)
        wait = longest * (0.5 + self._jitter() / 2)
        if retry_after is not None:
            wait += retry_after
        # What came meanwhile is seen by the next attempt as well; it is no reason to make that one sooner.
        self._again.discard(key)
        self._gathered.pop(key, None)
        self._finish(key, wait)
        return wait

    def failures(self, key: K) -> int:
        """Return how many times in a row the key has failed."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """Drop what is kept of a key whose object is gone."""
        self._failures.pop(key, None)
        self._cancel(key)

    async def quiet(self) -> None:
        """Wait until no key waits for a worker and none is being worked on; appointments do not count."""
        await self._idle.wait()

    def close(self) -> None:
        """Give out no more keys."""
        self._closed = True
        for key in list(self._appointments):
            self._cancel(key)
        self._arrived.set()

    def _finish(self, key: K, wait: float | None) -> None:
        self._working.discard(key)
        gathered = self._gathered.pop(key, None)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif not self._closed:
            for seconds in (wait, gathered):
                if seconds is not None:
                    self._appoint(key, seconds)
        if not self._ready and not self._working:
            self._idle.set()

    def _appoint(self, key: K, seconds: float) -> None:
        """Work on the key in so many seconds, or at its earlier appointment."""
        loop = asyncio.get_running_loop()
        known = self._appointments.get(key)
        if known is None or known.when() > loop.time() + seconds:
            self._cancel(key)
            self._appointments[key] = loop.call_later(seconds, self._due, key)

    def _due(self, key: K) -> None:
        self._appointments.pop(key, None)
        self.add(key)

    def _cancel(self, key: K) -> None:
        appointment = self._appointments.pop(key, None)
        if appointment is not None:
            appointment.cancel()


class Closed(Exception):
    """The queue gives out no more keys."""

"""An event loop whose clock jumps to the next appointment: waiting takes no time, and every run goes the same way."""

import asyncio
import selectors
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Jumping(selectors.SelectSelector):
    """A selector that never waits: it tells its loop how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("Everything waits for something that nobody will do.")
        self.passed += max(timeout, 0.0)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that begins at time 0."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run it in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)


@cache
def standing_loop() -> VirtualTimeLoop:
    """Return the one loop of those who do little at a time, and often: to make one takes longer than what they do."""
    return VirtualTimeLoop()

"""Answers that hold for a short while, each asked for once however many wait for it, and no more than so many."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Answers(Generic[Answer]):
    """Answers by their question.

    Args:
        seconds: how long an answer holds.
        most: how many are held; the one not asked for longest goes.
        clock: seconds that only go forward.
    """

    def __init__(self, seconds: Callable[[Answer], float], most: int, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._held: OrderedDict[Hashable, tuple[float, Answer]] = OrderedDict()
        self._asked: dict[Hashable, asyncio.Task[Answer]] = {}

    @property
    def waiting(self) -> int:
        """How many questions have no answer yet."""
        return len(self._asked)

    def held(self, question: Hashable) -> Answer | None:
        """Return the answer, where there is one that holds."""
        until, answer = self._held.get(question, (0.0, None))
        if answer is None or until <= self._clock():
            return None
        self._held.move_to_end(question)
        return answer

    async def ask(self, question: Hashable, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer that holds, or ask for it; who comes meanwhile waits for the same."""
        held = self.held(question)
        if held is not None:
            return held
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.ensure_future(self._ask(question, ask))
        return await asyncio.shield(task)  # who goes away takes the answer from nobody

    async def _ask(self, question: Hashable, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            answer = await ask()
        finally:
            del self._asked[question]
        self._held[question] = self._clock() + self._seconds(answer), answer
        self._held.move_to_end(question)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return answer

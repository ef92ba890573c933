"""Requests that are waiting at the same moment are answered by one run of the Model; none waits for another to come.

The event loop reads all sockets that have something, then runs what those requests scheduled: the first of them
schedules one flush, which takes all that are there. Under no load a flush holds one request and costs nothing but its
own step.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from penstock_jobs.models.answers import Predictions
from penstock_jobs.models.block import Block, joined

# From here on a run would hold up the health checks of the same loop, so it goes to a thread.
LARGE = 512


class Batcher:
    """Joins what is waiting, and gives each its own part of the answer."""

    def __init__(self, predict: Callable[[Block], Predictions]) -> None:
        """Take the function that answers a block of rows."""
        self._predict = predict
        self._waiting: list[tuple[Block, asyncio.Future[Predictions]]] = []
        self.runs = 0

    async def answer(self, block: Block) -> Predictions:
        """Return the answer to the rows of one request."""
        loop = asyncio.get_running_loop()
        if block.rows >= LARGE:
            self.runs += 1
            return await loop.run_in_executor(None, self._predict, block)
        future: asyncio.Future[Predictions] = loop.create_future()
        self._waiting.append((block, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return await future

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.runs += 1
        try:
            answer = self._predict(joined([block for block, _ in waiting]))
        except Exception:
            self._one_by_one(waiting)
            return
        start = 0
        for block, future in waiting:
            if not future.done():  # it is when the client went away
                future.set_result(answer if len(waiting) == 1 else _part(answer, start, start + block.rows))
            start += block.rows

    def _one_by_one(self, waiting: list[tuple[Block, "asyncio.Future[Predictions]"]]) -> None:
        """Answer each alone, so that a row that the Model cannot answer to fails only its own request."""
        for block, future in waiting:
            if future.done():
                continue
            try:
                future.set_result(self._predict(block))
            except Exception as error:
                future.set_exception(error)


def _part(answer: Predictions, start: int, end: int) -> Predictions:
    def cut(values: Any) -> Any:
        return None if values is None else values[start:end]

    return Predictions(cut(answer.labels), cut(answer.probabilities), cut(answer.decision))

"""Requests that are waiting at the same moment are answered by one run of the Model; none waits for another to come.

The event loop reads all sockets that have something, then runs what those requests scheduled: the first of them
schedules one flush, which takes all that are there. Under no load a flush holds one request and costs nothing but its
own step.
"""

import asyncio
from collections.abc import Callable
from itertools import accumulate
from time import perf_counter
from typing import Any

from penstock_jobs.models.answers import ModelPredictions
from penstock_jobs.models.block import Block, concatenate_blocks

# From here on a run would hold up the health checks of the same loop, so it goes to a thread.
LARGE = 512
SLOW_SECONDS = 0.02


class Batcher:
    """Joins what is waiting, and gives each its own part of the answer.

    Attributes:
        runs: how many times the Model was run.
    """

    def __init__(self, predict: Callable[[Block], ModelPredictions], slow: float = SLOW_SECONDS) -> None:
        """Take the function that answers a block of rows, and the seconds from which on a run goes to a thread."""
        self._limit = slow
        self._predict = predict
        self._waiting: list[_Waiting] = []
        self._busy = False
        self._slow = False
        self.runs = 0

    async def answer(self, block: Block) -> ModelPredictions:
        """Return the answer to the rows of one request."""
        loop = asyncio.get_running_loop()
        if block.rows >= LARGE:
            self.runs += 1
            return await loop.run_in_executor(None, self._predict, block)
        future: asyncio.Future[ModelPredictions] = loop.create_future()
        self._waiting.append((block, future))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._flush)
        return await future

    def _flush(self) -> None:
        """Answer all that waits: here, or in a thread where the last run took long; the next flush waits for that."""
        waiting, self._waiting = self._waiting, []
        self.runs += 1
        if not self._slow:
            self._deliver(waiting, self._outcome(waiting))
            self._busy = False
            return
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(None, self._outcome, waiting)

        def done(finished: "asyncio.Future[_Outcome]") -> None:
            self._deliver(waiting, finished.result())
            self._busy = bool(self._waiting)
            if self._busy:
                loop.call_soon(self._flush)

        running.add_done_callback(done)

    def _outcome(self, waiting: "list[_Waiting]") -> "_Outcome":
        """Return an answer for each, or why there is none. A row that cannot be answered fails only its own request."""
        blocks = [block for block, _ in waiting]
        started = perf_counter()
        try:
            answer = self._predict(concatenate_blocks(blocks))
        except Exception:
            return [self._answer_alone(block) for block in blocks]
        finally:
            self._slow = perf_counter() - started > self._limit
        if len(blocks) == 1:
            return [answer]
        ends = list(accumulate(block.rows for block in blocks))
        return [_slice_answer(answer, end - block.rows, end) for block, end in zip(blocks, ends, strict=True)]

    def _answer_alone(self, block: Block) -> ModelPredictions | Exception:
        try:
            return self._predict(block)
        except Exception as error:
            return error

    def _deliver(self, waiting: "list[_Waiting]", outcome: "_Outcome") -> None:
        for (_, future), answer in zip(waiting, outcome, strict=True):
            if future.done():  # it is when the client went away
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


_Waiting = tuple[Block, "asyncio.Future[ModelPredictions]"]
_Outcome = list[ModelPredictions | Exception]


def _slice_answer(answer: ModelPredictions, start: int, end: int) -> ModelPredictions:
    def cut(values: Any) -> Any:
        return None if values is None else values[start:end]

    return ModelPredictions(cut(answer.labels), cut(answer.probabilities), cut(answer.decision))

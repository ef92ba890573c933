"""Whose turn it is: requests for predictions begin in the order they came, few enough at a time for health to be heard.

What begins in one step of the event loop, and what is being answered at one moment, is bounded by the bytes of the
bodies; a large body counts in neither, since it is read elsewhere, one at a time.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from penstock_jobs.serving.application import SMALL, Application
from penstock_jobs.serving.messages import HttpAnswer, HttpRequest

STEP_BYTES = 256 << 10  # of bodies that are read between two looks at the sockets
WORK_BYTES = 2 << 20  # of bodies whose rows wait for the Model at one moment

_Done = Callable[[HttpAnswer], None]


class Turns:
    """Has requests answered by the application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._waiting: deque[tuple[HttpRequest, _Done]] = deque()
        self._working = 0
        self._scheduled = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def requests(self) -> int:
        """How many requests are being answered, or wait for that."""
        return len(self._waiting) + len(self._tasks)

    def add(self, request: HttpRequest, done: _Done) -> None:
        """Have a request answered when its turn comes; `done` is given the answer."""
        self._waiting.append((request, done))
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled and self._working < WORK_BYTES:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._scheduled = False
        begun = 0
        while self._waiting and begun < STEP_BYTES and self._working < WORK_BYTES:
            request, done = self._waiting.popleft()
            size = len(request.body)
            size = size if size <= SMALL else 0
            begun += size
            self._working += size
            task = asyncio.get_running_loop().create_task(self._answer(request, done, size))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._schedule()

    async def _answer(self, request: HttpRequest, done: _Done, size: int) -> None:
        try:
            answer = await self._application.answer(request)
        finally:
            self._working -= size
            self._schedule()
        done(answer)

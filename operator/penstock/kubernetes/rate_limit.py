"""How fast we ask the API server: a bucket of tokens, and a halt when it says that it is too much."""

import asyncio


class RateLimiter:
    """Lets `rate` requests a second pass, and `burst` of them at once after a rest; first come, first served.

    Args:
        rate: requests a second, above 0.
        burst: as many as may pass at once, at least 1.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1.0 / rate
        self._slack = (burst - 1) * self._interval
        self._next = float("-inf")  # when the next token is due, were none saved
        self._halted_until = float("-inf")

    async def acquire(self) -> None:
        """Wait for one's turn."""
        now = self._now()
        turn = max(self._next, now - self._slack, self._halted_until)
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)

    def halt(self, seconds: float) -> None:
        """Give nobody a turn before so many seconds have passed; turns that were given stay."""
        self._halted_until = max(self._halted_until, self._now() + seconds)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

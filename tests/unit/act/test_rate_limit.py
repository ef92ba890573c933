"""How fast the API server is asked."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.kubernetes.rate_limit import RateLimiter
from unit.act import virtual_time

PAUSES = st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=60)


async def _turns(limiter: RateLimiter, pauses: list[float]) -> list[tuple[int, float]]:
    """Let one caller after the other arrive, and return who got a turn and when."""
    loop = asyncio.get_running_loop()
    turns: list[tuple[int, float]] = []

    async def caller(number: int) -> None:
        await limiter.acquire()
        turns.append((number, loop.time()))

    tasks = []
    for number, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(caller(number)))
    await asyncio.gather(*tasks)
    return turns


@settings(deadline=None)
@given(PAUSES, st.floats(0.5, 50), st.integers(1, 20))
def test_no_stretch_of_time_ever_sees_more_than_the_burst_and_the_rate(
    pauses: list[float], rate: float, burst: int
) -> None:
    turns = [at for _, at in virtual_time.run(_turns(RateLimiter(rate, burst), pauses))]

    for first, begin in enumerate(turns):
        for last in range(first, len(turns)):
            assert last - first + 1 <= burst + rate * (turns[last] - begin) + 1e-6


@settings(deadline=None)
@given(PAUSES, st.floats(0.5, 50), st.integers(1, 20))
def test_who_comes_first_is_served_first(pauses: list[float], rate: float, burst: int) -> None:
    turns = virtual_time.run(_turns(RateLimiter(rate, burst), pauses))

    assert [number for number, _ in turns] == sorted(number for number, _ in turns)


def test_after_a_rest_a_burst_passes_at_once() -> None:
    turns = virtual_time.run(_turns(RateLimiter(1, 5), [10.0, 0, 0, 0, 0]))

    assert {at for _, at in turns} == {10.0}


@settings(deadline=None)
@given(st.floats(0.1, 100), st.integers(1, 5))
def test_nobody_has_a_turn_while_it_is_halted(seconds: float, callers: int) -> None:
    limiter = RateLimiter(100, 5)

    async def halted() -> list[tuple[int, float]]:
        limiter.halt(seconds)
        return await _turns(limiter, [0.0] * callers)

    assert all(at >= seconds for _, at in virtual_time.run(halted()))

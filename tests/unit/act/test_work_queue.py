"""Which keys are worked on, and when."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.act.queue import LONGEST_WAIT, Closed, WorkQueue
from unit.act import virtual_time

ARRIVALS = st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 3)), max_size=40)


@settings(deadline=None)
@given(ARRIVALS, st.integers(1, 5), st.data())
def test_a_key_is_never_worked_on_by_two_and_each_event_is_followed_by_work(
    arrivals: list[tuple[str, float]], workers: int, data: st.DataObject
) -> None:
    queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
    at_work: Counter[str] = Counter()
    last_added: dict[str, float] = {}
    last_begun: dict[str, float] = {}

    async def work() -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                key = await queue.take()
            except Closed:
                return
            at_work[key] += 1
            assert at_work[key] == 1
            last_begun[key] = loop.time()
            await asyncio.sleep(data.draw(st.floats(0, 2)))
            at_work[key] -= 1
            if data.draw(st.booleans()):
                queue.done(key)
            else:
                queue.add_rate_limited(key)

    async def all_of_it() -> None:
        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        for key, pause in arrivals:
            await asyncio.sleep(pause)
            queue.add(key)
            last_added[key] = asyncio.get_running_loop().time()
        await asyncio.sleep(100_000)
        queue.close()
        await asyncio.gather(*tasks)

    virtual_time.run(all_of_it())

    assert last_begun.keys() == last_added.keys()
    assert all(last_begun[key] >= at for key, at in last_added.items())


async def _wait_for(queue: WorkQueue[str]) -> tuple[str, float]:
    key = await queue.take()
    return key, asyncio.get_running_loop().time()


def test_however_many_events_came_the_key_is_worked_on_once() -> None:
    async def many() -> int:
        queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
        for _ in range(100):
            queue.add("a")
        return len(queue)

    assert virtual_time.run(many()) == 1


def test_an_event_during_the_work_makes_the_key_be_worked_on_again() -> None:
    async def during() -> tuple[str, float]:
        queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
        queue.add("a")
        key = await queue.take()
        queue.add("a")
        queue.done(key, requeue_after=1000)
        return await _wait_for(queue)

    assert virtual_time.run(during()) == ("a", 0.0)


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0, 1))
def test_waits_after_errors_grow_and_are_bounded(failures: int, jitter: float) -> None:
    async def failing() -> list[float]:
        queue: WorkQueue[str] = WorkQueue(lambda: jitter)
        queue.add("a")
        return [queue.add_rate_limited(await queue.take()) for _ in range(failures)]

    waits = virtual_time.run(failing())

    assert waits == sorted(waits)
    assert all(0 < wait <= LONGEST_WAIT for wait in waits)


def test_a_success_makes_the_next_wait_short_again() -> None:
    async def after_success() -> tuple[float, float]:
        queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
        queue.add("a")
        first = queue.add_rate_limited(await queue.take())
        queue.add_rate_limited(await queue.take())
        queue.done(await queue.take())
        queue.add("a")
        return first, queue.add_rate_limited(await queue.take())

    first, last = virtual_time.run(after_success())

    assert first == last


@settings(deadline=None)
@given(st.floats(0, 300), st.floats(0, 1))
def test_a_key_never_comes_back_sooner_than_the_server_asked(seconds: float, jitter: float) -> None:
    async def told_to_wait() -> tuple[str, float]:
        queue: WorkQueue[str] = WorkQueue(lambda: jitter)
        queue.add("a")
        queue.add_rate_limited(await queue.take(), retry_after=seconds)
        return await _wait_for(queue)

    _, at = virtual_time.run(told_to_wait())

    assert at >= seconds


def test_events_during_a_failing_attempt_do_not_bring_it_back_sooner() -> None:
    async def hot() -> tuple[str, float]:
        queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
        queue.add("a")
        key = await queue.take()
        queue.add("a")
        queue.add_rate_limited(key, retry_after=5)
        return await _wait_for(queue)

    _, at = virtual_time.run(hot())

    assert at >= 5


def test_only_the_latest_appointment_counts() -> None:
    async def twice() -> tuple[str, float]:
        queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
        queue.add("a")
        queue.done(await queue.take(), requeue_after=10)
        queue.add("a")
        queue.done(await queue.take(), requeue_after=50)
        return await _wait_for(queue)

    assert virtual_time.run(twice()) == ("a", 50.0)


def test_a_closed_queue_gives_out_nothing_more() -> None:
    async def closed() -> None:
        queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
        queue.add("a")
        queue.close()
        with pytest.raises(Closed):
            await queue.take()

    virtual_time.run(closed())


def test_what_is_gathered_is_worked_on_once_and_in_time() -> None:
    async def gathering() -> list[tuple[str, float]]:
        queue: WorkQueue[str] = WorkQueue(lambda: 0.5)
        for _ in range(5):
            queue.add_within("a", 0.5)
            await asyncio.sleep(0.1)
        first = await _wait_for(queue)
        queue.add_within("a", 0.5)  # while it is worked on
        await asyncio.sleep(1)
        queue.done("a", requeue_after=100)
        return [first, await _wait_for(queue)]

    assert virtual_time.run(gathering()) == [("a", 0.5), ("a", 2.0)]

"""Of several replicas one may write at any time, whatever hangs, is refused or is lost on the way to the API server."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.act.leadership import DEADLINE, DURATION, PERIOD, LeaseLost, Tenure, lead
from penstock.act.settings import Lease
from penstock.kubernetes.client import Client
from penstock.kubernetes.connection import TIMEOUT, Answer, Request
from penstock.kubernetes.errors import Transient
from penstock.kubernetes.kinds import LEASE
from penstock.kubernetes.rate_limit import RateLimiter
from unit.act import virtual_time
from unit.act.fake_api import FakeApi, status

NAME = Lease(name="penstock", namespace="ps")
Trouble = Literal["hangs", "is refused", "is lost"]


@dataclass
class Link:
    """One replica's way to the API server, with the spans of time in which something is wrong with it."""

    api: FakeApi
    troubles: list[tuple[float, float, Trouble]] = field(default_factory=list)

    async def send(self, request: Request) -> Answer:
        now = asyncio.get_running_loop().time()
        trouble = next((kind for begin, end, kind in self.troubles if begin <= now < end), None)
        if trouble == "is refused":
            return status(503, "ServiceUnavailable", "etcd has no leader")
        if trouble == "hangs":
            await asyncio.sleep(TIMEOUT)
        answer = await self.api.send(request)
        if trouble == "is lost":
            raise Transient(0, "NoAnswer", "The connection was lost.")
        return answer


@dataclass
class Replica:
    link: Link
    name: str
    works: float = 10**6  # seconds
    tenure: Tenure = field(init=False)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    worked_since: float | None = None

    def __post_init__(self) -> None:
        self.tenure = Tenure(asyncio.get_running_loop().time)

    async def run(self) -> None:
        client = Client(self.link, RateLimiter(100, 100), 5)
        await lead(client, NAME, self.name, self.work, tenure=self.tenure, ending=self.ending)

    async def work(self) -> None:
        self.worked_since = asyncio.get_running_loop().time()
        await asyncio.sleep(self.works)

    async def run_again_and_again(self) -> None:
        """Run as a Deployment does: whoever ends is started again."""
        while True:
            try:
                await self.run()
            except LeaseLost:
                await asyncio.sleep(1)


def in_virtual_time(coroutine: Coroutine[Any, Any, None]) -> None:
    virtual_time.run(coroutine)


async def leader_of(*replicas: Replica, seconds: float = 60) -> Replica:
    for _ in range(int(seconds * 10)):
        await asyncio.sleep(0.1)
        for each in replicas:
            if each.tenure.left() > 0 and each.worked_since is not None:
                return each
    raise AssertionError("Nobody works.")


spans = st.lists(
    st.tuples(st.floats(0, 80), st.floats(0.1, 40), st.sampled_from(["hangs", "is refused", "is lost"])).map(
        lambda span: (span[0], span[0] + span[1], span[2])
    ),
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(first=spans, second=spans)
def test_never_may_two_write_and_somebody_works_again_once_all_is_well(first: Any, second: Any) -> None:
    async def scene() -> None:
        api = FakeApi()
        replicas = [Replica(Link(api, first), "first"), Replica(Link(api, second), "second")]
        tasks = [asyncio.create_task(each.run_again_and_again()) for each in replicas]
        for _ in range(1300):
            await asyncio.sleep(0.1)
            assert sum(each.tenure.left() > 0 for each in replicas) <= 1
        await leader_of(*replicas, seconds=TIMEOUT + DURATION + 2 * PERIOD)
        for each in tasks:
            each.cancel()

    in_virtual_time(scene())


def test_who_ends_lets_go_of_the_lease_so_that_the_other_need_not_wait_for_it_to_run_out() -> None:
    async def scene() -> None:
        api = FakeApi()
        first, second = Replica(Link(api), "first", works=30), Replica(Link(api), "second")
        tasks = [asyncio.create_task(first.run())]
        await leader_of(first)
        tasks.append(asyncio.create_task(second.run()))
        await tasks[0]
        ended = asyncio.get_running_loop().time()
        await leader_of(second)
        assert (second.worked_since or 0) - ended < 2 * PERIOD
        tasks[1].cancel()

    in_virtual_time(scene())


def test_who_vanished_is_followed_after_the_whole_duration() -> None:
    async def scene() -> None:
        api = FakeApi()
        first, second = Replica(Link(api), "first"), Replica(Link(api), "second")
        gone = asyncio.create_task(first.run())
        await leader_of(first)
        first.link.troubles.append((asyncio.get_running_loop().time(), 10**6, "is refused"))
        task = asyncio.create_task(second.run())
        with pytest.raises(LeaseLost, match=r"could not be renewed for 10 s"):
            await gone
        await leader_of(second)
        assert (second.worked_since or 0) >= DURATION - PERIOD
        task.cancel()

    in_virtual_time(scene())


def test_a_lease_that_another_took_is_lost_at_once() -> None:
    async def scene() -> None:
        api = FakeApi()
        first = Replica(Link(api), "first")
        task = asyncio.create_task(first.run())
        await leader_of(first)
        there = next(each for each in api.objects.values() if each["kind"] == LEASE.kind)
        api.put({**there, "spec": {**there["spec"], "holderIdentity": "another"}})
        with pytest.raises(LeaseLost, match="another holds it"):
            await task

    in_virtual_time(scene())


def test_who_stands_by_ends_at_once_when_it_is_told_to() -> None:
    async def scene() -> None:
        api = FakeApi()
        first, second = Replica(Link(api), "first"), Replica(Link(api), "second")
        task = asyncio.create_task(first.run())
        await leader_of(first)
        standing_by = asyncio.create_task(second.run())
        await asyncio.sleep(PERIOD)
        told = asyncio.get_running_loop().time()
        second.ending.set()
        await standing_by
        assert asyncio.get_running_loop().time() == told
        assert second.worked_since is None
        task.cancel()

    in_virtual_time(scene())


def test_a_process_that_was_held_for_longer_than_the_lease_writes_nothing_when_it_goes_on() -> None:
    async def scene() -> None:
        api, now = FakeApi(), 0.0
        tenure = Tenure(lambda: now)
        tenure.extend(now)
        client = Client(api, RateLimiter(100, 100), 5, left=tenure.left)
        made = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": {"name": "x", "namespace": "ps"}}
        await client.create(made)
        now += DEADLINE
        with pytest.raises(Transient, match="Another operator may be at work"):
            await client.create({**made, "metadata": {"name": "y", "namespace": "ps"}})
        assert await client.get(LEASE, "ps", "x") is not None

    in_virtual_time(scene())


def test_a_write_that_is_not_answered_while_the_lease_holds_is_given_up() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        tenure = Tenure(loop.time)
        tenure.extend(loop.time())
        link = Link(FakeApi(), [(0, 10**6, "hangs")])
        client = Client(link, RateLimiter(100, 100), 5, left=tenure.left)
        with pytest.raises(Transient, match="does not answer"):
            await client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "n"}})
        assert loop.time() <= DEADLINE + 0.1

    in_virtual_time(scene())


def test_the_process_before_in_the_same_pod_holds_nobody_up() -> None:
    async def scene() -> None:
        api = FakeApi()
        first = Replica(Link(api), "pod-1")
        killed = asyncio.create_task(first.run())
        await leader_of(first)
        killed.cancel()
        again = Replica(Link(api), "pod-1")
        began = asyncio.get_running_loop().time()
        task = asyncio.create_task(again.run())
        await leader_of(again)
        assert (again.worked_since or 0) - began < PERIOD
        task.cancel()

    in_virtual_time(scene())

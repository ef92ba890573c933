"""Listing all objects: what watches never tell."""

import asyncio

import pytest

from penstock.act.resync import BEHIND, Resync
from penstock.kubernetes import client
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.kinds import CONFIG_MAP, CONTROLLER_REVISION, MODEL, RUN, Key, Kind
from unit.act import virtual_time
from unit.act.fake_api import FakeApi, status
from unit.act.shell_parts import Shell, make_run

KEY = Key("PipelineRun", "team", "churn-1")


def _resync(shell: Shell, *namespaces: str) -> Resync:
    return Resync(shell.client, shell.view, namespaces, 180.0, lambda: 0.5)


def test_what_went_while_a_watch_was_broken_is_forgotten_and_its_key_is_looked_at() -> None:
    """After a 410 and a new list kopf tells of no deletion."""

    async def all_of_it() -> tuple[bool, int]:
        api = FakeApi()
        run = api.put(make_run())
        shell = Shell(api)
        await _resync(shell).first()
        await shell.work_until_quiet()
        api.remove(run)
        await _resync(shell).first()
        return shell.view.cache.get(KEY) is None, len(shell.queue)

    forgotten, woken = virtual_time.run(all_of_it())

    assert forgotten
    assert woken == 1


def test_a_watch_that_begins_anew_has_its_kind_listed_at_once() -> None:
    async def all_of_it() -> list[float]:
        api = FakeApi()
        shell = Shell(api)
        resync = _resync(shell)
        await resync.first()
        times: list[float] = []

        def noted(request: Request) -> Answer | None:
            times.append(asyncio.get_running_loop().time())
            assert "pipelineruns" in request.path
            return None

        running = asyncio.create_task(resync.run())
        await asyncio.sleep(60)
        api.fault = noted
        for _ in range(50):
            resync.suspect(RUN)
        await asyncio.sleep(10)
        running.cancel()
        return times

    [listed] = virtual_time.run(all_of_it())
    assert 60 <= listed <= 65


def test_all_is_listed_every_few_minutes() -> None:
    async def all_of_it() -> float:
        api = FakeApi()
        shell = Shell(api)
        resync = _resync(shell)
        await resync.first()
        running = asyncio.create_task(resync.run())
        oldest = 0.0
        for _ in range(1000):
            await asyncio.sleep(1)
            oldest = max(oldest, resync.age())
        running.cancel()
        return oldest

    assert virtual_time.run(all_of_it()) < 200


def test_an_api_server_that_is_down_makes_the_operator_unwell_in_the_end_and_well_again_after() -> None:
    async def all_of_it() -> list[bool]:
        api = FakeApi()
        shell = Shell(api)
        resync = _resync(shell)
        well = [resync.healthy()]
        await resync.first()
        running = asyncio.create_task(resync.run())
        well.append(resync.healthy())
        api.fault = lambda request: status(503, "ServiceUnavailable")
        await asyncio.sleep(1200)
        well.append(resync.healthy())
        api.fault = lambda request: None
        await asyncio.sleep(60)
        well.append(resync.healthy())
        running.cancel()
        return well

    assert virtual_time.run(all_of_it()) == [True, True, False, True]


def test_the_first_list_is_tried_until_it_is_there() -> None:
    async def all_of_it() -> bool:
        answers = iter([status(404, "NotFound"), status(403, "Forbidden"), status(500, "")])
        shell = Shell(FakeApi(lambda request: next(answers, None)))
        resync = _resync(shell)
        await resync.first()
        return resync.healthy()

    assert virtual_time.run(all_of_it())


def test_only_the_namespaces_that_are_named_are_listed() -> None:
    async def all_of_it() -> set[str]:
        api = FakeApi()
        shell = Shell(api)
        await _resync(shell, "team", "lab").first()
        return {request.path.split("/namespaces/")[1].split("/")[0] for request in api.requests}

    assert virtual_time.run(all_of_it()) == {"team", "lab"}


def _light(request: Request) -> bool:
    return "PartialObjectMetadataList" in request.accept


def test_a_round_asks_for_no_object_that_is_known() -> None:
    async def all_of_it() -> list[bool]:
        api = FakeApi()
        for number in range(10):
            api.put(make_run(f"churn-{number}"))
        shell = Shell(api)
        resync = _resync(shell)
        await resync.first()
        first, api.requests = api.requests, []
        assert not any(map(_light, first))
        running = asyncio.create_task(resync.run())
        await asyncio.sleep(1000)
        running.cancel()
        return [_light(request) for request in api.requests]

    light = virtual_time.run(all_of_it())
    assert light
    assert all(light)


def test_what_a_watch_has_not_told_of_a_while_later_is_listed() -> None:
    async def all_of_it() -> tuple[list[object], list[str]]:
        api = FakeApi()
        api.put(make_run())
        shell = Shell(api)
        resync = _resync(shell)
        await resync.first()
        await shell.work_until_quiet()
        api.put(make_run(executionName="other"))
        api.put(make_run("churn-2"))
        api.requests = []
        running = asyncio.create_task(resync.run())
        await asyncio.sleep(250)
        running.cancel()
        found = [shell.view.cache.get(key) for key in (KEY, KEY._replace(name="churn-2"))]
        whole = [request.path for request in api.requests if not _light(request)]
        return [(each or {}).get("status", {}).get("executionName") if each else None for each in found], whole

    (changed, _), whole = virtual_time.run(all_of_it())
    assert changed == "other"
    assert len(whole) == 1
    assert "pipelineruns" in whole[0]


def test_what_a_watch_tells_of_a_little_later_is_not_listed() -> None:
    async def all_of_it() -> int:
        api = FakeApi()
        api.put(make_run())
        shell = Shell(api)
        resync = _resync(shell)
        await resync.first()
        changed = api.put(make_run(executionName="other"))
        running = asyncio.create_task(resync.run())
        await asyncio.sleep(180 + BEHIND / 2)  # the round has begun
        assert any(map(_light, api.requests))
        shell.view.on_update(changed)
        api.requests = []
        await asyncio.sleep(60)
        running.cancel()
        return sum(not _light(request) for request in api.requests)

    assert virtual_time.run(all_of_it()) == 0


def test_ten_thousand_finished_runs_cost_few_requests_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has itself, a Model, its snapshot, the record of its files and its results; here a tenth of all of it."""
    monkeypatch.setattr(client, "LIGHT_PAGE", client.LIGHT_PAGE // 10)

    async def all_of_it() -> int:
        api = FakeApi(latency=0)
        shell = Shell(api)
        resync = _resync(shell)
        for kind, each in ((RUN, 1), (MODEL, 1), (CONTROLLER_REVISION, 2), (CONFIG_MAP, 1)):
            fill(api, shell, kind, each * 1_000)
        running = asyncio.create_task(resync.run())
        await asyncio.sleep(300)
        running.cancel()
        return len(api.requests)

    requests = virtual_time.run(all_of_it())
    assert requests <= 35
    assert requests / 600 < 0.1  # a second, with the default of ten minutes


def fill(api: FakeApi, shell: Shell, kind: Kind, number: int) -> None:
    """Have so many objects of a kind, and have them known."""
    for each in range(number):
        metadata = {"name": f"{kind.plural}-{each}", "namespace": "team", "labels": {"penstock.dev/pipeline": "churn"}}
        spec = {"pipelineRef": {"name": "churn"}}
        made = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec}
        shell.view.cache.put(api.put(made))

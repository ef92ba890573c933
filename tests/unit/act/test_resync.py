"""Listing all objects: what watches never tell."""

import asyncio

from penstock.act.resync import Resync
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.kinds import RUN, Key
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

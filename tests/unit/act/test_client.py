"""What the operator asks of the API server, and how."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from penstock.kubernetes.client import Client
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.errors import AlreadyExists, Conflict, Transient
from penstock.kubernetes.kinds import JOB, RUN, Object
from penstock.kubernetes.rate_limit import RateLimiter
from unit.act import virtual_time
from unit.act.fake_api import FakeApi, status
from unit.act.shell_parts import make_run


def asked(api: FakeApi, ask: Callable[[Client], Coroutine[Any, Any, Any]], concurrent: int = 4) -> Any:
    async def all_of_it() -> Any:
        return await ask(Client(api, RateLimiter(1000, 1000), concurrent))

    return virtual_time.run(all_of_it())


def _full(count: int) -> FakeApi:
    api = FakeApi()
    for number in range(count):
        api.put(make_run(f"churn-{number:04}"))
    return api


def test_a_list_holds_all_pages_and_each_item_says_what_it_is() -> None:
    api = _full(1200)

    listing = asked(api, lambda client: client.list(RUN, None))

    assert len(listing.items) == 1200
    assert {(each["apiVersion"], each["kind"]) for each in listing.items} == {(RUN.api_version, "PipelineRun")}
    assert listing.version == "1200"
    assert not any("managedFields" in each["metadata"] for each in listing.items)


def test_a_list_whose_pages_expire_begins_again() -> None:
    api = _full(1200)
    api.page_version_lives = False

    assert len(asked(api, lambda client: client.list(RUN, None)).items) == 1200


def test_each_object_of_a_list_is_told_of_before_the_next_page_is_asked_for() -> None:
    """So that not all of them are in memory at a time: as plain objects they are many times what the cache keeps."""
    api, told, told_before = _full(1200), list[Object](), list[int]()

    def noted(request: Request) -> None:
        told_before.append(len(told))

    api.fault = noted
    version = asked(api, lambda client: client.each(RUN, None, None, told.append))

    assert (told_before, len(told), version) == ([0, 500, 1000], 1200, "1200")


def test_creating_what_is_there_says_so() -> None:
    with pytest.raises(AlreadyExists):
        asked(_full(1), lambda client: client.create(make_run("churn-0000")))


def test_fields_belong_to_the_operator_or_to_the_manager_that_is_named() -> None:
    api = _full(1)
    content = {"metadata": {}, "spec": {"suspend": True}}
    asked(api, lambda client: client.patch(RUN, "team", "churn-0000", content))
    asked(api, lambda client: client.patch(RUN, "team", "churn-0000", content, manager="penstock-deploy"))

    managers = [parse_qs(urlsplit(each.path).query)["fieldManager"] for each in api.requests]
    assert managers == [["penstock"], ["penstock-deploy"]]


def test_deleting_another_object_of_the_same_name_is_refused() -> None:
    api = _full(1)

    with pytest.raises(Conflict):
        asked(api, lambda client: client.delete(RUN, "team", "churn-0000", "another"))
    assert len(api.objects) == 1


def test_deleting_what_is_gone_is_success() -> None:
    assert asked(FakeApi(), lambda client: client.delete(JOB, "team", "gone", "uid")) is None


def test_getting_what_is_not_there_is_none() -> None:
    assert asked(FakeApi(), lambda client: client.get(JOB, "team", "gone")) is None


def test_never_more_requests_at_once_than_there_are_places() -> None:
    api = FakeApi()

    async def many(client: Client) -> None:
        await asyncio.gather(*(client.get(RUN, "team", str(number)) for number in range(500)))

    asked(api, many, concurrent=7)

    assert api.most_in_flight == 7


def test_a_server_that_is_asked_too_much_is_left_alone_for_as_long_as_it_says() -> None:
    times: list[float] = []

    def fault(request: Request) -> Answer | None:
        times.append(asyncio.get_running_loop().time())
        return status(429, "TooManyRequests", Retry_After="20") if len(times) == 1 else None

    async def twice(client: Client) -> None:
        with pytest.raises(Transient):
            await client.get(RUN, "team", "a")
        await client.get(RUN, "team", "b")

    asked(FakeApi(fault), twice)

    assert times[1] - times[0] >= 20


def test_a_write_is_counted_once_it_is_accepted() -> None:
    written: list[tuple[str, str]] = []
    api = _full(1)

    async def some() -> None:
        client = Client(api, RateLimiter(1000, 10), 4, lambda verb, kind: written.append((verb, kind)))
        with pytest.raises(AlreadyExists):
            await client.create(make_run("churn-0000"))
        made: Object = await client.create(make_run("churn-9999"))
        await client.delete(RUN, "team", "churn-9999", made["metadata"]["uid"])

    virtual_time.run(some())

    assert written == [("create", "PipelineRun"), ("delete", "PipelineRun")]

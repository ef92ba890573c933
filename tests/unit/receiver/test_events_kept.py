"""An event that was accepted is a run, and one run; what is not accepted leaves nothing behind."""

import asyncio
from typing import Any

import pytest

from penstock.decide.events.limits import Limits
from penstock.decide.reasons import EVENT_REFUSED
from penstock.kubernetes.connection import Answer, Request
from unit.act.fake_api import AnswerLost, status
from unit.receiver.receiver_parts import ReceiverApi, Reply, Site, cloud_event, make_trigger, with_receiver

CLOUD_EVENT = "application/cloudevents+json"


def test_the_run_waits_says_its_event_and_belongs_to_its_trigger() -> None:
    async def told(site: Site) -> Any:
        assert await site.send("order-7", time="2026-11-21T11:59:00Z") == [202]
        return site.api.runs()

    (run,) = with_receiver(told)
    assert run["spec"]["suspend"] is True
    assert run["spec"]["trigger"] == {
        "name": "arrivals",
        "uid": "uid-of-team-arrivals",
        "generation": 1,
        "scheduledTime": "2026-11-21T11:59:00Z",
        "event": {"id": "order-7", "source": "/shop", "type": "rows.arrived", "time": "2026-11-21T11:59:00Z"},
    }
    assert [each["uid"] for each in run["metadata"]["ownerReferences"]] == ["uid-of-team-arrivals"]


def test_a_thousand_duplicates_make_nothing() -> None:
    async def told(site: Site) -> tuple[set[int], float]:
        found = await asyncio.gather(*(site.send(*["7"] * 50) for _ in range(20)))
        events = await site.metrics()
        return {each for some in found for each in some}, events['penstock_receiver_events_total{outcome="duplicate"}']

    api = ReceiverApi()
    assert with_receiver(told, api=api) == ({202}, 999)
    assert len(api.runs()) == 1


def test_the_same_id_of_another_source_is_another_event() -> None:
    async def told(site: Site) -> Any:
        await site.send("7", source="/shop")
        await site.send("7", source="/depot")

    api = ReceiverApi()
    with_receiver(told, api=api)
    assert len(api.runs()) == 2


def test_a_receiver_killed_between_the_run_and_the_answer_makes_no_second_run() -> None:
    def lose_first(request: Request) -> Answer | None:
        if request.method == "POST" and "/pipelineruns" in request.path and not lost:
            lost.append(request)
            raise AnswerLost
        return None

    lost: list[Request] = []
    api = ReceiverApi(fault=lose_first)

    async def told(site: Site) -> list[int]:
        return await site.send("7")

    assert with_receiver(told, api=api) == [503]
    assert with_receiver(told, api=api) == [202]  # another process; the sender says it again
    assert len(api.runs()) == 1


def test_nothing_is_answered_well_that_the_api_server_has_not_taken() -> None:
    def down(request: Request) -> Answer | None:
        return status(503, "ServiceUnavailable", Retry_After="9") if "POST" in request.method else None

    async def told(site: Site) -> Reply:
        api.fault = down
        return await site.post(cloud_event(), CLOUD_EVENT)

    api = ReceiverApi()

    async def after_one(site: Site) -> Reply:
        await site.send("0")  # the caller is known from here on
        return await told(site)

    found = with_receiver(after_one, api=api)
    assert (found.status, found.headers["Retry-After"]) == (503, "9")


def test_a_run_of_another_event_under_that_name_is_no_duplicate() -> None:
    async def told(site: Site) -> tuple[list[int], str]:
        first = await site.send("7")
        (run,) = site.api.runs()
        run["spec"]["trigger"]["event"]["id"] = "8"
        site.api.put(run)
        answer = await site.post(cloud_event("7"), CLOUD_EVENT)
        return [*first, answer.status], answer.text

    statuses, sentence = with_receiver(told)
    assert statuses == [202, 503]
    assert sentence.endswith("is there that is not of this event; delete it.")


def test_a_trigger_made_again_under_its_name_takes_the_event_anew() -> None:
    async def told(site: Site) -> Any:
        await site.send("7")
        again = make_trigger()
        again["metadata"]["uid"] = "another"
        site.api.put(again)
        await site.until(lambda: site.service.triggers.get("team", "arrivals")["metadata"]["uid"] == "another")  # type: ignore[index]
        return await site.send("7")

    api = ReceiverApi()
    assert with_receiver(told, api=api) == [202]
    assert len(api.runs()) == 2


# --- what waits ---


def test_beyond_what_may_wait_senders_are_asked_to_come_again() -> None:
    async def told(site: Site) -> Any:
        first = await site.send("1", "2", "3")
        full = await site.post(cloud_event("3"), CLOUD_EVENT)
        again = await site.send("1")  # it is there already
        (one, *_) = site.api.runs()
        site.api.remove(one)
        await site.until(lambda: len(site.service.pending) < 2)
        return first, full, again, await site.send("3")

    first, full, again, after = with_receiver(told, limits=Limits(pending=2))
    assert (first, again, after) == ([202, 202, 429], [202], [202])
    assert full.headers["Retry-After"] == "30"
    assert full.text == "2 runs of this Trigger wait to begin; send the event again later."


def test_all_that_come_at_once_are_counted() -> None:
    async def told(site: Site) -> list[int]:
        found = await asyncio.gather(*(site.send(str(number)) for number in range(30)))
        return sorted(each for some in found for each in some)

    api = ReceiverApi(latency=0.01)
    assert with_receiver(told, api=api, limits=Limits(pending=10)) == [202] * 10 + [429] * 20
    assert len(api.runs()) == 10


def test_runs_that_waited_before_the_receiver_began_count_too() -> None:
    async def told(site: Site) -> list[int]:
        return await site.send("1", "2", "3")

    api = ReceiverApi()
    with_receiver(told, api=api)

    async def again(site: Site) -> tuple[float, list[int]]:
        return (await site.metrics())["penstock_receiver_runs_pending"], await site.send("4")

    assert with_receiver(again, api=api, limits=Limits(pending=3)) == (3, [429])


def test_one_trigger_that_is_full_is_not_in_the_way_of_another() -> None:
    async def told(site: Site) -> list[int]:
        one = [(await site.post(cloud_event(each), CLOUD_EVENT)).status for each in ("1", "2")]
        other = await site.post(cloud_event("1"), CLOUD_EVENT, path="/v1/triggers/team/others")
        return [*one, other.status]

    api = ReceiverApi()
    api.rights |= {(name, "team", "others") for name, _, _ in api.rights}
    assert with_receiver(told, make_trigger(), make_trigger("others"), api=api, limits=Limits(pending=1)) == [
        202,
        429,
        202,
    ]


# --- what a Trigger does not wait for ---


@pytest.mark.parametrize(
    ("trigger", "event"),
    [
        (make_trigger(event={"types": ["rows.changed"]}), cloud_event()),
        (make_trigger(event={"source": "/depot"}), cloud_event()),
        (make_trigger(event={"source": "/shops/*"}), cloud_event()),
        (make_trigger(event={"subject": "rows/*"}), cloud_event()),
        (make_trigger(filter="event.data.rows > 100"), cloud_event(data={"rows": 7})),
        (make_trigger(suspend=True), cloud_event()),
    ],
)
def test_what_a_trigger_does_not_wait_for_is_taken_and_makes_no_run(trigger: Any, event: Any) -> None:
    async def told(site: Site) -> tuple[int, float]:
        answer = await site.post(event, CLOUD_EVENT)
        return answer.status, (await site.metrics())['penstock_receiver_events_total{outcome="skipped"}']

    api = ReceiverApi()
    assert with_receiver(told, trigger, api=api) == (204, 1)
    assert api.runs() == []


@pytest.mark.parametrize(
    ("trigger", "event"),
    [
        (make_trigger(event={"types": ["rows.arrived"], "source": "/sh*"}), cloud_event()),
        (make_trigger(event={"subject": "rows/*"}), cloud_event(subject="rows/7")),
        (make_trigger(filter="event.data.rows > 100 && event.type == 'rows.arrived'"), cloud_event(data={"rows": 101})),
        (make_trigger(filter="last.result == ''"), cloud_event()),
    ],
)
def test_what_a_trigger_waits_for_makes_a_run(trigger: Any, event: Any) -> None:
    async def told(site: Site) -> int:
        return (await site.post(event, CLOUD_EVENT)).status

    assert with_receiver(told, trigger) == 202


def test_the_event_gives_the_parameters_of_the_run() -> None:
    async def told(site: Site) -> Any:
        await site.send("1", data={"day": "2026-11-07"})
        return site.api.runs()

    trigger = make_trigger(parameters=[{"name": "asOf", "expression": "event.data.day"}])
    (run,) = with_receiver(told, trigger)
    assert [each["name"] for each in run["spec"]["parameters"]] == ["asOf"]
    assert "2026-11-07" in str(run["spec"]["parameters"])


# --- what cannot be processed ---


def test_an_event_for_which_the_filter_has_no_value_is_refused_and_listed_at_the_trigger() -> None:
    async def told(site: Site) -> Reply:
        return await site.post(cloud_event("7", data={}), CLOUD_EVENT)

    api = ReceiverApi()
    found: Reply = with_receiver(told, make_trigger(filter="event.data.rows > 100"), api=api)

    assert found.status == 400
    assert found.text.startswith("The event 7 starts no run: spec.filter cannot be evaluated")
    (event,) = [each for each in api.objects.values() if each["kind"] == "Event"]
    assert (event["reason"], event["regarding"]["name"]) == (EVENT_REFUSED, "arrivals")
    assert "7" in event["note"]


def test_it_can_be_sent_again_once_the_trigger_is_mended() -> None:
    async def told(site: Site) -> list[int]:
        before = await site.send("7", data={})
        mended = make_trigger(filter="true")
        site.api.put(mended)
        await site.until(lambda: (site.service.triggers.get("team", "arrivals") or {})["spec"]["filter"] == "true")
        return before + await site.send("7", data={})

    assert with_receiver(told, make_trigger(filter="event.data.rows > 100")) == [400, 202]


def test_who_sends_thousands_of_those_does_not_fill_the_api_server_with_events() -> None:
    async def told(site: Site) -> None:
        await site.send(*map(str, range(100)), data={})

    api = ReceiverApi()
    with_receiver(told, make_trigger(filter="event.data.rows > 100"), api=api)

    assert sum(each["kind"] == "Event" for each in api.objects.values()) == 20


def test_a_run_that_the_api_server_does_not_accept_is_listed_at_the_trigger() -> None:
    def refuses(request: Request) -> Answer | None:
        made = request.method == "POST" and "/pipelineruns" in request.path
        return status(422, "Invalid", "spec.overrides is wrong") if made else None

    async def told(site: Site) -> Reply:
        return await site.post(cloud_event(), CLOUD_EVENT)

    api = ReceiverApi(fault=refuses)
    found: Reply = with_receiver(told, api=api)

    assert (found.status, found.headers["Retry-After"]) == (503, "60")
    (event,) = [each for each in api.objects.values() if each["kind"] == "Event"]
    assert event["note"] == "The run of an event was not accepted: spec.overrides is wrong"


def test_a_full_quota_asks_to_come_again() -> None:
    def refuses(request: Request) -> Answer | None:
        made = request.method == "POST" and "/pipelineruns" in request.path
        return status(403, "Forbidden", "exceeded quota: runs") if made else None

    async def told(site: Site) -> list[int]:
        return await site.send("1")

    assert with_receiver(told, api=ReceiverApi(fault=refuses)) == [429]


def test_nobody_can_pass_for_a_person_who_asks_for_a_run() -> None:
    async def told(site: Site) -> list[int]:
        kinds = ("dev.penstock.trigger.by-hand", "dev.penstock.trigger.backfill")
        return [status for kind in kinds for status in await site.send("1", type=kind)]

    assert with_receiver(told) == [400, 400]


def test_a_trigger_of_another_source_takes_no_events() -> None:
    async def told(site: Site) -> Reply:
        return await site.post()

    trigger = make_trigger()
    del trigger["spec"]["event"]
    trigger["spec"]["schedule"] = {"cron": ["@daily"]}
    found: Reply = with_receiver(told, trigger)
    assert (found.status, found.text) == (
        404,
        "The Trigger arrivals takes no events by HTTP; give it the source event.",
    )

"""Who may bring an event to a Trigger that asks for no signature: a service account with the right to."""

import asyncio

import pytest

from penstock.decide.events.limits import AUDIENCE
from penstock.kubernetes.connection import Answer, Request
from unit.act.fake_api import status
from unit.receiver.receiver_parts import (
    SENDER,
    TOKEN,
    ReceiverApi,
    Reply,
    Site,
    make_token,
    make_trigger,
    with_receiver,
)


def asked(token: str | None = TOKEN, path: str = "/v1/triggers/team/arrivals", api: ReceiverApi | None = None) -> Reply:
    async def told(site: Site) -> Reply:
        return await site.post(token=token, path=path)

    found: Reply = with_receiver(told, make_trigger(), make_trigger(namespace="other"), api=api)
    return found


def test_a_service_account_with_the_right_makes_a_run() -> None:
    api = ReceiverApi()

    assert asked(api=api).status == 202
    assert len(api.runs()) == 1


def test_no_token_is_told_which_one_is_wanted() -> None:
    found = asked(token=None)

    assert (found.status, found.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert found.text == (
        "There is no token; send Authorization: Bearer with the token of a service account for the audience "
        "penstock.dev/receiver."
    )


def test_a_token_of_another_audience_is_not_even_asked_about() -> None:
    api = ReceiverApi(tokens={make_token("https://kubernetes.default.svc"): (SENDER, "https://kubernetes.default.svc")})

    assert asked(make_token("https://kubernetes.default.svc"), api=api).status == 401
    assert api.asked("tokenreviews") == 0


def test_a_token_that_only_says_that_it_is_for_us_is_refused() -> None:
    api = ReceiverApi(tokens={TOKEN: (SENDER, "https://kubernetes.default.svc")})

    assert asked(api=api).status == 401
    assert api.runs() == []


def test_a_server_that_takes_any_token_for_any_audience_is_not_believed() -> None:
    def believes_all(request: Request) -> Answer | None:
        if not request.path.endswith("/tokenreviews"):
            return None
        return Answer(201, {}, b'{"status": {"authenticated": true, "user": {"username": "anybody"}}}')

    assert asked(api=ReceiverApi(fault=believes_all)).status == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "a" * 9000, "Zm9v.W10.YmFy", "Zm9v." + "W" * 4000 + ".YmFy"])
def test_what_is_no_token_costs_the_api_server_nothing(token: str) -> None:
    api = ReceiverApi()

    assert asked(token, api=api).status in (400, 401)
    assert api.asked("tokenreviews") == 0


def test_who_may_not_is_told_which_right_is_missing() -> None:
    found = asked(api=ReceiverApi(rights=set()))

    assert (found.status, found.text) == (
        403,
        f"{SENDER} may not create triggers/events of team/arrivals; allow it.",
    )


def test_a_right_in_one_namespace_is_none_in_another() -> None:
    assert asked(path="/v1/triggers/other/arrivals").status == 403


def test_what_is_remembered_of_one_trigger_is_not_said_of_another() -> None:
    async def told(site: Site) -> list[int]:
        paths = ("team/arrivals", "other/arrivals", "team/others", "team/arrivals")
        return [(await site.post(path=f"/v1/triggers/{path}")).status for path in paths]

    there = (make_trigger(), make_trigger(namespace="other"), make_trigger("others"))
    assert with_receiver(told, *there) == [202, 403, 403, 202]


def test_whether_a_trigger_is_there_only_who_has_the_right_is_told() -> None:
    assert asked(token=None, path="/v1/triggers/team/unknown").status == 401
    assert asked(path="/v1/triggers/team/unknown").status == 403
    may = ReceiverApi(rights={(SENDER, "team", "unknown")})
    assert asked(path="/v1/triggers/team/unknown", api=may).status == 404


def test_the_api_server_is_asked_once_however_many_events_come() -> None:
    async def told(site: Site) -> tuple[int, int]:
        await asyncio.gather(*(site.send(str(number)) for number in range(20)))
        return site.api.asked("tokenreviews"), site.api.asked("subjectaccessreviews")

    assert with_receiver(told) == (1, 1)


def test_nobody_is_let_in_while_the_api_server_cannot_say_who_it_is() -> None:
    def silent(request: Request) -> Answer | None:
        return status(500, "InternalError") if request.path.endswith("/tokenreviews") else None

    found = asked(api=ReceiverApi(fault=silent))

    assert (found.status, found.headers["Retry-After"]) == (503, "5")


def test_an_error_is_not_taken_for_an_answer_the_next_time() -> None:
    def fails_once(request: Request) -> Answer | None:
        if request.path.endswith("/tokenreviews") and not failed:
            failed.append(1)
            return status(500, "InternalError")
        return None

    failed: list[int] = []

    async def told(site: Site) -> list[int]:
        return await site.send("1", "1")

    assert with_receiver(told, api=ReceiverApi(fault=fails_once)) == [503, 202]


def test_the_audience_is_what_the_chart_says() -> None:
    token = make_token("events.example")

    async def told(site: Site) -> list[int]:
        return [(await site.post(token=each)).status for each in (token, TOKEN)]

    api = ReceiverApi(tokens={token: (SENDER, "events.example"), TOKEN: (SENDER, AUDIENCE)})
    assert with_receiver(told, api=api, audience="events.example") == [202, 401]

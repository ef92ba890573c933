"""What Alertmanager's webhook posts: each alert is an event of its own, and its repeats are the same event."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from penstock.decide.events.headers import read_headers
from penstock.decide.events.limits import Limits
from penstock.decide.events.received import ReceivedEvent, read_events
from penstock.decide.events.refusal import RequestRefused
from penstock.decide.events.signatures import BY_TOKEN, Proof
from unit.receiver.receiver_parts import ReceiverApi, Site, make_trigger, with_receiver

HEADERS = read_headers([("Content-Type", "application/json")])


def alert(fingerprint: str = "c0d9e8f7a6b50413", status: str = "firing", **labels: str) -> dict[str, Any]:
    """Return an alert as Alertmanager writes one."""
    return {
        "status": status,
        "labels": {"alertname": "ChurnScoreLow", "severity": "page", **labels},
        "annotations": {"summary": "The score is low."},
        "startsAt": "2026-11-21T11:40:02.123456789Z",
        "endsAt": "2026-11-21T11:55:02.123Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": fingerprint,
    }


def posted(*alerts: Any, **more: Any) -> dict[str, Any]:
    """Return a body as Alertmanager posts it."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="ChurnScoreLow"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "penstock",
        "groupLabels": {"alertname": "ChurnScoreLow"},
        "commonLabels": {"alertname": "ChurnScoreLow"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
        **more,
    }


def read(body: Any, proof: Proof = BY_TOKEN) -> list[ReceivedEvent]:
    return list(read_events(HEADERS, json.dumps(body).encode(), proof, Limits()))


def refusal(body: Any) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as refused:
        read(body)
    return refused.value.status, str(refused.value)


def test_each_alert_is_an_event_that_says_which_it_is_and_since_when() -> None:
    firing, resolved = read(posted(alert(), alert("0f", "resolved", alertname="Another")))

    assert firing.event.id == "c0d9e8f7a6b50413/2026-11-21T11:40:02.123456789Z/firing"
    assert (firing.event.source, firing.event.type) == ("alertmanager", "alertmanager.alert.firing")
    assert firing.event.time == "2026-11-21T11:40:02Z"
    assert firing.attributes["subject"] == "ChurnScoreLow"
    assert firing.data == alert()
    assert (resolved.event.type, resolved.event.time) == ("alertmanager.alert.resolved", "2026-11-21T11:55:02Z")
    assert resolved.attributes["subject"] == "Another"


def test_an_alert_that_fires_on_is_the_same_event_in_whatever_group_it_comes() -> None:
    (first,) = read(posted(alert()))
    _, again = read(posted(alert("0f"), alert(), groupKey="{}", receiver="another"))
    again_later = copy.deepcopy(alert()) | {"annotations": {"summary": "Still."}}

    assert first == again
    assert read(posted(again_later))[0].event.id == first.event.id


def test_an_alert_that_fires_anew_is_another_event() -> None:
    (first,), (other,) = read(posted(alert())), read(posted(alert() | {"startsAt": "2026-11-22T00:00:00Z"}))
    assert first.event.id != other.event.id


def test_a_signature_covers_what_the_id_is_made_of() -> None:
    assert read(posted(alert()), Proof("sha256:0")) == read(posted(alert()))


@pytest.mark.parametrize("name", ["version", "groupKey", "status", "receiver", "alerts"])
def test_a_body_that_is_not_of_its_shape_is_plain_json(name: str) -> None:
    body = posted(alert())
    del body[name]
    (found,) = read(body)
    assert found.event.id.startswith("sha256:")
    assert found.data == body


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"fingerprint": None},
            "Alert 1: It has no fingerprint, by which it is known; Alertmanager sends it since 0.16.",
        ),
        ({"startsAt": 7}, "Alert 1: It has no startsAt, by which it is known; Alertmanager sends it since 0.16."),
        ({"startsAt": "yesterday"}, "Alert 1: The attribute time is 'yesterday'; write it as 2026-01-31T03:00:00Z."),
        ({"labels": []}, "Alert 1: It has no labels; send alerts as Alertmanager does."),
        ({"status": "maybe"}, "Alert 1: Its status is neither firing nor resolved; send alerts as Alertmanager does."),
    ],
)
def test_an_alert_that_is_none_is_named(changed: dict[str, Any], sentence: str) -> None:
    assert refusal(posted(alert(), alert() | changed)) == (400, sentence)


def test_more_alerts_than_a_batch_may_have_are_refused_whole() -> None:
    body = posted(*(alert(str(number)) for number in range(101)))
    assert refusal(body) == (413, "Alertmanager sends 101 alerts; send at most 100 at once.")


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8) | some.floats(allow_nan=False),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
ODD_ALERTS = JSON | some.builds(lambda name, value: alert() | {name: value}, some.sampled_from(sorted(alert())), JSON)


@given(some.lists(ODD_ALERTS, max_size=4), some.sampled_from(sorted(posted())), JSON, some.booleans())
def test_whatever_comes_in_such_a_body_is_read_or_refused(alerts: list[Any], name: str, value: Any, odd: bool) -> None:
    body = posted(*alerts) | ({name: value} if odd else {})
    try:
        found = read(body)
    except RequestRefused as refused:
        assert refused.status in (400, 413)  # noqa: PT017
    else:
        assert all(0 < len(each.event.id) <= 256 for each in found)


TRIGGER = make_trigger(
    event={"types": ["alertmanager.alert.firing"], "subject": "ChurnScoreLow"},
    filter="has(event.data.labels.pipeline) && event.data.labels.pipeline == 'churn'",
)


@settings(max_examples=10, deadline=None)
@given(some.lists(some.lists(some.integers(0, 4), max_size=5), min_size=1, max_size=4))
def test_however_often_alerts_are_repeated_each_has_one_run(posts: list[list[int]]) -> None:
    async def told(site: Site) -> set[int]:
        bodies = [posted(*(alert(f"{number:x}", pipeline="churn") for number in post)) for post in posts]
        return {(await site.post(body)).status for body in bodies}

    api = ReceiverApi()
    assert with_receiver(told, TRIGGER, api=api) <= {202, 204}
    assert len(api.runs()) == len({number for post in posts for number in post})


def test_a_trigger_takes_those_with_a_label_and_leaves_the_others() -> None:
    async def told(site: Site) -> list[int]:
        bodies = (
            posted(alert("1")),
            posted(alert("2", pipeline="wine")),
            posted(alert("3", status="resolved", pipeline="churn")),
            posted(alert("4", pipeline="churn"), alert("5", alertname="Another", pipeline="churn")),
            posted(),
        )
        return [(await site.post(body)).status for body in bodies]

    api = ReceiverApi()
    assert with_receiver(told, TRIGGER, api=api) == [204, 204, 204, 202, 204]
    (run,) = api.runs()
    assert run["spec"]["trigger"]["event"]["id"].startswith("4/")

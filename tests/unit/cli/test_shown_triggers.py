"""A Trigger as a person sees it: what it waits for, its last and its next moment, and why each was what it was."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from rich.console import Console
from rich.table import Table

from penstock.api.trigger import Trigger
from penstock.cli.shown_triggers import COLUMNS, facts_of, history_table, row_of

NOW = datetime(2026, 11, 8, 12, tzinfo=UTC)
NIGHTLY = {"cron": ["0 3 * * *"], "timeZone": "Europe/Berlin"}
STATUS = {
    "nextScheduleTime": "2026-11-09T02:00:00Z",
    "lastScheduleTime": "2026-11-08T02:00:00Z",
    "lastRun": "nightly-2",
    "counts": {"fired": 2, "skipped": 1, "missed": 1204},
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Watching",
            "message": "It fires next at 03:00.",
            "lastTransitionTime": "2026-11-01T00:00:00Z",
        }
    ],
    "history": [
        {
            "time": "2026-11-08T02:00:00Z",
            "outcome": "Skipped",
            "reason": "Forbidden",
            "message": "nightly-2 is live.",
        },
        {
            "time": "2026-11-07T02:00:00Z",
            "outcome": "Fired",
            "run": "nightly-2",
            "reason": "Scheduled",
            "message": "It was time.",
        },
    ],
}


def trigger(status: Any = None, **spec: Any) -> Trigger:
    made = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Trigger",
        "metadata": {"name": "nightly", "creationTimestamp": "2026-11-01T12:00:00Z"},
        "spec": {"pipelineRef": {"name": "churn"}, **(spec or {"schedule": NIGHTLY})},
    }
    return msgspec.convert(made if status is None else {**made, "status": status}, Trigger)


def row(found: Trigger) -> dict[str, object]:
    return dict(zip(COLUMNS, row_of(found, NOW), strict=True))


def written(table: Table) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_a_row_says_when_it_fires_and_what_became_of_the_moments() -> None:
    assert row(trigger(STATUS)) == {
        "name": "nightly",
        "pipeline": "churn",
        "source": "0 3 * * * Europe/Berlin",
        "ready": "True (Watching)",
        "last": "2026-11-08T02:00:00Z",
        "next": "2026-11-09T02:00:00Z",
        ">fired": 2,
        ">skipped": 1,
        ">missed": 1204,
        ">age": "7d",
    }


def test_a_trigger_that_nobody_has_looked_at_has_a_row_too() -> None:
    found = row(trigger())

    assert (found["ready"], found["last"], found["next"], found[">fired"]) == ("Unknown", None, None, 0)


def test_what_became_of_each_moment_is_told_with_its_reason() -> None:
    skipped, fired = [line for line in written(history_table(trigger(STATUS))).splitlines() if "2026" in line]

    assert skipped.split(maxsplit=3)[1:3] == ["Skipped", "Forbidden"]
    assert "nightly-2 is live." in skipped
    assert "Fired" in fired
    assert "nightly-2" in fired


def test_the_facts_say_why_it_is_as_it_is() -> None:
    facts = dict(facts_of(trigger(STATUS)))

    assert facts["Message"] == "It fires next at 03:00."
    assert facts["Fired, skipped, missed"] == "2, 1, 1,204"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"schedule": {"cron": ["@daily", "0 3 * * *"]}}, "@daily, 0 3 * * *"),
        ({"schedule": {"cron": ["1 * * * *", "2 * * * *", "3 * * * *", "4 * * * *"]}}, "and 1 more"),
        ({"schedule": {"moments": ["2026-12-01T03:00:00Z"], "timeZone": "Europe/Berlin"}}, "2026-12-01T03:00:00Z"),
        ({"runs": {"pipelineRef": {"name": "sales"}}}, "runs of sales"),
        ({"event": {}}, "event"),
        ({"pipeline": {}}, "pipeline"),
        ({"objects": {"input": "orders"}}, "files of orders"),
    ],
)
def test_the_source_is_told_in_a_few_words(source: dict[str, Any], said: str) -> None:
    assert str(row(trigger(**source))["source"]).endswith(said)


@pytest.mark.parametrize(
    ("look", "source", "said"),
    [
        (None, "files of rows", "none yet"),
        ({"files": 1204, "unsettled": 2}, "files of rows, seen 5m ago", ": 1,204 files, 2 of them not settled"),
        ({"message": "There is no bucket lake."}, "files of rows, seen 5m ago", ": There is no bucket lake."),
    ],
)
def test_of_files_that_are_waited_for_the_last_look_is_shown(look: Any, source: str, said: str) -> None:
    moment = "2026-11-08T11:55:00Z"
    found = trigger(look and {"look": {"number": 3, "time": moment, **look}}, objects={"input": "rows"})

    assert row(found)["source"] == source
    assert dict(facts_of(found))["Last look"] == (f"{moment}{said}" if look else said)

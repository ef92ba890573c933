"""A run of a Trigger that a person asks for, now or for past days: once for each moment, and recorded as all are."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRunSpec
from penstock.api.trigger import Trigger
from penstock.decide.commands.backfill import Backfill, Days, backfill_runs, read_days
from penstock.decide.commands.trigger_by_hand import RunByHand, run_by_hand
from penstock.decide.trigger.make_run import run_name
from penstock.decide.trigger.occasion import at_moment
from penstock_jobs.contract.errors import Refused

NOW = datetime(2026, 11, 8, 12, tzinfo=UTC)
WEEK = read_days("2026-11-01..2026-11-07")
DATASET = {
    "inputs": [{"name": "rows", "uri": "s3://lake/rows.csv"}],
    "target": {"column": "y"},
    "key": ["id"],
    "query": "SELECT * FROM rows WHERE at < :scheduledTime",
}


def trigger(**spec: Any) -> Trigger:
    source = {} if "event" in spec else {"schedule": {"cron": ["0 3 * * *"], "timeZone": "Europe/Berlin"}}
    made = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Trigger",
        "metadata": {"name": "nightly", "namespace": "team", "uid": "u-1", "generation": 1},
        "spec": {"pipelineRef": {"name": "churn"}, **source, **spec},
    }
    return msgspec.convert(made, Trigger)


def pipeline(parameters: tuple[dict[str, Any], ...] = (), **dataset: Any) -> Pipeline:
    made = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": "churn"},
        "spec": {"dataset": {**DATASET, **dataset}, "parameters": list(parameters)},
    }
    return msgspec.convert(made, Pipeline)


def live(made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "metadata": {**made["metadata"], "uid": "r-1"}}


def by_hand(found: Trigger, *runs: dict[str, Any], **options: Any) -> RunByHand:
    asked = {"now": NOW, "identity": "asked-1", "parameters": {}, "pipeline": pipeline(), **options}
    parameters, there = asked.pop("parameters"), asked.pop("pipeline")
    return run_by_hand(found, there, runs, parameters, **asked)


def backfill(found: Trigger, days: Days = WEEK, names: frozenset[str] = frozenset(), **options: Any) -> Backfill:
    return backfill_runs(
        found, options.pop("pipeline", pipeline()), names, {}, days, options.pop("now", NOW), **options
    )


def reason(made: dict[str, Any]) -> dict[str, Any]:
    return dict(made["spec"]["trigger"])


def test_the_run_says_who_asked_for_it_and_when() -> None:
    made = reason(by_hand(trigger()).run)

    assert made["name"] == "nightly"
    assert made["scheduledTime"] == "2026-11-08T12:00:00Z"
    assert made["event"] == {
        "id": "asked-1",
        "source": "penstock trigger",
        "type": "dev.penstock.trigger.by-hand",
        "time": "2026-11-08T12:00:00Z",
    }


def test_asked_for_twice_it_is_two_runs() -> None:
    first, second = (by_hand(trigger(), identity=each).run for each in ("one", "two"))

    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_a_suspended_trigger_runs_by_hand_and_says_so() -> None:
    found = by_hand(trigger(suspend=True))

    assert not found.run["spec"].get("suspend")
    assert "is suspended" in found.remarks[0]


def test_forbid_holds_by_hand_too_unless_the_person_insists() -> None:
    there = live(by_hand(trigger(), identity="before").run)

    with pytest.raises(Refused, match="is live, and its concurrencyPolicy is Forbid; wait for its end, cancel it, or"):
        by_hand(trigger(), there)
    assert by_hand(trigger(), there, force=True).cancellations == ()


def test_a_run_that_has_ended_is_in_nobody_s_way() -> None:
    there = live(by_hand(trigger(), identity="before").run)
    over = {"conditions": [{"type": "Succeeded", "status": "False", "reason": "Failed"}]}

    assert by_hand(trigger(), {**there, "status": over}).cancellations == ()


def test_replace_cancels_the_live_run_of_the_trigger_and_says_which() -> None:
    there = live(by_hand(trigger(), identity="before").run)

    found = by_hand(trigger(concurrencyPolicy="Replace"), there)

    assert [each.name for each in found.cancellations] == [there["metadata"]["name"]]
    assert there["metadata"]["name"] in found.remarks[0]


def test_parameters_by_hand_come_in_place_of_the_trigger_s() -> None:
    declared = ({"name": "region", "type": "String", "default": "north"},)
    there = pipeline(declared, query="SELECT * FROM rows WHERE region = :region")
    found = trigger(parameters=[{"name": "region", "value": "south"}])

    made = by_hand(found, pipeline=there, parameters={"region": "west"}).run

    assert made["spec"]["parameters"] == [{"name": "region", "value": "west"}]
    with pytest.raises(Refused, match="town"):
        by_hand(found, pipeline=there, parameters={"town": "west"})


def test_a_pipeline_that_is_not_there_yet_is_waited_for_by_the_run() -> None:
    assert by_hand(trigger(), pipeline=None).run["spec"]["pipelineRef"] == {"name": "churn"}


def test_each_moment_of_the_days_in_the_zone_has_a_run_for_it() -> None:
    made = backfill(trigger()).runs

    assert [reason(each)["scheduledTime"] for each in made] == [f"2026-11-0{day}T02:00:00Z" for day in range(1, 8)]


@settings(max_examples=30)
@given(there=st.sets(st.integers(0, 6)))
def test_whatever_runs_are_there_already_none_is_made_twice(there: set[int]) -> None:
    found = trigger()
    names = backfill(found).names
    own = frozenset(names[each] for each in there)

    again = backfill(found, names=own)

    assert {each["metadata"]["name"] for each in again.runs} == set(names) - own
    assert again.names == names


def test_the_run_of_a_moment_is_that_which_the_trigger_would_have_made() -> None:
    found = trigger()

    assert backfill(found).names[0] == run_name(found, at_moment(datetime(2026, 11, 1, 2, tzinfo=UTC)))


def test_moments_that_have_not_come_are_left_to_the_trigger() -> None:
    assert len(backfill(trigger(), now=datetime(2026, 11, 3, 12, tzinfo=UTC)).runs) == 3


def test_several_wait_for_their_turn_where_the_trigger_lets_one_begin_after_the_other() -> None:
    assert all(each["spec"]["suspend"] for each in backfill(trigger()).runs)


@pytest.mark.parametrize(
    ("found", "options"),
    [
        (trigger(concurrencyPolicy="Allow"), {}),
        (trigger(suspend=True), {}),
        (trigger(), {"in_turn": False}),
        (trigger(), {"days": read_days("2026-11-01")}),
    ],
)
def test_none_waits_where_nobody_would_let_it_begin_or_nothing_is_in_its_way(found: Trigger, options: Any) -> None:
    assert not any(each["spec"].get("suspend") for each in backfill(found, **options).runs)


@pytest.mark.parametrize(
    ("found", "options", "sentence"),
    [
        (trigger(event={}), {}, "has no schedule, so no moments that could be made up for"),
        (trigger(), {"most": 6}, "These days have 7 moments without a run; name fewer days, or allow more with --max"),
        (
            trigger(),
            {"days": read_days("2027-01-01")},
            r"has no moment from 2027-01-01 to 2027-01-01 \(Europe/Berlin\)",
        ),
        (trigger(), {"pipeline": pipeline(query="SELECT * FROM rows")}, "uses scheduledTime in neither"),
        (
            trigger(schedule={"cron": ["* * * * *"]}),
            {"days": read_days("2025-11-01..2026-11-01")},
            "These days have 10,000 or more moments",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(found: Trigger, options: Any, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        backfill(found, **options)


def test_runs_that_would_read_the_same_are_made_where_the_person_insists() -> None:
    assert len(backfill(trigger(), pipeline=pipeline(query="SELECT * FROM rows"), force=True).runs) == 7


def test_an_expression_of_the_trigger_over_the_moment_makes_the_runs_differ() -> None:
    declared = ({"name": "asOf", "type": "Timestamp"},)
    there = pipeline(declared, query="SELECT * FROM rows WHERE at < :asOf")
    found = trigger(parameters=[{"name": "asOf", "expression": "scheduledTime"}])

    values = [each["spec"]["parameters"][0]["value"] for each in backfill(found, pipeline=there).runs]

    assert values[:2] == ["2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z"]


def test_days_are_those_of_the_calendar_of_the_zone_also_where_clocks_are_changed() -> None:
    hourly = trigger(schedule={"cron": ["0 * * * *"], "timeZone": "Europe/Berlin"})

    assert len(backfill(hourly, days=read_days("2026-10-25")).runs) == 25
    assert len(backfill(hourly, days=read_days("2026-03-29")).runs) == 23


@pytest.mark.parametrize("text", ["yesterday", "2026-11-07..2026-11-01", "2026-11-01..", "..", "2026-13-01", ""])
def test_days_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="--backfill is"):
        read_days(text)


def test_every_run_is_one_that_the_types_take() -> None:
    for made in (by_hand(trigger()).run, *backfill(trigger()).runs):
        msgspec.convert(made["spec"], PipelineRunSpec)

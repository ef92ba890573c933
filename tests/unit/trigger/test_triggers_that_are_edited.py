"""To edit, suspend, resume, delete or make a Trigger again fires nothing by itself, and a lost status nothing twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from unit.trigger.trigger_cluster import EVERY_HOUR, EVERY_MINUTE, TriggerCluster, TriggerOperator, start


def test_an_edit_starts_from_now() -> None:
    cluster, _ = start(**EVERY_HOUR)
    cluster.now = datetime(2026, 3, 1, 13, 10, tzinfo=UTC)
    cluster.apply_trigger(**EVERY_HOUR, failureLimit=3)
    operator = TriggerOperator(cluster)
    operator.settle()
    assert cluster.created == []
    assert cluster.status()["startTime"] == "2026-03-01T13:10:00Z"

    operator.wait(3600)
    assert cluster.moments() == ["2026-03-01T14:00:00Z"]


def test_what_is_missed_while_it_is_suspended_is_not_made_up_for() -> None:
    cluster, operator = start(**EVERY_HOUR)
    cluster.apply_trigger(**EVERY_HOUR, suspend=True)
    operator.settle()
    assert cluster.ready() == ("True", "Suspended")
    assert "nextScheduleTime" not in cluster.status()

    operator.wait(3600)
    cluster.apply_trigger(**EVERY_HOUR)
    operator.settle()
    assert cluster.created == []
    assert cluster.counts() == (0, 0, 0)

    operator.wait(3600)
    assert cluster.moments() == ["2026-03-01T14:00:00Z"]


def test_a_trigger_made_again_under_its_name_starts_from_now_and_knows_no_run_of_the_old_one() -> None:
    cluster, operator = start(**EVERY_HOUR)
    operator.wait(3600)
    cluster.delete("triggers", "nightly")
    operator.settle()
    cluster.apply_trigger(**EVERY_HOUR)
    operator.settle()
    assert len(cluster.created) == 1
    assert cluster.counts() == (0, 0, 0)

    operator.wait(3600)
    assert len(cluster.created) == len(set(cluster.created)) == 2


def test_a_moment_between_the_making_of_a_trigger_and_the_first_look_at_it_fires() -> None:
    cluster = TriggerCluster()
    cluster.apply_trigger(schedule={"moments": ["2026-03-01T12:00:35Z"]})
    cluster.now += timedelta(seconds=10)
    TriggerOperator(cluster).settle()
    assert cluster.moments() == ["2026-03-01T12:00:35Z"]


def test_a_run_that_was_made_before_its_status_and_the_edit_is_counted() -> None:
    cluster, operator = start(**EVERY_MINUTE)
    operator.wait(60)
    status = cluster.status()
    operator.wait(60)
    cluster.api.put(cluster.trigger() | {"status": status})  # as if it had been killed
    cluster.apply_trigger(**EVERY_MINUTE, failureLimit=3)
    TriggerOperator(cluster).settle()
    assert cluster.counts()[0] == len(cluster.created)


def test_a_lost_status_is_found_again_from_the_runs() -> None:
    cluster, operator = start(**EVERY_HOUR, concurrencyPolicy="Allow")
    operator.wait(2 * 3600)
    cluster.lose_status()
    cluster.now += timedelta(seconds=3600)
    TriggerOperator(cluster).settle()
    assert cluster.moments() == [f"2026-03-01T{hour}:00:00Z" for hour in (13, 14, 15)]
    assert cluster.counts() == (3, 0, 0)


EDITS = st.lists(
    st.sampled_from(["edit", "suspend", "resume", "again", "restart", "lose", "pipeline"]), min_size=1, max_size=8
)


@settings(max_examples=50, deadline=None)
@given(EDITS)
def test_nothing_fires_by_what_is_done_to_a_trigger_between_two_moments(edits: list[str]) -> None:
    """All of it happens between two moments, so that nothing at all is due."""
    cluster, operator = start(**EVERY_HOUR)
    operator.wait(3600)
    spec: dict[str, Any] = dict(EVERY_HOUR)
    for number, edit in enumerate(edits):
        cluster.now += timedelta(seconds=60)
        match edit:
            case "edit":
                spec = {**spec, "failureLimit": number + 1}
            case "suspend" | "resume":
                spec = {**spec, "suspend": edit == "suspend"}
            case "again":
                cluster.delete("triggers", "nightly")
                operator.settle()
            case "restart":
                operator = TriggerOperator(cluster)
            case "lose":
                cluster.lose_status()
            case "pipeline":
                cluster.apply_pipeline(generation=number, description=f"{number}")
        cluster.apply_trigger(**spec)
        operator.settle()
    assert len(cluster.created) == 1

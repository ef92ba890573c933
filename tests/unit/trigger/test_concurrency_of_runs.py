"""`Forbid` and `Replace` are judged from the live runs of this very Trigger, and touch no other run."""

from datetime import timedelta

import pytest

from penstock.decide.trigger.occasion import by_hand
from unit.trigger.trigger_cluster import EVERY_HOUR, start


def test_forbid_skips_while_a_run_is_live_and_names_it() -> None:
    cluster, operator = start(**EVERY_HOUR)
    operator.wait(2 * 3600)
    assert cluster.moments() == ["2026-03-01T13:00:00Z"]
    assert cluster.counts() == (1, 1, 0)
    assert cluster.reasons() == [("Fired", "Scheduled"), ("Skipped", "RunLive")]
    assert cluster.created[0] in cluster.status()["history"][0]["message"]


@pytest.mark.parametrize("end", ["finished", "deleted", "cancelled", "being deleted", "stalled"])
def test_a_run_that_is_over_for_whatever_reason_is_in_nobodys_way(end: str) -> None:
    cluster, operator = start(**EVERY_HOUR)
    operator.wait(3600)
    run = cluster.runs()[0]
    match end:
        case "finished":
            cluster.finish(cluster.created[0], "Failed")
        case "deleted":
            cluster.api.remove(run)
        case "cancelled":
            cluster.api.put(run | {"spec": run["spec"] | {"cancel": True}})
        case "being deleted":
            cluster.api.put(run | {"metadata": run["metadata"] | {"deletionTimestamp": "2026-03-01T13:01:00Z"}})
        case "stalled":
            cluster.api.put(run | {"status": {"conditions": [{"type": "Stalled", "status": "True"}]}})
    operator.wait(3600)
    assert cluster.counts() == (2, 0, 0)


def test_runs_of_others_are_in_nobodys_way() -> None:
    cluster, operator = start(**EVERY_HOUR)
    cluster.apply_run("by-somebody")
    cluster.apply_trigger("other", schedule={"moments": ["2026-03-01T12:30:00Z"]})
    operator.wait(3600)
    assert cluster.counts() == (1, 0, 0)
    assert cluster.counts("other") == (1, 0, 0)


def test_replace_cancels_the_live_run_of_this_trigger_and_no_other() -> None:
    cluster, operator = start(**EVERY_HOUR, concurrencyPolicy="Replace")
    cluster.apply_run("by-somebody")
    operator.wait(3600)
    first = cluster.created[0]
    operator.wait(3600)
    assert cluster.run(first)["spec"]["cancel"] is True
    assert "cancel" not in cluster.run("by-somebody")["spec"]
    assert cluster.counts() == (2, 0, 0)
    assert first in cluster.status()["history"][0]["message"]


def test_allow_starts_another_one_beside() -> None:
    cluster, operator = start(**EVERY_HOUR, concurrencyPolicy="Allow")
    operator.wait(2 * 3600)
    assert len(cluster.live()) == 2


def test_a_filter_skips_what_does_not_fulfil_it() -> None:
    cluster, operator = start(**EVERY_HOUR, filter="last.result != 'Failed'", concurrencyPolicy="Allow")
    operator.wait(3600)
    cluster.finish(cluster.created[0], "Failed")
    operator.wait(3600)
    assert cluster.reasons() == [("Fired", "Scheduled"), ("Skipped", "Filtered")]


def test_an_expression_that_comes_to_nothing_skips_and_says_why() -> None:
    cluster, operator = start(**EVERY_HOUR, filter="event.data.rows > 3")
    operator.wait(3600)
    assert cluster.reasons() == [("Skipped", "Invalid")]
    assert "spec.filter cannot be evaluated" in cluster.status()["history"][0]["message"]


@pytest.mark.parametrize("expression", ["a +", "[1].exists(a, [1].exists(b, a == b))"])
def test_an_expression_that_can_never_work_is_refused(expression: str) -> None:
    cluster, _ = start(**EVERY_HOUR, filter=expression)
    assert cluster.ready() == ("False", "Invalid")


def test_a_trigger_stops_after_so_many_failed_runs_until_its_spec_changes() -> None:
    cluster, operator = start(**EVERY_HOUR, failureLimit=2)
    for result in ("Failed", "Cancelled", "Failed"):
        operator.wait(3600)
        cluster.finish(cluster.created[-1], result)
    operator.wait(3600)
    assert cluster.ready() == ("False", "FailureLimit")
    assert cluster.counts() == (3, 1, 0)

    cluster.apply_trigger(**EVERY_HOUR, failureLimit=3)
    operator.wait(3600)
    assert cluster.ready() == ("True", "Active")
    assert cluster.counts() == (4, 1, 0)


def test_a_run_by_hand_that_succeeds_lets_it_go_on() -> None:
    cluster, operator = start(**EVERY_HOUR, failureLimit=1)
    operator.wait(3600)
    cluster.finish(cluster.created[-1], "Failed")
    operator.settle()
    assert cluster.ready() == ("False", "FailureLimit")

    cluster.now += timedelta(seconds=60)
    cluster.finish(cluster.make_run_for(by_hand("ada", cluster.now, "1"), waits=False))
    operator.wait(3600)
    assert cluster.ready() == ("True", "Active")
    assert cluster.counts() == (3, 0, 0)


def test_a_success_ends_the_row_of_failures() -> None:
    cluster, operator = start(**EVERY_HOUR, failureLimit=2)
    for result in ("Failed", "Succeeded", "Failed", "Succeeded"):
        operator.wait(3600)
        cluster.finish(cluster.created[-1], result)
    assert cluster.counts() == (4, 0, 0)


def test_history_limits_delete_the_oldest_of_its_own_runs_that_ended() -> None:
    limits = {"succeeded": 2, "failed": 1}
    cluster, operator = start(**EVERY_HOUR, historyLimits=limits)
    cluster.apply_run("by-somebody")
    cluster.finish("by-somebody")
    for result in ("Succeeded", "Failed", "Succeeded", "Failed", "Succeeded"):
        operator.wait(3600)
        cluster.finish(cluster.created[-1], result)
    operator.settle()
    left = [run["metadata"]["name"] for run in cluster.runs() if run["metadata"]["name"] != "by-somebody"]
    assert left == [cluster.created[index] for index in (2, 3, 4)]
    assert cluster.counts() == (5, 0, 0)
    assert cluster.run("by-somebody")

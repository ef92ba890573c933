"""What a Trigger is to the rest: one that cannot be read, its runs that wait, retention, what is counted of it."""

import asyncio
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from penstock.act.cache import ObjectCache
from penstock.act.queue import WorkQueue
from penstock.act.view import View, index_keys
from penstock.api.run import TriggeringEvent
from penstock.decide.decision import Create, Decision
from penstock.decide.retention.runs import expired_runs
from penstock.decide.run.observation import RunObservation
from penstock.decide.run.reconcile import decide as decide_run
from penstock.decide.settings import Settings
from penstock.decide.times import write_time
from penstock.decide.trigger.occasion import on_event
from penstock.kubernetes.kinds import Key
from unit.act import virtual_time
from unit.decide_run.examples_of_runs import PIPELINE
from unit.trigger.trigger_cluster import EVERY_HOUR, OperatorKilled, TriggerCluster, TriggerOperator, start


def test_a_trigger_that_cannot_be_read_is_left_as_it_is_and_says_so() -> None:
    cluster, operator = start(**EVERY_HOUR)
    operator.wait(3600)
    before = cluster.status()
    cluster.apply_trigger(schedule={"cron": ["@hourly"], "catchUp": "Somehow"})
    operator.wait(3600)
    assert cluster.ready() == ("False", "Invalid")
    assert {name: value for name, value in cluster.status().items() if name in ("counts", "history")} == {
        name: before[name] for name in ("counts", "history")
    }
    assert len(cluster.created) == 1


@pytest.mark.parametrize("schedule", [{"cron": ["0 0 31 2 *"]}, {"cron": ["@daily"], "timeZone": "Europe/Nowhere"}])
def test_a_schedule_that_can_never_be_is_refused(schedule: dict[str, Any]) -> None:
    cluster, _ = start(schedule=schedule)
    assert cluster.ready() == ("False", "Invalid")


def test_a_run_that_waits_for_its_trigger_has_not_begun() -> None:
    def decision(run: dict[str, Any]) -> Decision:
        return decide_run(RunObservation(run=run, settings=Settings(), pipeline=PIPELINE), cluster.now)

    cluster, operator = start(event={})
    event = TriggeringEvent(id="1", time=write_time(cluster.now))
    name = cluster.make_run_for(on_event(event, cluster.now))
    waiting = decision(cluster.run(name))
    assert waiting.writes == ()
    assert waiting.status.conditions[0].reason == "Suspended"  # type: ignore[union-attr]

    operator.settle()
    assert any(isinstance(write, Create) for write in decision(cluster.run(name)).writes)


def test_the_pipelines_retention_leaves_runs_alone_of_which_their_trigger_has_limits() -> None:
    cluster, operator = start(**EVERY_HOUR, historyLimits={"succeeded": 3})
    for _ in range(3):
        operator.wait(3600)
        cluster.finish(cluster.created[-1])
    assert expired_runs(1, cluster.runs(), [cluster.trigger()]).deleted == ()
    assert len(expired_runs(1, cluster.runs()).deleted) == 2


def test_what_becomes_of_moments_is_counted_for_prometheus() -> None:
    _, operator = start(**EVERY_HOUR)
    operator.wait(2 * 3600)
    text = operator.metrics.text().decode()
    assert 'penstock_trigger_occasions_total{outcome="Fired"} 1.0' in text
    assert 'penstock_trigger_occasions_total{outcome="Skipped"} 1.0' in text


def test_a_thousand_events_wake_their_trigger_once() -> None:
    async def looks() -> int:
        queue: WorkQueue[Key] = WorkQueue(lambda: 0.5)
        view, woken = View(ObjectCache(index_keys), queue), []
        for found in [*cluster.api.objects.values(), None]:
            if found is not None:
                view.on_update(found)
            else:
                await asyncio.sleep(1)
            while len(queue):
                woken.append(await queue.take())
                queue.done(woken[-1])
        return sum(key.kind == "Trigger" for key in woken)

    cluster = TriggerCluster()
    trigger = cluster.apply_trigger(event={})
    for _ in range(1000):
        send(cluster)
    cluster.api.remove(trigger)
    assert virtual_time.run(looks()) == 1


ACTIONS = st.one_of(
    st.tuples(st.just("event"), st.integers(0, 12)),
    st.tuples(st.just("finish"), st.integers(0, 3)),
    st.tuples(st.just("die"), st.integers(0, 9)),
    st.tuples(st.just("work"), st.just(0)),
    st.tuples(st.just("suspend"), st.booleans().map(int)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ACTIONS, max_size=14),
    st.sampled_from(["Each", "Batch", "Latest"]),
    st.sampled_from(["Allow", "Forbid", "Replace"]),
)
def test_of_each_event_there_is_one_run_and_one_outcome(
    actions: list[tuple[str, int]], delivery: str, policy: str
) -> None:
    spec: dict[str, Any] = {"event": {}, "delivery": delivery, "concurrencyPolicy": policy}
    cluster, operator = start(**spec)
    for action, number in actions:
        operator = act(cluster, operator, spec, action, number)
    cluster.apply_trigger(**spec)
    operator.settle()
    while cluster.live():
        if policy == "Forbid":
            assert len(cluster.live()) == 1
        for name in cluster.live():
            cluster.finish(name)
        operator.settle()

    fired, skipped, missed = cluster.counts()
    assert (fired + skipped, missed) == (len(cluster.created), 0)
    folded = [run for run in cluster.runs() if run["metadata"]["labels"].get("penstock.dev/folded")]
    assert len(folded) == skipped
    assert all(run["spec"].get("cancel") for run in folded)
    if delivery == "Batch":
        batches = {run["metadata"]["labels"]["penstock.dev/batch"] for run in folded}
        assert batches <= {run["metadata"]["name"] for run in cluster.runs()} - {
            each["metadata"]["name"] for each in folded
        }
    assert not any(run["metadata"]["labels"].get("penstock.dev/trigger-awaited") for run in cluster.runs())


def act(
    cluster: TriggerCluster, operator: TriggerOperator, spec: dict[str, Any], action: str, number: int
) -> TriggerOperator:
    """Do it, and return the operator that works after it."""
    match action:
        case "event":
            for _ in range(number):
                send(cluster)
        case "finish" if cluster.live():
            cluster.finish(cluster.live()[number % len(cluster.live())])
        case "die":
            return die(cluster, operator, number)
        case "work":
            operator.settle()
        case "suspend":
            cluster.apply_trigger(**spec, suspend=bool(number))
    return operator


def send(cluster: TriggerCluster) -> None:
    event = TriggeringEvent(id=str(len(cluster.created)), time=write_time(cluster.now))
    cluster.make_run_for(on_event(event, cluster.now))


def die(cluster: TriggerCluster, operator: TriggerOperator, writes: int) -> TriggerOperator:
    """Let the operator die before that write, if it comes to it, and return the next one."""
    operator.lives = writes
    try:
        operator.settle()
    except OperatorKilled:
        return TriggerOperator(cluster)
    operator.lives = 10**9
    return operator

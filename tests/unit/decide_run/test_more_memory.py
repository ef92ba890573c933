"""A part that was killed for want of memory is tried again with more of it, up to a limit."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.jobs import JobSettings, MoreMemory, ResourceAmounts, Resources
from penstock.api.quantities import read_quantity
from penstock.decide.objects.folders import SPECIFICATION
from penstock.decide.run.more_memory import next_memory, with_memory
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import apply_run, control_jobs, pod_of, read_condition, step

MORE = {"limit": 3, "backoff": "30s", "memory": {"factor": "1.5", "limit": "8Gi"}}
ROOM = {"requests": {"memory": "2Gi"}, "limits": {"memory": "4Gi"}}


def at_part(part: str = "dataset", workers: int = 1, **settings: Any) -> tuple[ModelCluster, ModelOperator]:
    """Return a cluster with the pods of that part, whose job has these settings."""
    given = {"retries": MORE, "resources": ROOM} | settings
    pipeline = examples.pipeline(workers=workers)
    others = [each for each in pipeline["spec"]["jobs"] if each["name"] != part]
    mine = next((each for each in pipeline["spec"]["jobs"] if each["name"] == part), {"name": part})
    pipeline["spec"]["jobs"] = [*others, mine | given]
    cluster, operator = apply_run(pipeline=pipeline)
    for _ in range(10):
        operator.rest("churn-1")
        control_jobs(cluster)
        pods = list(cluster.live_pods())
        if pods[0]["metadata"]["labels"]["penstock.dev/step"] == part:
            return cluster, operator
        cluster.finish(pods[0])
    raise AssertionError(part)


def kill(cluster: ModelCluster, pod: Object | None = None) -> None:
    cluster.end(pod or pod_of(cluster), 137, reason="OOMKilled")
    control_jobs(cluster)


def begin_next_try(cluster: ModelCluster, operator: ModelOperator) -> None:
    decision = operator.rest("churn-1")
    assert decision.requeue_after is not None
    cluster.advance_clock(decision.requeue_after)
    operator.rest("churn-1")
    for pod in cluster.of("Pod"):
        if pod["metadata"].get("deletionTimestamp"):
            cluster.remove(("Pod", pod["metadata"]["name"]))
    control_jobs(cluster)


def memory_of(cluster: ModelCluster, part: str = "dataset") -> tuple[str, str, int]:
    """Return the request and the limit of the container that is at work, and what its job is told."""
    (job,) = cluster.live_jobs(examples.RUN_UID, part)
    spec = job["spec"]["template"]["spec"]
    room = spec["containers"][0]["resources"]
    name = next(each["configMap"]["name"] for each in spec["volumes"] if each["name"] == "specification")
    told = msgspec.json.decode(cluster.objects["ConfigMap", name]["data"][SPECIFICATION])
    return room["requests"]["memory"], room["limits"]["memory"], told["memory"]


def test_each_try_after_such_a_kill_has_more_memory_and_its_job_knows_it() -> None:
    cluster, operator = at_part()
    seen = [memory_of(cluster)]
    for _ in range(2):
        kill(cluster)
        begin_next_try(cluster, operator)
        seen.append(memory_of(cluster))

    assert seen == [("2Gi", "4Gi", 4 * 2**30), ("3Gi", "6Gi", 6 * 2**30), ("4Gi", "8Gi", 8 * 2**30)]
    assert step(cluster, "dataset")["tries"]["memory"] == "8Gi"
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"
    assert step(cluster, "dataset")["tries"] == {"part": "dataset", "number": 3, "failed": 2, "memory": "8Gi"}


def test_the_message_says_from_what_to_what() -> None:
    cluster, operator = at_part()
    kill(cluster)

    _, reason, message = read_condition(cluster, operator)

    assert reason == "Retrying"
    assert "Try 2 of 4 begins at 2026-03-01T12:00:30Z with 6Gi of memory instead of 4Gi; the last one" in message


def test_what_is_killed_with_the_most_memory_has_failed_for_good() -> None:
    cluster, operator = at_part()
    for _ in range(2):
        kill(cluster)
        begin_next_try(cluster, operator)
    kill(cluster)

    status, reason, message = read_condition(cluster, operator)

    assert (status, reason) == ("False", "OutOfMemory")
    assert "its limit of 8Gi, and spec.jobs[dataset].retries.memory.limit allows no more; raise it" in message


def test_more_memory_is_a_try_among_the_others() -> None:
    cluster, operator = at_part(retries=MORE | {"limit": 1})
    kill(cluster)
    begin_next_try(cluster, operator)
    kill(cluster)

    assert read_condition(cluster, operator)[:2] == ("False", "OutOfMemory")


def test_a_try_that_failed_for_something_else_has_as_much_memory_as_before() -> None:
    cluster, operator = at_part()
    kill(cluster)
    begin_next_try(cluster, operator)
    cluster.end(pod_of(cluster), 75)
    control_jobs(cluster)
    assert "instead of" not in read_condition(cluster, operator)[2]
    begin_next_try(cluster, operator)

    assert memory_of(cluster) == ("3Gi", "6Gi", 6 * 2**30)


def test_the_memory_is_found_again_on_the_job_where_the_status_is_lost() -> None:
    cluster, operator = at_part()
    kill(cluster)
    begin_next_try(cluster, operator)
    there = cluster.objects["PipelineRun", "churn-1"]
    steps = [{name: each[name] for name in ("name", "state")} for each in there["status"]["steps"]]
    cluster.put({**there, "status": {**there["status"], "steps": steps}})
    kill(cluster)
    begin_next_try(cluster, operator)

    assert memory_of(cluster) == ("4Gi", "8Gi", 8 * 2**30)


def test_workers_that_share_a_job_all_get_more_memory_and_what_they_finished_is_kept() -> None:
    cluster, operator = at_part("training", workers=2)
    first, second = cluster.live_pods()
    cluster.finish(first)
    kill(cluster, second)
    control_jobs(cluster)
    begin_next_try(cluster, operator)

    assert memory_of(cluster, "training") == ("3Gi", "6Gi", 6 * 2**30)
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"
    assert len(cluster.computed) == len(set(cluster.computed))


def test_without_a_limit_that_could_be_raised_the_run_is_refused_when_it_begins() -> None:
    pipeline = examples.pipeline(jobs=[{"name": "dataset", "retries": MORE}])
    cluster, operator = apply_run(pipeline=pipeline)

    status, reason, message = read_condition(cluster, operator)

    assert (status, reason) == ("False", "Refused")
    assert message.startswith("spec.jobs[dataset].retries.memory raises resources.limits.memory, which nobody has set;")


AMOUNTS = st.builds(
    lambda number, unit: f"{number}{unit}", st.integers(1, 4096), st.sampled_from(["Mi", "Gi", "M", "G"])
)


@given(AMOUNTS, AMOUNTS, st.sampled_from(["1.1", "1.5", "2", "10"]))
def test_memory_grows_with_each_try_and_never_beyond_its_limit(first: str, most: str, factor: str) -> None:
    more, had = MoreMemory(factor=factor, limit=most), first
    for _ in range(200):
        after = next_memory(more, had)
        if after is None:
            assert read_quantity(had, "") >= min(read_quantity(first, ""), read_quantity(most, ""))
            return
        assert read_quantity(had, "") < read_quantity(after, "") <= read_quantity(most, "")
        had = after
    raise AssertionError("without an end")


@given(AMOUNTS, AMOUNTS, st.none() | AMOUNTS)
def test_what_is_requested_is_never_more_than_the_limit(had: str, memory: str, requested: str | None) -> None:
    least = requested if requested is None or read_quantity(requested, "") <= read_quantity(had, "") else had
    room = Resources(requests=ResourceAmounts(cpu="1", memory=least), limits=ResourceAmounts(cpu="2", memory=had))

    raised = with_memory(JobSettings(resources=room), memory).resources

    assert raised is not None
    assert raised.limits is not None
    assert raised.requests is not None
    assert (raised.limits.memory, raised.limits.cpu, raised.requests.cpu) == (memory, "2", "1")
    if raised.requests.memory is not None:
        assert read_quantity(raised.requests.memory, "") <= read_quantity(memory, "") + 2**20


@pytest.mark.parametrize("part", ["training", "dataset"])
def test_a_pod_that_was_killed_for_something_else_is_tried_with_what_it_had(part: str) -> None:
    cluster, operator = at_part(part, workers=2)
    for pod in list(cluster.live_pods()):
        cluster.end(pod, 137)
        control_jobs(cluster)
    begin_next_try(cluster, operator)

    assert memory_of(cluster, part)[:2] == ("2Gi", "4Gi")

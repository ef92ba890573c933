"""Somebody takes a label off a child, by which it is watched: nobody sees it any more, and it is there all the same."""

from penstock.decide.objects.children import PIPELINE, STEP
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import advance_to_pod, pod_of, read_condition


def take_label_off(cluster: ModelCluster, kind: str, part: str) -> None:
    """Take the label off the child of that kind whose name says what it is."""
    found = next(each for each in cluster.of(kind) if f"-{part}-" in each["metadata"]["name"])
    labels = {name: value for name, value in found["metadata"]["labels"].items() if name != PIPELINE}
    cluster.put({**found, "metadata": {**found["metadata"], "labels": labels}})


def restarted(cluster: ModelCluster) -> ModelOperator:
    """Return another operator, which has never seen what has no label."""
    return ModelOperator(cluster)


def jobs_ever_made(cluster: ModelCluster) -> list[str]:
    made: dict[str, Object] = {each["metadata"]["uid"]: each for each in cluster.history if each["kind"] == "Job"}
    return sorted(each["metadata"]["labels"][STEP] for each in made.values())


def test_a_run_goes_on_as_what_it_is_where_its_pipeline_is_gone_too() -> None:
    cluster, _ = advance_to_pod()
    take_label_off(cluster, "ControllerRevision", "revision")
    cluster.objects.pop(("Pipeline", "churn"))

    settle(cluster, restarted(cluster))

    assert read_condition(cluster)[:2] == ("False", "PipelineDeleted")
    assert len(cluster.of("Model")) == 1


def test_a_run_that_is_cancelled_does_not_end_beside_a_job_that_goes_on() -> None:
    cluster, _ = advance_to_pod(part="training")
    take_label_off(cluster, "Job", "training")
    cluster.remove(("Pod", pod_of(cluster)["metadata"]["name"]))
    run = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**run, "spec": {**run["spec"], "cancel": True}})

    settle(cluster, restarted(cluster))

    assert read_condition(cluster)[:2] == ("False", "Cancelled")
    assert cluster.live_jobs(run["metadata"]["uid"]) == []


def test_nothing_is_done_twice_whose_result_is_recorded() -> None:
    cluster, _ = advance_to_pod(part="training")
    take_label_off(cluster, "ConfigMap", "results")
    for job in cluster.of("Job"):
        if cluster.is_over(job):
            cluster.remove(("Job", job["metadata"]["name"]))

    settle(cluster, restarted(cluster))

    assert read_condition(cluster)[0] == "True"
    assert jobs_ever_made(cluster) == ["dataset", "testing", "training"]

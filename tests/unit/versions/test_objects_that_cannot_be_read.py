"""Objects of another version in the cluster: what is not known stays, what cannot be read says so, all else goes on."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from penstock.api.decoding import Unreadable, decode
from penstock.api.resource import KINDS
from penstock.decide.cleaning.observation import RecordObservation
from penstock.decide.cleaning.reconcile import decide
from penstock.decide.decision import OnlyConditions
from penstock.decide.objects.children import RECORD
from penstock.decide.objects.folders import SPECIFICATION
from penstock.decide.observed import listers
from penstock.decide.run import reuse
from penstock.decide.settings import Settings
from penstock.decide.status import leave_alone
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, advance, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, pod_of, read_condition
from unit.versions.changed_documents import Place, at, places, with_more, with_other, without


@pytest.fixture(scope="module")
def served() -> ModelCluster:
    """A cluster in which one run has ended and its Model is served."""
    cluster, operator = apply_run()
    settle(cluster, operator)
    for _ in range(6):
        operator.rest("churn-1")
        for deployment in cluster.of("Deployment"):
            cluster.roll_out(deployment)
    return cluster


@pytest.fixture
def cluster(served: ModelCluster) -> ModelCluster:
    return copy.deepcopy(served)


def replicas(cluster: ModelCluster) -> list[int]:
    return [each["spec"]["replicas"] for each in cluster.of("Deployment")]


def conditions(there: Object) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["reason"]) for each in there["status"]["conditions"]}


def condition(there: Object, kind: str) -> dict[str, Any]:
    return next(each for each in there["status"]["conditions"] if each["type"] == kind)


def looked_at(cluster: ModelCluster, run: str = "churn-1") -> ModelOperator:
    operator = ModelOperator(cluster)
    operator.looks()
    operator.reconcile(run)
    operator.serve()
    return operator


@pytest.mark.parametrize("key", [("Pipeline", "churn"), ("PipelineRun", "churn-1")])
@pytest.mark.parametrize("part", ["spec", "status"])
def test_a_field_of_a_newer_version_changes_nothing_of_what_has_ended_and_is_served(
    cluster: ModelCluster, key: tuple[str, str], part: str
) -> None:
    there = cluster.objects[key]
    cluster.put({**there, part: {**there[part], "newField": {"deep": True}}})
    before = copy.deepcopy(cluster.objects[key]["status"])

    looked_at(cluster)

    assert cluster.objects[key]["status"] == before
    assert replicas(cluster) == [1]
    assert cluster.live_jobs(examples.RUN_UID) == []


def test_what_a_newer_version_says_in_a_status_is_there_after_it_was_written_again(cluster: ModelCluster) -> None:
    there = cluster.objects["Pipeline", "churn"]
    newer = with_more(with_more(with_more(there, ("status",)), ("status", "conditions", 0)), ("status", "servedModel"))
    cluster.put(newer)
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))  # another run to count

    looked_at(cluster)

    status = cluster.objects["Pipeline", "churn"]["status"]
    assert status["latestRun"] == "churn-2"
    more = newer["status"]["newInThisVersion"]
    assert [status["newInThisVersion"], status["servedModel"]["newInThisVersion"]] == [more, more]
    assert status["conditions"][0]["newInThisVersion"] == more


def test_what_a_newer_version_says_of_a_step_is_there_when_the_run_has_gone_on() -> None:
    cluster, operator = advance_to_pod(part="training")
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put(with_more(there, ("status", "steps", 0, "dataset")))

    settle(cluster, operator)

    steps = cluster.objects["PipelineRun", "churn-1"]["status"]["steps"]
    assert [each["state"] for each in steps] == ["Succeeded"] * 4
    assert "newInThisVersion" in steps[0]["dataset"]


def test_what_a_newer_version_told_of_a_result_is_there_when_the_next_one_is_recorded() -> None:
    cluster, operator = advance_to_pod(part="training")
    (results,) = (each for each in cluster.of("ConfigMap") if "dataset.json" in each["data"])
    newer = results["data"]["dataset.json"].replace("{", '{"newInThisVersion":1,', 1)
    cluster.put({**results, "data": {**results["data"], "dataset.json": newer}})

    settle(cluster, operator)

    data = cluster.objects["ConfigMap", results["metadata"]["name"]]["data"]
    assert "training.json" in data
    assert data["dataset.json"] == newer


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("status", {"newStatusField": 1}),
        ("status", {"steps": [{"name": "training", "state": "Halted"}]}),
        ("spec", {"cancel": "Softly"}),
    ],
)
def test_a_run_that_has_failed_stays_as_it_ended_whatever_of_it_can_be_read(part: str, change: dict[str, Any]) -> None:
    cluster, operator = advance_to_pod(part="training")
    cluster.end(pod_of(cluster), 2, "boom")
    for _ in range(4):
        control_jobs(cluster)
        operator.rest("churn-1")
    cluster.advance_clock(90000)
    operator.rest("churn-1")
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, part: {**there[part], **change}})
    before = copy.deepcopy(cluster.objects["PipelineRun", "churn-1"])

    operator.rest("churn-1")
    operator.restart().rest("churn-1")

    assert cluster.objects["PipelineRun", "churn-1"] == before
    assert read_condition(cluster)[:2] == ("False", "Failed")
    assert cluster.of("Job") == []


def test_a_run_that_cannot_be_read_keeps_its_status_and_its_job_and_goes_on_when_it_can() -> None:
    cluster, operator = advance_to_pod(part="training")
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "cancel": "Softly"}})

    operator.rest("churn-1")

    found = cluster.objects["PipelineRun", "churn-1"]
    assert {**found["status"], "conditions": []} == {**there["status"], "conditions": []}
    assert conditions(found) == {"Succeeded": ("Unknown", "Invalid"), "Stalled": ("True", "Invalid")}
    assert "spec.cancel" in read_condition(cluster)[2]
    assert len(cluster.live_jobs(examples.RUN_UID, "training")) == 1

    cluster.put({**found, "spec": there["spec"]})
    run = settle(cluster, operator)

    assert conditions(run) == {"Succeeded": ("True", "Succeeded")}


def test_a_condition_of_what_cannot_be_read_says_since_when_however_often_it_is_looked_at(
    cluster: ModelCluster,
) -> None:
    there = cluster.objects["Pipeline", "churn"]
    cluster.put({**there, "spec": {**there["spec"], "dataset": {"inputs": "all"}}})
    operator = looked_at(cluster)
    first = copy.deepcopy(cluster.objects["Pipeline", "churn"]["status"])
    cluster.advance_clock(3600)
    operator.looks()

    decision = operator.serve()

    assert decision.status is None
    assert decision.events == ()
    assert cluster.objects["Pipeline", "churn"]["status"] == first
    assert "spec.dataset" in first["conditions"][0]["message"]
    assert "(generation 1)" in first["conditions"][0]["message"]


def test_a_pipeline_that_cannot_be_read_serves_on_and_its_run_that_has_begun_waits_for_it_at_its_end() -> None:
    cluster, operator = advance_to_pod(part="testing")
    there = cluster.objects["Pipeline", "churn"]
    cluster.put({**there, "spec": {**there["spec"], "retention": {"models": "all"}}})
    cluster.finish(pod_of(cluster))
    control_jobs(cluster)

    status, reason, message = read_condition(cluster, operator)

    assert (status, reason) == ("Unknown", "Invalid")
    assert "Pipeline churn (generation 1) cannot be read: spec.retention.models" in message

    cluster.put(there)
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_model_that_cannot_be_read_is_named_by_the_pipeline_that_serves_it_and_stops_no_run(
    cluster: ModelCluster,
) -> None:
    (model,) = cluster.of("Model")
    cluster.put({**model, "spec": {**model["spec"], "deletionPolicy": "Keep"}})
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    operator = ModelOperator(cluster)
    for _ in range(4):
        operator.rest("churn-2")
        advance(cluster)

    ready = next(
        each for each in cluster.objects["Pipeline", "churn"]["status"]["conditions"] if each["type"] == "Ready"
    )
    steps = cluster.objects["PipelineRun", "churn-2"]["status"]["steps"]
    assert ready["reason"] == "Invalid"
    assert model["metadata"]["name"] in ready["message"]
    assert "spec.deletionPolicy is 'Keep'" in ready["message"]
    assert replicas(cluster) == [1]
    assert [each["state"] for each in steps[:2]] == ["Succeeded", "Succeeded"]


def test_a_run_waits_for_the_served_model_that_it_cannot_be_compared_with_and_goes_on_when_it_can_be_read(
    cluster: ModelCluster,
) -> None:
    (model,) = cluster.of("Model")
    cluster.put({**model, "spec": {**model["spec"], "deletionPolicy": "Keep"}})
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    operator = ModelOperator(cluster)
    for _ in range(8):
        operator.rest("churn-2")
        advance(cluster)
    waiting = cluster.objects["PipelineRun", "churn-2"]

    assert conditions(waiting)["Succeeded"] == ("Unknown", "Invalid")
    assert [each["state"] for each in waiting["status"]["steps"]] == ["Succeeded", "Succeeded", "Waiting", "Pending"]

    cluster.put(model)
    run = settle(cluster, operator, "churn-2")
    assert conditions(run)["Succeeded"][0] == "True"


def test_no_version_of_a_table_goes_while_a_model_that_was_made_of_it_cannot_be_read(cluster: ModelCluster) -> None:
    (model,) = cluster.of("Model")
    cluster.put(without(model, ("spec", "lineage", "training"), "version"))
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    operator = ModelOperator(cluster)

    operator.rest("churn-2")

    (asked,) = (each for each in cluster.of("ConfigMap") if "churn-2-dataset" in each["metadata"]["name"])
    assert '"keepVersions": 31536000000.0' in asked["data"][SPECIFICATION]


@pytest.mark.parametrize(("kind", "content"), [("ControllerRevision", "data"), ("ConfigMap", "metadata")])
def test_a_run_whose_snapshot_or_results_are_of_a_form_that_nobody_knows_fails_and_says_so(
    kind: str, content: str
) -> None:
    cluster, operator = advance_to_pod(part="training")
    other_form(cluster, kind, content)

    settle(cluster, operator)

    status, reason, message = read_condition(cluster)
    assert (status, reason) == ("False", "Refused")
    assert "/v9, and this version of Penstock reads penstock.dev/" in message


def test_a_run_that_has_ended_is_not_touched_where_its_results_cannot_be_read(cluster: ModelCluster) -> None:
    other_form(cluster, "ConfigMap", "metadata")
    before = copy.deepcopy(cluster.objects)

    looked_at(cluster)

    assert cluster.objects == before


def other_form(cluster: ModelCluster, kind: str, content: str) -> None:
    """Let the snapshot, or the results, of the run be of another form."""
    for there in cluster.of(kind):
        if RECORD in there["metadata"]["labels"] or (kind == "ConfigMap" and "dataset.json" not in there["data"]):
            continue
        changed = {"format": "penstock.dev/snapshot/v9"}
        if kind == "ConfigMap":
            changed = {"annotations": {"penstock.dev/format": "penstock.dev/results/v9"}}  # type: ignore[dict-item]
        cluster.put({**there, content: {**there[content], **changed}})


def places_in(there: Object) -> list[Place]:
    read = decode(there, KINDS[there["kind"]])
    assert not isinstance(read, Unreadable)
    # A condition is what is written where something cannot be read: what was wrong with it is mended by that.
    found = [each for each in places(read, there) if each.path and each.path[0] in ("spec", "status")]
    return [each for each in found if each.path[:2] != ("status", "conditions")]


@given(st.data())
@of_hypothesis(max_examples=40, deadline=None)
def test_whatever_of_an_object_cannot_be_read_its_status_stays_and_the_runs_of_others_go_on(
    served: ModelCluster, data: st.DataObject
) -> None:
    cluster = copy.deepcopy(served)
    kind = data.draw(st.sampled_from(["Pipeline", "PipelineRun", "Model"]))
    (there,) = cluster.of(kind)
    place = data.draw(st.sampled_from([each for each in places_in(there) if each.required or each.enums]))
    name = data.draw(st.sampled_from([*place.required, *place.enums]))
    broken = without(there, place.path, name) if name in place.required else with_other(there, place.path, name, "New")
    key = kind, there["metadata"]["name"]
    cluster.objects[key] = broken
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    operator = ModelOperator(cluster)

    for _ in range(3):
        operator.rest("churn-2")
        operator.reconcile("churn-1")

    now = cluster.objects[key]
    told = condition(cluster.objects["PipelineRun", "churn-2"], "Succeeded")
    assert replicas(cluster) == [1]
    if kind == "Pipeline":
        assert told["reason"] == "Invalid"
        assert name in told["message"]
        assert {each["reason"] for each in now["status"]["conditions"] if each["type"] == "Stalled"} == {"Invalid"}
        assert {**now["status"], "conditions": []} == {**broken["status"], "conditions": []}
    else:
        assert told["reason"] == "Running"
        if kind == "PipelineRun" or place.path[0] == "status":
            assert at(now, place.path) == at(broken, place.path)


def test_a_record_that_cannot_be_read_deletes_nothing_and_is_in_the_log(cluster: ModelCluster) -> None:
    record = next(each for each in cluster.of("ControllerRevision") if RECORD in each["metadata"]["labels"])
    broken = without(record, ("data", "folder"), "proof")

    decision = decide(RecordObservation(broken, Settings()), cluster.now)

    assert decision.writes == ()
    assert "data.folder.proof is missing" in decision.warnings[0]


def test_only_conditions_are_written_over_a_status_that_cannot_be_read(cluster: ModelCluster) -> None:
    there = cluster.objects["Pipeline", "churn"]
    cluster.put({**there, "spec": {**there["spec"], "dataset": {"inputs": "all"}}})
    operator = ModelOperator(cluster)
    operator.looks()

    assert isinstance(operator.serve().status, OnlyConditions)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@of_hypothesis(max_examples=300, deadline=None)
@given(st.data())
def test_what_others_ask_of_a_run_or_a_model_is_answered_whatever_is_in_it(
    served: ModelCluster, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["PipelineRun", "Model"]))
    [there] = served.of(kind)
    found = [each.path for each in places(decode(there, KINDS[kind]), there)]
    fields = [(path, name) for path in found for name in at(there, path) if "metadata" not in (*path, name)]
    path, name = data.draw(st.sampled_from(fields))
    there = with_other(there, path, name, data.draw(anything))

    listers.summary_of(there)
    listers.goes_on(there)
    listers.pipeline_of(there)
    listers.servers_of(there)
    listers.storage_of(there)
    reuse.results_to_reuse(examples.run(jobs=[{"name": "testing"}]), listers.RunLister([there]))
    read = decode(there, KINDS[kind])
    if kind == "PipelineRun" and isinstance(read, Unreadable):
        leave_alone(there, read, served.now)

"""What a person is told before something is deleted: what goes along, what stays, and what must not go now."""

from typing import Any

import pytest

from penstock.decide.cleaning.record import Identity, Record, record_object
from penstock.decide.commands.delete import CLUSTER, LAPTOP, Deletion, Surroundings, deletion_of
from penstock.decide.objects.children import PIPELINE, RUN_UID, Owner
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location, OwnedFolder

Object = dict[str, Any]
RUN: Object = {
    "kind": "PipelineRun",
    "metadata": {"name": "churn-1", "uid": "run-uid"},
    "spec": {"pipelineRef": {"name": "churn"}},
    "status": {"storage": "s3://b/runs/test_2"},
}
PIPELINES: dict[str, Object] = {
    "none": {"spec": {}, "status": {}},
    "served": {"spec": {"deployment": {}}, "status": {"servedModel": {"name": "m"}}},
    "pinned": {"spec": {"deployment": {"model": "m"}}, "status": {"servedModel": {"name": "other"}}},
}


def pipeline(state: str) -> Object:
    return {"kind": "Pipeline", "metadata": {"name": "churn", "uid": "pipeline-uid"}, **PIPELINES[state]}


def model(policy: str = "Retain") -> Object:
    labels = {PIPELINE: "churn", RUN_UID: "run-uid"}
    metadata = {"name": "m", "uid": "model-uid", "labels": labels}
    return {"kind": "Model", "metadata": metadata, "spec": {"uri": "s3://b/models/m", "deletionPolicy": policy}}


def record(kind: Any, uid: str, uri: str) -> Object:
    folder = OwnedFolder(Location(uri=uri), "snapshot.yaml", uid=uid)
    made = Record(kind=kind, name="x", uid=uid, identity=Identity("d", "n"), folder=folder)
    return record_object(Owner("ml", "x", uid, "churn"), made)


def goes_and_stays(deletion: Deletion) -> tuple[str, str]:
    return "\n".join(deletion.goes), "\n".join(deletion.stays)


def test_of_the_folders_of_a_run_whose_name_was_taken_only_its_own_goes() -> None:
    records = [record("PipelineRun", "run-uid", f"s3://b/runs/{name}") for name in ("test", "test_2")]

    goes, stays = goes_and_stays(deletion_of(RUN, Surroundings(LAPTOP, models=[model()], records=records)))

    assert "s3://b/runs/test_2" in goes
    assert "s3://b/runs/test\n" not in f"{goes}\n"
    assert "the Model that it made, m" in stays
    assert "the tables of churn" in stays


def test_the_files_of_a_run_that_are_recorded_nowhere_stay() -> None:
    goes, stays = goes_and_stays(deletion_of(RUN, Surroundings(LAPTOP)))

    assert "s3://b" not in goes
    assert "s3://b/runs/test_2" in stays


@pytest.mark.parametrize("words", [LAPTOP, CLUSTER])
def test_a_run_at_work_does_not_go(words: Any) -> None:
    with pytest.raises(Refused, match="The run churn-1 is at work; wait for its end, or"):
        deletion_of(RUN, Surroundings(words, at_work=frozenset({"run-uid"})))


@pytest.mark.parametrize(
    ("state", "todo"), [("served", "penstock deploy MODEL"), ("pinned", "penstock deploy churn --unpin")]
)
def test_a_model_that_a_pipeline_serves_or_pins_does_not_go(state: str, todo: str) -> None:
    with pytest.raises(Refused, match=todo):
        deletion_of(model(), Surroundings(LAPTOP, pipelines=[pipeline(state)]))


@pytest.mark.parametrize(
    ("policy", "recorded", "go"), [("Delete", True, True), ("Delete", False, False), ("Retain", False, False)]
)
def test_the_files_of_a_model_go_where_that_is_its_policy_and_recorded(policy: str, recorded: bool, go: bool) -> None:
    records = [record("Model", "model-uid", "s3://b/models/m")] if recorded else []
    seen = Surroundings(LAPTOP, pipelines=[pipeline("none")], records=records, runs=[RUN])

    goes, stays = goes_and_stays(deletion_of(model(policy), seen))

    assert ("s3://b/models/m" in goes) == go
    assert ("s3://b/models/m" in stays) == (not go)
    assert "the run churn-1" in stays


def test_of_a_pipeline_its_models_runs_triggers_and_storage_stay() -> None:
    trigger = {"kind": "Trigger", "metadata": {"name": "nightly", "uid": "t"}, "spec": RUN["spec"]}
    seen = Surroundings(CLUSTER, runs=[RUN], models=[model()], triggers=[trigger])

    goes, stays = goes_and_stays(deletion_of(pipeline("served"), seen))

    assert "its API" in goes
    for each in ("its Model, m", "its run, churn-1", "its Trigger, nightly", "its storage"):
        assert each in stays

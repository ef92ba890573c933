"""What a cluster holds of a run, as far as the person who asks may see it."""

import asyncio
from typing import Any, cast

import msgspec
import pytest

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineReference, PipelineRunSpec
from penstock.decide.commands.run_evidence import RunEvidence
from penstock.decide.objects.results import results
from penstock.decide.objects.revision import revision, snapshot_of
from penstock.decide.ownership import run_owner
from penstock.decide.settings import Settings
from penstock.kubernetes.errors import ApiError, Rejected, Transient
from penstock.kubernetes.kinds import Kind
from penstock.remote.cluster import Cluster
from penstock.remote.evidence import collect_evidence
from unit.decide_run import examples_of_runs as examples


class Held:
    """A cluster that has these objects; what is refused is refused with that error."""

    def __init__(self, *objects: Any, refused: dict[str, ApiError] | None = None) -> None:
        self.objects = {(each["kind"], each["metadata"]["name"]): each for each in objects}
        self.refused = refused or {}

    async def find(self, kind: Kind, name: str) -> Any:
        if kind.kind in self.refused:
            raise self.refused[kind.kind]
        return self.objects.get((kind.kind, name))


def evidence(cluster: Held, run: Any) -> RunEvidence:
    return asyncio.run(collect_evidence(cast(Cluster, cluster), run, "Succeeded"))


@pytest.fixture
def run() -> Any:
    return examples.run()


@pytest.fixture
def children(run: Any) -> list[Any]:
    pipeline = msgspec.convert(examples.pipeline(), Pipeline)
    asked = PipelineRunSpec(pipeline_ref=PipelineReference(name="churn"))
    owner = run_owner(run)
    return [
        revision(owner, snapshot_of(pipeline, asked, Settings())),
        results(owner, {"training": examples.whole_message(examples.training_result())}),
    ]


def test_the_snapshot_and_the_results_are_found_by_the_names_that_their_run_gives_them(
    run: Any, children: list[Any]
) -> None:
    found = evidence(Held(*children), run)

    assert found.spec is not None
    assert set(found.results) == {"training"}
    assert not found.unread


def test_what_a_person_may_not_read_is_told_and_all_else_is_there(run: Any, children: list[Any]) -> None:
    refused: dict[str, ApiError] = {
        "ControllerRevision": Rejected(403, "Forbidden", "controllerrevisions is forbidden")
    }

    found = evidence(Held(*children, refused=refused), run)

    assert found.unread == {
        "snapshot": "The snapshot of churn-1 may not be read: the cluster does not let you "
        "(controllerrevisions is forbidden)."
    }
    assert set(found.results) == {"training"}


def test_a_cluster_that_does_not_answer_is_no_gap(run: Any) -> None:
    with pytest.raises(Transient):
        evidence(Held(refused={"ConfigMap": Transient(503, "", "later")}), run)


def test_models_that_are_gone_or_cannot_be_read_are_left_out(run: Any, children: list[Any]) -> None:
    unreadable = {"apiVersion": "penstock.dev/v1alpha1", "kind": "Model", "metadata": {"name": examples.model_name(0)}}

    assert evidence(Held(*children, unreadable), run).models == {}

"""A home that an earlier version wrote is read as it is."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.decide.model_resource import model_resource
from penstock.decide.objects.children import as_json
from penstock.decide.run_state import is_finished, status_of
from penstock.decide.serving import pinned_model, served_model
from penstock.local.evidence import collect_evidence
from penstock.local.home import Home
from penstock.local.old_homes import renew, results_of_old
from penstock.local.reading import read_revision
from penstock.local.resources import Resources
from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ModelReference
from unit.decide_run import examples_of_runs as examples

TIME = "2026-01-01T12:00:00Z"


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    return Resources(Home(tmp_path))


def written(resources: Resources, there: dict[str, Any]) -> None:
    folder = resources.home.resources / f"{there['kind'].lower()}s"
    folder.mkdir(parents=True)
    (folder / f"{there['metadata']['name']}.json").write_text(json.dumps(there))


def test_a_pipeline_in_the_words_of_before(resources: Resources) -> None:
    there = examples.pipeline(logs={"format": "json"})
    there["metadata"]["annotations"] = {"penstock.dev/pinned-model": "old"}
    there["spec"]["jobs"] = {
        "training": {"environment": [{"name": "A", "value": "1"}], "imagePullSecrets": ["mine"]},
        "testing": None,
    }
    there["spec"]["testing"] = {"scoring": [{"name": "f1", "average": "macro"}]}
    there["status"] = {"servedModel": {"name": "old", "since": TIME}}
    written(resources, there)

    found = resources.get(Pipeline, "churn")

    assert (served_model(found), pinned_model(found)) == ("old", "old")
    assert [(each.name, each.env[0].name, each.image_pull_secrets[0].name) for each in found.spec.jobs] == [
        ("training", "A", "mine")
    ]
    assert found.spec.testing is not None
    assert found.spec.testing.scoring[0].average == "Macro"


def test_a_run_in_the_words_of_before(resources: Resources) -> None:
    there = examples.run()
    steps = [{"name": "dataset", "state": "Succeeded", "started": TIME, "finished": TIME}]
    said = {"status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": TIME}
    there["status"] = {"started": TIME, "finished": TIME, "steps": steps, "conditions": [{"type": "Succeeded", **said}]}
    written(resources, there)

    found = resources.get(PipelineRun, "churn-1")

    assert is_finished(found)
    assert (status_of(found).start_time, status_of(found).completion_time) == (TIME, TIME)
    assert status_of(found).steps[0].completion_time == TIME


def test_a_model_in_the_words_of_before(resources: Resources) -> None:
    reference = ModelReference(
        name="m", uri="file:///m", digest=f"sha256:{'0' * 64}", candidate="c", algorithm="linear"
    )
    made = model_resource(reference, examples.manifest("m"), run="churn-1", pipeline_uid="p")
    there = as_json(made)
    origin = there["spec"]["origin"]
    pipeline, run = origin.pop("pipelineRef"), origin.pop("runRef")
    origin |= {"pipeline": pipeline["name"], "pipelineUid": pipeline["uid"], "run": run["name"], "runUid": run["uid"]}
    there["spec"]["created"] = there["spec"].pop("creationTime")
    there["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111"  # as all that is in a home has
    written(resources, there)

    assert resources.get(Model, "m").spec == made.spec


@pytest.mark.parametrize("content", [b"[]", b"7", b'"x"', b"null", b"{", b'{"kind": "Pipeline", "spec": []}'])
def test_the_pipeline_that_a_run_took_is_refused_by_its_file_where_it_is_none(
    resources: Resources, content: bytes
) -> None:
    written(resources, examples.run())
    path = resources.home.run(examples.RUN_UID) / "pipeline.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(Refused, match=f"{path} cannot be read: .* It is left as it is; mend that file"):
        read_revision(resources, resources.get(PipelineRun, "churn-1"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["Pipeline", "Model", "PipelineRun"]),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(
                    ["kind", "metadata", "annotations", "penstock.dev/pinned-model", "spec", "jobs", "origin", "format"]
                ),
                inner,
            )
            | st.lists(inner, max_size=3)
        ),
    )
)
def test_what_is_no_object_is_read_as_it_is(content: Any) -> None:
    renew(content)


def test_the_results_of_a_run_are_found_where_they_were_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.run(examples.RUN_UID) / "results"
    folder.mkdir(parents=True)
    (folder / "dataset.json").write_bytes(document.encode(examples.dataset_result()))

    found = results_of_old(home, examples.run())

    assert found is not None
    assert set(found["data"]) == {"dataset.json"}


def test_what_is_left_of_a_run_of_before_is_told_beside_another(resources: Resources) -> None:
    there = examples.run()
    written(resources, there)
    folder = resources.home.run(examples.RUN_UID)
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "dataset.json").write_bytes(document.encode(examples.dataset_result()))
    (folder / "pipeline.json").write_text(json.dumps(examples.pipeline()))

    found = collect_evidence(resources, resources.get(PipelineRun, "churn-1"), "Succeeded")

    assert found.unread == {}
    assert found.spec is not None
    assert set(found.results) == {"dataset"}

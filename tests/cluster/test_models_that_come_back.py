"""Models outlive everything: a namespace is deleted, and they are made again in another one from their files.

Real pods, real S3: the Models are those of a run, the storage is listed by a pod, and one of them is served by a
Pipeline that has nothing but its name.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.buckets import BUCKET
from cluster.hand_made_runs import READER
from cluster.kubernetes_api import JOBS, SECRETS, Object
from cluster.sites import LINEAR, MODELS, PIPELINES, SECONDS, NewSite, Site, step_of
from penstock_command import CommandResult, run_penstock
from testcluster.cluster import Cluster

TWO = LINEAR | {"parameters": [*LINEAR["parameters"], {"name": "C", "values": ["0.01", "1.0"]}]}


@dataclass(frozen=True)
class Lost:
    """A namespace that is gone, the Models that were in it, and a new one with an operator and nothing else."""

    site: Site
    models: dict[str, Object]
    storage: str
    kubeconfig: Path
    folder: Path
    image: str

    def bring(self, *words: str) -> CommandResult:
        """Say `penstock --cluster models import …` in the new namespace."""
        asked = ("--cluster", "-n", self.site.namespace, "models", "import", "--image", self.image, *words)
        return run_penstock(*asked, home=self.folder, environment={"KUBECONFIG": str(self.kubeconfig)})

    def from_storage(self, *words: str) -> CommandResult:
        endpoint = self.site.buckets.server.inside
        return self.bring(self.storage, "--endpoint", endpoint, "--credentials", READER, *words)

    def there(self) -> dict[str, Object]:
        found = self.site.api.objects(MODELS, self.site.namespace)
        return {each["metadata"]["name"]: each for each in found}

    def forget(self) -> None:
        for name in self.there():
            self.site.api.delete(MODELS, name, self.site.namespace)


@pytest.fixture(scope="module")
def lost(
    new_site: NewSite, cluster: Cluster, image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lost]:
    with new_site("first") as first:
        first.pipeline("churn", training__algorithms=[TWO], training__keep=2)
        run = first.wait_for_success(first.run("churn", "dataset", "training"))
        names = step_of(run, "training")["training"]["models"]
        models = {each: first.api.get(MODELS, each, first.namespace) for each in names}
        storage = f"s3://{BUCKET}/{first.namespace}/churn"
    with new_site("second", ["serving"]) as second:
        yield Lost(second, models, storage, cluster.kubeconfig, tmp_path_factory.mktemp("home"), image("jobs"))


def test_a_model_is_made_again_as_it_was_and_served_by_a_pipeline_of_its_name_alone(lost: Lost) -> None:
    brought = lost.from_storage()

    assert brought.code == 0, brought.errors
    there = lost.there()
    assert set(there) == set(lost.models)
    for name, model in there.items():
        assert known(model) == known(lost.models[name])

    chosen = sorted(there)[0]
    pipeline = {"apiVersion": PIPELINES.api_version, "kind": "Pipeline", "metadata": {"name": "back"}}
    lost.site.api.create(pipeline | {"spec": {"deployment": {"model": chosen}}}, lost.site.namespace)
    ready = lost.site.api.wait_for(
        PIPELINES, "back", lost.site.namespace, is_ready, what="a Pipeline that serves", seconds=SECONDS
    )
    assert ready["status"]["servedModel"]["name"] == chosen
    lost.site.api.delete(PIPELINES, "back", lost.site.namespace)


def known(model: Object) -> Any:
    """Return what a Model is, but for the names of the run's and the Pipeline's objects, which no file knows."""
    spec = json.loads(json.dumps(model["spec"]))
    origin = spec["origin"]
    spec["origin"] = origin | {
        "pipelineRef": {"name": origin["pipelineRef"]["name"]},
        "runRef": {"uid": origin["runRef"]["uid"]},
    }
    labels = {name: model["metadata"]["labels"][name] for name in ("penstock.dev/pipeline", "penstock.dev/run-uid")}
    return spec, labels


def is_ready(pipeline: Object) -> bool:
    conditions = (pipeline.get("status") or {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def test_it_may_be_done_again_and_leaves_nothing_behind(lost: Lost) -> None:
    assert lost.from_storage().code == 0
    before = {name: each["metadata"]["uid"] for name, each in lost.there().items()}

    again = lost.from_storage()

    assert again.code == 0, again.errors
    assert again.output.count("there already") == len(lost.models)
    assert {name: each["metadata"]["uid"] for name, each in lost.there().items()} == before
    jobs = lost.site.api.objects(JOBS, lost.site.namespace, labels="penstock.dev/errand")
    assert [each for each in jobs if not each["metadata"].get("deletionTimestamp")] == []


def test_only_looking_makes_nothing(lost: Lost) -> None:
    lost.forget()

    looked = lost.from_storage("--dry-run", "-o", "json")

    assert {each["name"]: each["state"] for each in looked.json()} == dict.fromkeys(lost.models, "would be imported")
    assert lost.there() == {}


def test_the_storage_of_a_pipeline_can_be_named_by_the_pipeline(lost: Lost) -> None:
    lost.forget()
    manifest = lost.site.manifest("churn")
    manifest["spec"]["storage"]["s3"]["prefix"] = lost.storage.removeprefix(f"s3://{BUCKET}/")
    lost.site.api.apply(manifest, lost.site.namespace)

    assert lost.bring("--pipeline", "churn").code == 0

    assert set(lost.there()) == set(lost.models)


def test_a_model_whose_file_was_changed_is_not_made_and_the_others_are(lost: Lost) -> None:
    lost.forget()
    harmed, *others = sorted(lost.models)
    folder = lost.models[harmed]["spec"]["uri"]
    lost.site.buckets.damage(f"{folder}/model.onnx")
    try:
        done = lost.from_storage()
    finally:
        lost.site.buckets.damage(f"{folder}/model.onnx")  # the same byte again, as it was

    assert done.code == 2
    assert f"{folder}/model.onnx was changed: its digest is" in " ".join(done.errors.split())
    assert "1 of 2 was not imported" in done.errors
    assert set(lost.there()) == set(others)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["s3://nowhere-at-all/x", "--credentials", READER], "nowhere-at-all"),
        (["s3://bucket/x", "--credentials", "missing"], "There is no Secret missing in the namespace"),
        (["/home/me/models"], "is no storage that pods can read"),
        ([], "name a storage"),
    ],
    ids=["no bucket", "no Secret", "a folder of this machine", "nothing"],
)
def test_a_storage_that_cannot_be_read_is_said_in_a_sentence(lost: Lost, words: list[str], sentence: str) -> None:
    endpoint = ["--endpoint", lost.site.buckets.server.inside] if words and words[0].startswith("s3") else []

    done = lost.bring(*words, *endpoint)

    assert done.code == 2
    assert sentence in done.errors
    assert "Traceback" not in done.errors


def test_an_image_that_is_not_there_is_said_and_what_to_do(lost: Lost) -> None:
    assert lost.site.api.find(SECRETS, READER, lost.site.namespace)

    done = lost.from_storage("--image", "penstock.invalid/jobs:none")

    assert done.code == 2
    assert "name another with --image" in done.errors

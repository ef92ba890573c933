"""Deleting a definition (CRD) deletes its objects, and no file of theirs; nor does installing it again.

On a cluster beside the one that the other tests use: they need the definitions.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cluster.custom_resources import install
from cluster.kubernetes_api import CRDS, NAMESPACES, KubernetesApi, Object, Resource, connect
from cluster.operator_process import OperatorProcess, run_operator
from cluster.sites import MODELS
from cluster.test_start_and_end import Beside
from penstock.decide.model_resource import model_resource
from penstock_jobs.contract.result import ModelReference
from testcluster import cache, choice
from testcluster.machine.provider import Machine
from testcluster.patience import attempts
from unit.decide_run.examples_of_runs import manifest

RECORDS = Resource("apps/v1", "controllerrevisions")
NAMESPACE, DEFINITION = "team", "models.penstock.dev"
A_JOB_WAS_MADE = 'penstock_api_writes_total{kind="Job",verb="create"}'
SECONDS = 180


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster of its own."""
    found = choice.find()
    if found is None or not isinstance(found[0], Machine):
        pytest.skip("The tests run on a cluster beside which no other can be made.")
    folder = tmp_path_factory.mktemp("beside")
    (folder / "programs").symlink_to(cache.folder("programs"))
    beside = Beside(folder)
    beside.up()
    yield folder / "machine" / "kubeconfig"
    beside.do("down")


def a_model(api: KubernetesApi, name: str) -> Object:
    """Apply a Model whose files are to go with it, and return it once that is recorded."""
    reference = ModelReference(name=name, uri=f"s3://ml-team/churn/models/{name}", digest=f"sha256:{'0' * 64}")
    made = model_resource(reference, manifest(name), run=None, pipeline_uid=None, deletion_policy="Delete")
    model = api.create(msgspec.json.decode(msgspec.json.encode(made)), NAMESPACE)
    for _ in attempts("a record of its files", SECONDS):
        if api.objects(RECORDS, NAMESPACE, labels=f"penstock.dev/record={model['metadata']['uid']}"):
            return model
    raise AssertionError


def jobs_made(operator: OperatorProcess) -> bool:
    return A_JOB_WAS_MADE in operator.ask("/metrics")[1]


def test_files_stay_when_their_definition_is_deleted_and_installed_again(kubeconfig: Path, tmp_path: Path) -> None:
    api = install(connect(kubeconfig))
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    api.wait_for(NAMESPACES, NAMESPACE, None, lambda _: True, what="the namespace")
    with run_operator(kubeconfig, NAMESPACE, tmp_path) as operator:
        operator.wait_until_ready()
        a_model(api, "first")

        api.delete(CRDS, DEFINITION)
        api.wait_until_gone(CRDS, DEFINITION, None, seconds=SECONDS)
        for _ in attempts("an end of the record", SECONDS):
            if not api.objects(RECORDS, NAMESPACE, labels="penstock.dev/record"):
                break
        assert not jobs_made(operator)
        install(api)

    with run_operator(kubeconfig, NAMESPACE, tmp_path, name="another") as operator:
        operator.wait_until_ready()
        model = a_model(api, "second")
        assert not jobs_made(operator)

        api.delete(MODELS, model["metadata"]["name"], NAMESPACE)  # by itself: now its files are to go

        for _ in attempts("a Job that cleans", SECONDS):
            if jobs_made(operator):
                break

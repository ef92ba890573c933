"""The objects that we build, held against a real API server: every field is one that it knows, every pod restricted."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from cluster.custom_resources import install
from cluster.kubernetes_api import ApiRefused, KubernetesApi, Object
from penstock.api.jobs import JobSettings
from penstock.decide.objects.job import StepJob, job
from penstock_jobs.contract.errors import Refused
from unit.objects.examples_of_objects import IMAGE, OWNER, for_dataset, spec_of
from unit.objects.test_pod_templates import templates

GOLDEN = Path(__file__).parents[1] / "unit" / "objects" / "golden"
TRIED = {"dryRun": "All", "fieldValidation": "Strict"}


@pytest.fixture(scope="session")
def api(api: KubernetesApi) -> KubernetesApi:
    return install(api)


def tried(api: KubernetesApi, made: Object, namespace: str) -> Object:
    """Return the object as the server would store it; it stores nothing, and refuses a field that it does not know."""
    resource = api.resource(made)
    made = {**made, "metadata": {**made["metadata"], "namespace": namespace}}
    root = f"/apis/{made['apiVersion']}" if "/" in made["apiVersion"] else f"/api/{made['apiVersion']}"
    return api.json("POST", f"{root}/namespaces/{namespace}/{resource.plural}", made, TRIED)


def golden() -> list[Any]:
    files = sorted(GOLDEN.glob("*.yaml"))
    objects = [(file.stem, each) for file in files for each in yaml.safe_load_all(file.read_text("utf-8"))]
    # A Model's digest in the tests of builders is no digest.
    return [pytest.param(made, id=f"{name}-{made['kind']}") for name, made in objects if made["kind"] != "Model"]


@pytest.mark.parametrize("made", golden())
def test_every_object_that_we_build_is_one_that_the_server_knows(
    api: KubernetesApi, namespace: str, made: Object
) -> None:
    stored = tried(api, made, namespace)

    assert stored["kind"] == made["kind"]


@pytest.mark.parametrize("name", ["dataset", "testing", "source", "notification"])
def test_a_pod_of_a_job_is_admitted_where_only_restricted_ones_are(
    api: KubernetesApi, namespace: str, name: str
) -> None:
    [made] = [each for each in yaml.safe_load_all((GOLDEN / f"{name}.yaml").read_text()) if each["kind"] == "Job"]

    assert tried(api, pod_of(made), namespace)["spec"]["automountServiceAccountToken"] is False


def pod_of(made: Object) -> Object:
    template = made["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": template["spec"]}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(template=templates)
def test_no_template_that_we_let_pass_is_less_than_restricted(
    api: KubernetesApi, namespace: str, template: dict[str, Any]
) -> None:
    try:
        made = job(StepJob(OWNER, "dataset", for_dataset(spec_of()), JobSettings(pod_template=template), IMAGE))
    except Refused:
        return
    refusal = refused(api, pod_of(made), namespace)

    # What is no valid pod at all (a container without an image) is refused for that, which is a condition of the run.
    assert refusal is None or (refusal.code == 422 and "PodSecurity" not in str(refusal))


def refused(api: KubernetesApi, made: Object, namespace: str) -> ApiRefused | None:
    try:
        tried(api, made, namespace)
    except ApiRefused as refusal:
        return refusal
    return None

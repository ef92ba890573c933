"""What a run on a laptop leaves, its Pipeline, run and Models with their statuses, an API server stores as it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.custom_resources import Object, exact_text, install, spec_to_expect
from cluster.kubernetes_api import KubernetesApi
from local.laboratory_of_runs import ProjectFolder
from penstock.api.schema import API_VERSION

OF_THE_HOME = {"uid", "resourceVersion", "creationTimestamp", "generation"}


@pytest.fixture(scope="session")
def api(api: KubernetesApi) -> KubernetesApi:
    return install(api)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """All resources that a run leaves; beside them a home has what a cluster's own controllers would act on."""
    bench = ProjectFolder(tmp_path_factory.mktemp("laptop"))
    bench.write()
    ended = bench.run()
    assert ended.returncode == 0, ended.stderr
    objects = [_read(path) for path in sorted((bench.home / "resources").glob("*/*.json"))]
    return [each for each in objects if each["apiVersion"] == API_VERSION]


def _read(path: Path) -> Object:
    resource: dict[str, Any] = json.loads(path.read_text("utf-8"))
    metadata = {name: value for name, value in resource["metadata"].items() if name not in OF_THE_HOME}
    return resource | {"metadata": metadata}


def test_each_resource_is_stored_with_its_status_and_nothing_changed(
    api: KubernetesApi, namespace: str, left: list[Object]
) -> None:
    assert {each["kind"] for each in left} == {"Pipeline", "PipelineRun", "Model"}
    for each in left:
        created = api.create({name: part for name, part in each.items() if name != "status"}, namespace)
        assert exact_text(created["spec"]) == exact_text(spec_to_expect(each))
        if status := each.get("status"):
            name = each["metadata"]["name"]
            stored = api.patch(api.resource(each), name, {"status": status}, namespace, beneath="status")
            assert exact_text(stored["status"]) == exact_text(status)

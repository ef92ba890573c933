"""`helm upgrade` brings new fields of the CRDs, and nothing that helm does takes away what users have made.

The chart is a copy whose CRD is in a group of the test's own: the real ones are everybody's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cluster.custom_resources import is_established
from cluster.kubernetes_api import CONFIG_MAPS, CRDS, KubernetesApi, Object, Resource
from cluster.releases import COPIED_KIND, COPIED_PLURAL, Release, copy_chart, install_release
from testcluster.cluster import Cluster

VALUES = {"replicas": 0, "admissionPolicies.enabled": False, "aggregateRoles": False}


@dataclass(frozen=True)
class Copy:
    """A release of the copied chart, with a Pipeline in its group."""

    api: KubernetesApi
    release: Release
    chart: Path
    group: str

    @property
    def resource(self) -> Resource:
        return Resource(f"{self.group}/v1alpha1", COPIED_PLURAL)

    @property
    def definition(self) -> str:
        return f"{COPIED_PLURAL}.{self.group}"

    def pipeline(self, **spec: object) -> Object:
        metadata = {"name": "churn", "namespace": self.release.namespace}
        spec = {"deployment": {"model": "forest"}, **spec}
        return {"apiVersion": self.resource.api_version, "kind": COPIED_KIND, "metadata": metadata, "spec": spec}

    def path(self) -> str:
        return f"/apis/{self.resource.api_version}/namespaces/{self.release.namespace}/{COPIED_PLURAL}"

    def uid(self) -> str:
        found: str = self.api.get(self.resource, "churn", self.release.namespace)["metadata"]["uid"]
        return found

    def wait_until_established(self) -> None:
        self.api.wait_for(CRDS, self.definition, None, is_established, what="an established CRD")


@pytest.fixture
def copied(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Copy]:
    group = f"{namespace.rpartition('-')[2]}.penstock.test"
    chart = copy_chart(tmp_path, group)
    try:
        with install_release(
            cluster.kubeconfig, namespace, VALUES | {"namespaces": [namespace]}, chart=chart
        ) as release:
            made = Copy(api, release, chart, group)
            made.wait_until_established()
            api.json("POST", made.path(), made.pipeline())
            yield made
    finally:
        if api.find(CRDS, f"{COPIED_PLURAL}.{group}"):
            api.delete(CRDS, f"{COPIED_PLURAL}.{group}")


def test_an_upgrade_brings_a_new_field_and_a_new_setting_and_keeps_what_was_made(copied: Copy) -> None:
    before = copied.uid()
    file = copied.chart / "files" / "crds" / "pipelines.yaml"
    definition = yaml.safe_load(file.read_text("utf-8"))
    [version] = definition["spec"]["versions"]
    fields = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    fields["motto"] = {"type": "string", "description": "A field of the next version."}
    file.write_text(yaml.safe_dump(definition), "utf-8")

    values = VALUES | {"namespaces": [copied.release.namespace], "settings.workers": 3}
    copied.release.upgrade(values, copied.chart)

    copied.api.wait_for(CRDS, copied.definition, None, _knows_motto, what="a CRD with the new field")
    assert copied.uid() == before
    assert copied.release.settings(copied.api)["workers"] == 3
    changed = copied.api.apply(copied.pipeline(motto="onwards"), copied.release.namespace)
    assert changed["spec"]["motto"] == "onwards"


def _knows_motto(definition: Object) -> bool:
    [version] = definition["spec"]["versions"]
    return "motto" in version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


def test_who_installs_it_is_told_where_it_works_and_what_is_missing(copied: Copy) -> None:
    notes = copied.release.helm("get", "notes", copied.release.name)

    assert f"works in {copied.release.namespace}." in notes
    assert "There is no default storage" in notes
    assert "The admission policies are off" in notes
    assert f"helm test {copied.release.name} -n {copied.release.namespace}" in notes


def test_a_release_that_goes_leaves_the_crds_and_what_was_made_and_can_come_back(copied: Copy) -> None:
    before = copied.uid()

    copied.release.uninstall()
    assert copied.api.find(CONFIG_MAPS, copied.release.name, copied.release.namespace) is None
    assert copied.uid() == before

    copied.release.install(VALUES | {"namespaces": [copied.release.namespace]}, copied.chart)
    assert copied.uid() == before

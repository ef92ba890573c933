"""The chart on a cluster: installed by helm, and what an operator of it is and may do."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chart.helm_program import CHART
from cluster.kubernetes_api import CONFIG_MAPS, KubernetesApi
from testcluster.programs import build

SECONDS = "180s"  # for helm to wait
COPIED_KIND, COPIED_PLURAL = "CopiedPipeline", "copiedpipelines"


@dataclass(frozen=True)
class Release:
    """A release of the chart, by its name, which is also that of what it made."""

    kubeconfig: Path
    name: str
    namespace: str

    def helm(self, *words: str) -> str:
        program = build("helm") / "helm"
        command = [str(program), *words, "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, values: Mapping[str, Any], chart: Path = CHART) -> str:
        return self.helm("install", self.name, str(chart), *helm_words(values), "--wait", "--timeout", SECONDS)

    def upgrade(self, values: Mapping[str, Any], chart: Path = CHART) -> str:
        return self.helm("upgrade", self.name, str(chart), *helm_words(values), "--wait", "--timeout", SECONDS)

    def uninstall(self) -> None:
        self.helm("uninstall", self.name, "--wait", "--ignore-not-found")

    def settings(self, api: KubernetesApi) -> dict[str, Any]:
        """Return the settings that the chart wrote for its operator."""
        written = api.get(CONFIG_MAPS, self.name, self.namespace)["data"]["settings.yaml"]
        found: dict[str, Any] = yaml.safe_load(written)
        return found

    def operators_kubeconfig(self, api: KubernetesApi, folder: Path) -> Path:
        """Write the kubeconfig of the operator's own service account, which has the rights of the chart alone."""
        return self.kubeconfig_of(self.name, api, folder)

    def kubeconfig_of(self, account: str, api: KubernetesApi, folder: Path) -> Path:
        """Write the kubeconfig of a service account of the release."""
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        token = api.json("POST", path, asked)["status"]["token"]
        document = yaml.safe_load(self.kubeconfig.read_text())
        document["users"] = [{"name": each["name"], "user": {"token": token}} for each in document["users"]]
        file = folder / f"{account}-kubeconfig"
        file.write_text(yaml.safe_dump(document))
        return file


def helm_words(values: Mapping[str, Any]) -> list[str]:
    """Return the words with which helm is told these values, by their paths."""
    return [word for path, value in values.items() for word in ("--set-json", f"{path}={json.dumps(value)}")]


def image_values(name: str, reference: str) -> dict[str, str]:
    """Return the values by which the chart takes this image."""
    repository, _, tag = reference.rpartition(":")
    return {f"images.{name}.name": repository, f"images.{name}.tag": tag}


@contextmanager
def install_release(
    kubeconfig: Path, namespace: str, values: Mapping[str, Any], *, chart: Path = CHART, ending: str = ""
) -> Iterator[Release]:
    """Install the chart, and take it away in the end: some of what it makes is in no namespace."""
    made = Release(kubeconfig, f"penstock-{namespace.rpartition('-')[2]}{ending}", namespace)
    try:
        made.install(values, chart)
        yield made
    finally:
        made.uninstall()


def copy_chart(folder: Path, group: str) -> Path:
    """Return a copy of the chart whose only CRD is that of Pipelines, in a group and with names of its own.

    By the names of the real one kubectl would find either, and ask the tests that run beside this one for its own.
    """
    copy = folder / "chart"
    shutil.copytree(CHART, copy, ignore=shutil.ignore_patterns("crds"))
    crds = copy / "files" / "crds"
    crds.mkdir()
    there = (CHART / "files" / "crds" / "pipelines.yaml").read_text("utf-8").replace("penstock.dev", group)
    definition = yaml.safe_load(there)
    definition["metadata"]["name"] = f"{COPIED_PLURAL}.{group}"
    definition["spec"]["names"] = {
        "kind": COPIED_KIND,
        "listKind": f"{COPIED_KIND}List",
        "plural": COPIED_PLURAL,
        "singular": COPIED_KIND.lower(),
    }
    (crds / "pipelines.yaml").write_text(yaml.safe_dump(definition), "utf-8")
    return copy

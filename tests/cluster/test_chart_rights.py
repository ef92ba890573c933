"""The rights of the chart are those that the operator needs: whole runs, of which the API server refuses nothing.

The operator is a process that has the token of the chart's service account and the settings that the chart wrote; the
API server is the real one, and pods are played. What it lists of all namespaces is narrowed to the test's own on the
way, so that an operator of the whole cluster leaves other tests alone; it needs the right to see all of them as ever.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from cluster.api_proxy import ApiProxy, run_proxy
from cluster.custom_resources import install
from cluster.kubernetes_api import DEPLOYMENTS, JOBS, PODS, SERVICES, KubernetesApi, Object, Resource
from cluster.operator_process import OperatorProcess, run_operator
from cluster.pod_player import NOWHERE, RUN_UID, STEP, PodPlayer
from cluster.releases import Release, install_release
from manifest_changes import named
from penstock.api import schema
from penstock.api.decoding import require
from penstock.api.run import TriggeringEvent
from penstock.api.trigger import Trigger
from penstock.decide.trigger.make_run import make_run
from penstock.decide.trigger.occasion import on_event
from testcluster.cluster import Cluster
from unit.decide_run.examples_of_runs import PIPELINE

PIPELINES = Resource("penstock.dev/v1alpha1", "pipelines")
RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
MODELS = Resource("penstock.dev/v1alpha1", "models")
KEPT = (PIPELINES, RUNS, MODELS, JOBS, DEPLOYMENTS, SERVICES)


@dataclass(frozen=True)
class Installed:
    """A release without a pod of its own, and the proxy by which its operator goes, as who it is."""

    api: KubernetesApi
    release: Release
    proxy: ApiProxy
    folder: Path

    @property
    def namespace(self) -> str:
        return self.release.namespace

    @contextmanager
    def operator(self) -> Iterator[OperatorProcess]:
        settings = {name: value for name, value in self.release.settings(self.api).items() if name != "port"}
        kubeconfig = self.proxy.kubeconfig(self.folder)
        with run_operator(kubeconfig, self.namespace, self.folder, settings=settings) as running:
            running.wait_until_ready()
            yield running

    def apply_run(self, name: str, **spec: Any) -> Object:
        metadata = {"name": name, "namespace": self.namespace}
        made = {"apiVersion": RUNS.api_version, "kind": "PipelineRun", "metadata": metadata}
        return self.api.create(made | {"spec": {"pipelineRef": {"name": "churn"}, **spec}})

    def ended(self, name: str) -> tuple[str, str]:
        """Return the status and the reason of the run once it has ended."""
        run = self.api.wait_for(RUNS, name, self.namespace, _has_ended, what="an end of the run")
        [said] = [each for each in run["status"]["conditions"] if each["type"] == "Succeeded"]
        return said["status"], said["reason"]

    def identities(self) -> dict[tuple[str, str], str]:
        """Return the uid of each object that a user would miss."""
        return {
            (resource.plural, each["metadata"]["name"]): each["metadata"]["uid"]
            for resource in KEPT
            for each in self.api.objects(resource, self.namespace)
            if not each["metadata"]["name"].startswith(self.release.name)
        }


def _has_ended(run: Object) -> bool:
    return bool((run.get("status") or {}).get("completionTime"))


@contextmanager
def installed(
    api: KubernetesApi, cluster: Cluster, namespace: str, folder: Path, values: dict[str, Any]
) -> Iterator[Installed]:
    install(api)
    pipeline = copy.deepcopy(PIPELINE)
    pipeline["metadata"]["namespace"] = namespace
    for job in schema.JOBS:
        named(pipeline["spec"]["jobs"], job)["nodeSelector"] = NOWHERE
    api.create(pipeline)
    said = {"replicas": 0, "crds.install": False, "aggregateRoles": False, **values}
    with (
        install_release(cluster.kubeconfig, namespace, said) as release,
        run_proxy(release.operators_kubeconfig(api, folder)) as proxy,
    ):
        proxy.only = namespace
        yield Installed(api, release, proxy, folder)


@pytest.fixture(params=["everywhere", "in its namespace"])
def chart(
    request: pytest.FixtureRequest, api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path
) -> Iterator[Installed]:
    """The chart for the whole cluster, and for one namespace, where its policies bound what the operator writes."""
    everywhere = request.param == "everywhere"
    values = {"namespaces": [] if everywhere else [namespace], "admissionPolicies.enabled": not everywhere}
    with installed(api, cluster, namespace, tmp_path, values) as made:
        yield made


def test_a_whole_run_is_refused_nothing(chart: Installed) -> None:
    with chart.operator(), PodPlayer(chart.api, chart.namespace):
        chart.apply_run("churn-1")
        assert chart.ended("churn-1")[0] == "True"

    served = chart.api.get(PIPELINES, "churn", chart.namespace)["status"]["servedModel"]
    assert served["selectedBy"] == "churn-1"
    assert chart.proxy.forbidden == []
    of_all_namespaces = "/apis/penstock.dev/v1alpha1/pipelineruns" in {each.path for each in chart.proxy.asked}
    assert of_all_namespaces == (chart.release.settings(chart.api)["namespaces"] == [])


def test_a_run_that_is_cancelled_is_refused_nothing(chart: Installed) -> None:
    with chart.operator():
        run = chart.apply_run("churn-1")
        chart.api.wait(JOBS, chart.namespace, _any, what="a Job", labels=f"{RUN_UID}={run['metadata']['uid']}")
        chart.api.patch(RUNS, "churn-1", {"spec": {"cancel": True}}, chart.namespace)
        assert chart.ended("churn-1") == ("False", "Cancelled")

    assert chart.proxy.forbidden == []


def test_a_run_that_is_deleted_and_its_files_with_it_is_refused_nothing(chart: Installed) -> None:
    with chart.operator(), PodPlayer(chart.api, chart.namespace):
        chart.apply_run("churn-1", jobs=[{"name": "dataset"}])
        assert chart.ended("churn-1")[0] == "True"
        chart.api.delete(RUNS, "churn-1", chart.namespace)
        chart.api.wait(JOBS, chart.namespace, _any, what="a Job that cleans", labels=f"{STEP}=cleaning")

    assert chart.proxy.forbidden == []


def test_a_trigger_that_lets_a_run_begin_is_refused_nothing(chart: Installed) -> None:
    spec = {"pipelineRef": {"name": "churn"}, "event": {}}
    made = {"apiVersion": RUNS.api_version, "kind": "Trigger", "metadata": {"name": "by-event"}, "spec": spec}
    with chart.operator():
        trigger = require(chart.api.create(made, chart.namespace), Trigger)
        occasion = on_event(TriggeringEvent(id="1"), datetime.now(UTC))
        run = chart.api.create(make_run(trigger, occasion, waits=True), chart.namespace)
        assert run["spec"]["suspend"]
        chart.api.wait_for(RUNS, run["metadata"]["name"], chart.namespace, _may_begin, what="a run that may begin")

    assert chart.proxy.forbidden == []


def _may_begin(run: Object) -> bool:
    return not run["spec"].get("suspend")


def _any(there: dict[str, Object]) -> bool | None:
    return True if there else None


def test_the_token_of_its_service_account_is_no_more_than_that(chart: Installed) -> None:
    """Else the two above would show nothing."""
    secrets = f"/api/v1/namespaces/{chart.namespace}/secrets"
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{chart.proxy.url}{secrets}", timeout=30)

    assert refused.value.code == 403
    assert [each.path for each in chart.proxy.forbidden] == [secrets]


# --- a release that goes and comes back ---


def test_what_users_have_stays_when_the_release_goes_and_is_taken_up_when_it_comes_back(
    api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    with (
        PodPlayer(api, namespace) as player,
        installed(api, cluster, namespace, tmp_path, {"namespaces": [namespace]}) as first,
    ):
        with first.operator():
            first.apply_run("churn-1")
            assert first.ended("churn-1")[0] == "True"
        before, played = first.identities(), dict(player.played)

        first.release.uninstall()
        assert first.identities() == before
        assert api.objects(DEPLOYMENTS, namespace)[0]["spec"]["replicas"] == 1
        assert len(api.objects(PODS, namespace, labels="penstock.dev/model")) == 1

        first.release.install({"replicas": 0, "crds.install": False, "namespaces": [namespace]})
        token = first.release.operators_kubeconfig(api, tmp_path)
        with run_proxy(token) as proxy, replace(first, proxy=proxy).operator():
            first.apply_run("churn-2")
            assert first.ended("churn-2")[0] == "True"

        assert before.items() <= first.identities().items()
        assert played.items() <= player.played.items()

"""A namespace in which an operator works, as a user has one: manifests are applied, and what comes of them is seen."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from cluster.buckets import Buckets
from cluster.custom_resources import install
from cluster.hand_made_runs import give_credentials, pipeline_on_cluster
from cluster.kubernetes_api import DEADLINE, JOBS, PODS, KubernetesApi, Object, Resource
from cluster.operator_process import OperatorProcess, run_operator
from penstock_jobs.storage import Store
from testcluster.cluster import Cluster

PIPELINES = Resource("penstock.dev/v1alpha1", "pipelines")
RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
MODELS = Resource("penstock.dev/v1alpha1", "models")
RUN_UID, STEP = "penstock.dev/run-uid", "penstock.dev/step"
SECONDS = 400  # for a run to end, on a machine that does much else
# The smallest search that there is: the tests are not about what is trained.
LINEAR: Object = {
    "name": "linear",
    "estimator": "sklearn.linear_model.LogisticRegression",
    "parameters": [{"name": "max_iter", "value": 2000}],
}


@dataclass(frozen=True)
class Site:
    """A namespace, the Secrets of its Pipelines' storage, and the operator that watches it."""

    api: KubernetesApi
    namespace: str
    buckets: Buckets
    operator: OperatorProcess
    settings: Mapping[str, Any]
    another_operator: "StartOperator"

    # --- what a user applies ------------------------------------------------------------------------------------------

    def pipeline(self, name: str, **changes: Any) -> str:
        """Apply a Pipeline with a storage prefix of its own; each change is a dotted path in the spec, with `__`."""
        self.api.apply(self.manifest(name, **changes), self.namespace)
        return name

    def manifest(self, name: str, **changes: Any) -> Object:
        """Return the manifest of a small Pipeline on this cluster."""
        small: Object = {"training__algorithms": [LINEAR], "training__keep": 1}
        made = pipeline_on_cluster("breast-cancer", self.namespace, self.buckets, **{**small, **changes})
        manifest: Object = msgspec.json.decode(msgspec.json.encode(made))
        storage = manifest["spec"]["storage"]
        if "s3" in storage:
            storage["s3"]["prefix"] = f"{self.namespace}/{name}"
        return manifest | {"metadata": {"name": name}}

    def run(self, pipeline: str, *jobs: str, name: str | None = None, **spec: Any) -> str:
        """Apply a run of these jobs, of the dataset alone where none is named; return its name."""
        name = name or f"{pipeline}-1"
        asked = [{"name": job} for job in jobs or ("dataset",)]
        manifest: Object = {
            "apiVersion": RUNS.api_version,
            "kind": "PipelineRun",
            "metadata": {"name": name},
            "spec": {"pipelineRef": {"name": pipeline}, "jobs": asked, **spec},
        }
        self.api.create(manifest, self.namespace)
        return name

    def cancel(self, run: str) -> None:
        """Cancel the run, and wait until nothing of it is left."""
        self.api.patch(RUNS, run, {"spec": {"cancel": True}}, self.namespace)
        assert self.wait_for_failure(run)[0] == "Cancelled"

    # --- what is seen of it -------------------------------------------------------------------------------------------

    def wait_until(self, run: str, holds: Callable[[Object], Any], what: str, seconds: float = SECONDS) -> Object:
        """Return the run once that holds of it."""
        return self.api.wait_for(RUNS, run, self.namespace, holds, what=what, seconds=seconds)

    def wait_for_reason(self, run: str, reason: str, says: str = "", seconds: float = DEADLINE) -> str:
        """Return the sentence in which the run says that it waits for that reason, once it does; it holds `says`."""

        def holds(there: Object) -> bool:
            said = run_condition(there)
            assert said.get("status", "Unknown") == "Unknown", f"It ended instead of waiting: {said}"
            return said.get("reason") == reason and says in said["message"]

        return str(
            run_condition(self.wait_until(run, holds, f"a run that waits, {reason}: …{says}…", seconds))["message"]
        )

    def wait_for_end(self, run: str) -> Object:
        """Return the run once it has ended, however."""
        return self.wait_until(run, has_ended, "an end of the run")

    def wait_for_success(self, run: str) -> Object:
        """Return the run once it has ended, which must be well."""
        ended = self.wait_for_end(run)
        assert run_condition(ended)["status"] == "True", run_condition(ended)
        return ended

    def wait_for_failure(self, run: str) -> tuple[str, str]:
        """Return the reason and the sentence of the run once it has ended, which must be badly."""
        said = run_condition(self.wait_for_end(run))
        assert said["status"] == "False", said
        return said["reason"], said["message"]

    def jobs(self, run: str, step: str | None = None) -> list[Object]:
        return self.api.objects(JOBS, self.namespace, labels=self._labels(run, step))

    def pods(self, run: str, step: str | None = None) -> list[Object]:
        return self.api.objects(PODS, self.namespace, labels=self._labels(run, step))

    def pod(self, run: str, step: str, holds: Callable[[Object], Any], what: str) -> Object:
        """Return a pod of that step once that holds of it."""

        def find_pod(there: dict[str, Object]) -> Object | None:
            return next((pod for pod in there.values() if holds(pod)), None)

        labels = self._labels(run, step)
        return self.api.wait(PODS, self.namespace, find_pod, what=f"{what} of {run}", seconds=SECONDS, labels=labels)

    def running(self, run: str, step: str) -> Object:
        """Return a pod of that step once its container runs."""
        return self.pod(run, step, container_runs, f"a running pod of the step {step}")

    def store(self, run: str) -> Store:
        """Return the storage of the run, from this machine."""
        status = self.api.get(RUNS, run, self.namespace)["status"]
        return self.buckets.store(status["storage"])

    def _labels(self, run: str, step: str | None) -> str:
        uid = self.api.get(RUNS, run, self.namespace)["metadata"]["uid"]
        return f"{RUN_UID}={uid}" + (f",{STEP}={step}" if step else "")


class StartOperator(Protocol):
    """Starts an operator in the site, of its settings but for those that are said."""

    def __call__(self, changes: Mapping[str, Any] = ...) -> AbstractContextManager[OperatorProcess]: ...


class NewSite(Protocol):
    """Gives a namespace of that title with an operator, which has these settings.

    `images` are those that it has beside the jobs image, which takes the place of all others.
    """

    def __call__(
        self, title: str, images: Iterable[str] = (), settings: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Site]: ...


@contextmanager
def open_site(
    api: KubernetesApi,
    cluster: Cluster,
    namespace: str,
    buckets: Buckets,
    folder: Path,
    settings: Mapping[str, Any],
) -> Iterator[Site]:
    """Give the namespace an operator with these settings."""
    install(api)
    give_credentials(api, namespace, buckets)

    def start(changes: Mapping[str, Any] = MappingProxyType({})) -> AbstractContextManager[OperatorProcess]:
        return run_operator(cluster.kubeconfig, namespace, folder, settings={**settings, **changes})

    with start() as operator:
        operator.wait_until_ready()
        yield Site(api, namespace, buckets, operator, settings, start)


def run_condition(run: Object) -> Object:
    """Return the one condition that says how a run stands; empty where the operator has not seen it yet."""
    conditions = run.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Succeeded"), {})


def has_ended(run: Object) -> bool:
    return run_condition(run).get("status") in ("True", "False")


def step_of(run: Object, step: str) -> Object:
    """Return what the run's status says of that step."""
    return next((each for each in run["status"]["steps"] if each["name"] == step), {})


def container_runs(pod: Object) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return any("running" in each["state"] for each in statuses)


def is_over(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")

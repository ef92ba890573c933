"""Runs of three steps that do nothing: Pipelines whose pods say at once what a job would have found out.

On a real node that is a container whose command, laid over the job's own by `podTemplate`, writes the result where the
operator reads it. On a simulated node it is an annotation, by which the node says how the container ended.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from cluster.kubernetes_api import Object
from penstock.decide.objects.folders import TERMINATION_MESSAGE
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY
from penstock_jobs.contract.result import JobResult
from penstock_jobs.contract.termination_message import TerminationMessage
from testcluster.addons import kwok
from unit.decide_run.examples_of_runs import PIPELINE, dataset_result, manifest, outcome_of_testing, training_result

STEPS = ("dataset", "training", "testing")
RUNS_FOR = "1s"  # a simulated container
_SAY = f"import sys; open({TERMINATION_MESSAGE!r}, 'w').write(sys.argv[1])"


@dataclass(frozen=True)
class RealPods:
    """Containers of this image, which must have python3."""

    image: str

    def settings(self, message: str) -> Object:
        """Return the settings of a job that only says this."""
        container = {"name": "job", "command": ["python3", "-c", _SAY, message]}
        return {"image": self.image, "podTemplate": {"spec": {"containers": [container]}}}

    def bare(self) -> Object:
        """Return the pod of a bare Job."""
        return {"spec": _pod(self.image, ["python3", "-c", "pass"])}


@dataclass(frozen=True)
class SimulatedPods:
    """Pods on the simulated nodes of this prefix."""

    prefix: str

    def settings(self, message: str) -> Object:
        """Return the settings of a job that only says this."""
        template = {"metadata": {"annotations": {kwok.DELAY: RUNS_FOR, kwok.MESSAGE: message}}}
        return {"podTemplate": template, **self._where()}

    def bare(self) -> Object:
        """Return the pod of a bare Job."""
        spec = _pod("none", ["none"]) | self._where()
        return {"metadata": {"annotations": {kwok.DELAY: RUNS_FOR}}, "spec": spec}

    def _where(self) -> Object:
        return {"nodeSelector": {"simulated": self.prefix}, "tolerations": [kwok.TOLERATION]}


def bare_job(pods: RealPods | SimulatedPods) -> Object:
    """Return the Job of the floor, without its name."""
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": pods.bare()}}


def pipeline(name: str, namespace: str, pods: RealPods | SimulatedPods) -> Object:
    """Return a Pipeline of which one run can be made: the Model that its pods tell of has one name."""
    jobs = [{"name": step, **pods.settings(_message(step, name))} for step in STEPS]
    spec = {key: value for key, value in PIPELINE["spec"].items() if key != "deployment"} | {"jobs": jobs}
    spec["storage"] = {"s3": {"bucket": "bench", "prefix": name}}
    return {**PIPELINE, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def run_of(name: str, namespace: str) -> Object:
    """Return the run of the Pipeline of that name."""
    metadata = {"name": name, "namespace": namespace}
    jobs = [{"name": step} for step in STEPS]
    spec: dict[str, Any] = {"pipelineRef": {"name": name}, "jobs": jobs}
    return {"apiVersion": PIPELINE["apiVersion"], "kind": "PipelineRun", "metadata": metadata, "spec": spec}


def _message(step: str, name: str) -> str:
    model, trained = f"{name}-1", training_result()
    reference = msgspec.structs.replace(trained.models[0], name=model)
    results: dict[str, JobResult] = {
        "dataset": dataset_result(),
        "training": msgspec.structs.replace(trained, models=(reference,)),
        "testing": outcome_of_testing((model,)),
    }
    manifests = (manifest(model),) if step == "training" else ()
    message = TerminationMessage(result=results[step], stored=f"s3://bench/{step}.json", manifests=manifests)
    return msgspec.json.encode(message).decode()


def _pod(image: str, command: list[str]) -> Object:
    container = {"name": "job", "image": image, "command": command, "securityContext": CONTAINER_SECURITY}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": POD_SECURITY,
        "containers": [{**container, "imagePullPolicy": "IfNotPresent"}],
    }

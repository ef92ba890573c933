"""Fields that mean nothing on a laptop: listed when a manifest runs there, not refused.

None of them changes a result: a laptop has one machine, one user and no scheduler.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from penstock.api.findings import Fault, Path
from penstock.api.schema import JOBS
from penstock.api.unimplemented import paths_of

_OF_A_JOB = {
    "profile": "profiles are the operator's",
    "parallelism": "one process does the job, its candidates in parallel by processes",
    "resources.requests": "nothing is reserved",
    "resources.limits.cpu": "processors are limited by processes and threads",
    "resources.limits.ephemeral-storage": "the disk is yours",
    "gpu.count": "the job uses a GPU that it finds",
    "gpu.resource": "the job uses a GPU that it finds",
    "pendingLimit": "nothing waits for a place",
    "retries.memory": "a try has all the memory of the machine",
    "image": "the jobs run in this Python environment",
    "imagePullSecrets": "no image is pulled",
    "serviceAccountName": "the jobs run as you",
    "nodeSelector": "there is one machine",
    "tolerations": "there is one machine",
    "runtimeClassName": "there is no container",
    "priorityClassName": "there is no scheduler",
    "queueName": "there is no queue",
    "podTemplate": "there is no pod",
}
TABLE = {
    "spec.deployment.replicas": "one server answers",
    "spec.deployment.port": "penstock serve has --port",
    "spec.jobs.deployment": "penstock serve has settings of its own",
    "spec.logs.format": "logs are shown as text",
    "spec.notifications": "the command tells you itself how the run ends",
    "spec.jobs.testing.resources.limits.memory": "nothing limits the memory of testing",
    **{f"spec.jobs.{job}.{name}": why for job in JOBS[:3] for name, why in _OF_A_JOB.items()},
}


_SAID_BY_A_RUN = (
    "profile",
    "parallelism",
    "resources.requests",
    "resources.limits.cpu",
    "resources.limits.ephemeral-storage",
    "gpu.count",
    "gpu.resource",
    "pendingLimit",
    "retries.memory",
)
OF_A_RUN = {f"spec.jobs.*.{name}": _OF_A_JOB[name] for name in _SAID_BY_A_RUN}


def cluster_only(value: Any) -> Iterator[Fault]:
    """Yield each field of a manifest that means nothing on a laptop, and why."""
    for pattern, why in _table_of(value).items():
        for path, _ in paths_of(value, pattern):
            yield Fault(path, f"means nothing on a laptop: {why}")


def without_cluster_only(value: dict[str, Any]) -> dict[str, Any]:
    """Return a resource as a laptop sees it: without the fields that mean nothing there."""
    paths = [path for pattern in _table_of(value) for path, _ in paths_of(value, pattern)]
    seen: dict[str, Any] = _without(value, paths)
    return seen


def _without(value: Any, paths: Sequence[Path]) -> Any:
    if not paths:
        return value
    gone = {path[0] for path in paths if len(path) == 1}

    def beneath(step: str | int) -> list[Path]:
        return [path[1:] for path in paths if len(path) > 1 and path[0] == step]

    if isinstance(value, dict):
        return {name: _without(each, beneath(name)) for name, each in value.items() if name not in gone}
    return [_without(each, beneath(index)) for index, each in enumerate(value) if index not in gone]


def _table_of(value: Any) -> dict[str, str]:
    of_a_run = isinstance(value, dict) and value.get("kind") == "PipelineRun"
    return OF_A_RUN if of_a_run else TABLE

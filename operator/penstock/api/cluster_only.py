"""Fields that mean nothing on a laptop: listed when a manifest runs there, not refused.

None of them changes a result: a laptop has one machine, one user and no scheduler.
"""

from collections.abc import Iterator
from typing import Any

from penstock.api.findings import Fault
from penstock.api.not_yet import paths_of

TABLE = {
    "spec.deployment.replicas": "one server answers",
    "spec.deployment.port": "penstock serve has --port",
    "spec.jobs.*.profile": "profiles are the operator's",
    "spec.jobs.*.parallelism": "one process does the job, its candidates in parallel by processes",
    "spec.jobs.*.gpu.count": "the job uses a GPU that it finds",
    "spec.jobs.*.gpu.resource": "the job uses a GPU that it finds",
    "spec.jobs.*.pendingLimit": "nothing waits for a place",
    "spec.jobs.*.image": "the jobs run in this Python environment",
    "spec.jobs.*.imagePullSecrets": "no image is pulled",
    "spec.jobs.*.serviceAccountName": "the jobs run as you",
    "spec.jobs.*.nodeSelector": "there is one machine",
    "spec.jobs.*.tolerations": "there is one machine",
    "spec.jobs.*.runtimeClassName": "there is no container",
    "spec.jobs.*.priorityClassName": "there is no scheduler",
    "spec.jobs.*.queueName": "there is no queue",
    "spec.jobs.*.environment": "the jobs have your environment",
    "spec.jobs.*.podTemplate": "there is no pod",
}


def cluster_only(value: Any) -> Iterator[Fault]:
    """Yield each field of a manifest that means nothing on a laptop, and why."""
    for pattern, why in TABLE.items():
        for path, _ in paths_of(value, pattern):
            yield Fault(path, f"means nothing on a laptop: {why}")

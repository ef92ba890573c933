"""The Job of a step: how often it is tried, what counts as a try, and the ceilings that hold with the operator dead."""

from dataclasses import dataclass, field
from math import ceil

from penstock.api.jobs import JobSettings, job_field
from penstock.api.pipeline import Logs
from penstock.api.quantities import read_duration
from penstock.decide.job_specification import retries_of
from penstock.decide.objects.children import (
    FAILED_TRIES,
    MEMORY,
    Object,
    Owner,
    child_name,
    labels,
    metadata,
    specification_name,
)
from penstock.decide.objects.folders import SNAPSHOT, SPECIFICATION, SPECIFICATION_FOLDER, TERMINATION_MESSAGE
from penstock.decide.objects.mounts import mounts_of
from penstock.decide.objects.pod import CONTAINER, PYTHON, Pod, pod_template
from penstock.decide.settings import Pods
from penstock_jobs.contract import errors
from penstock_jobs.contract.specification import DatasetJob, JobSpecification, TrainingJob

QUEUE = "kueue.x-k8s.io/queue-name"
MARGIN = 60  # seconds that a ceiling is above what it is the ceiling of
STARTING = 3600  # seconds that a node is given to pull the image and mount the volumes, where nothing bounds the wait
LONGEST_BACKOFF = 360  # seconds; what the Job controller waits at most between two tries
FINAL = (errors.BUG, errors.REFUSED, errors.TIMED_OUT)  # would end the same when tried again
KILLED = 137  # by the kernel, most often for memory


@dataclass(frozen=True)
class StepJob:
    """A step of a run, as it is to be done.

    `part` names its children, as `training` or `testing-again`, and `step` its settings. `index` is that of the run's
    execution name. `settings` are those of the step with its profile resolved (`penstock.decide.objects.profiles`).
    `failed` tries came before this one; `memory` is what it has where that is more than the first had. With `snapshot`
    there is one beside the specification, which claims the place of the run in the storage.
    """

    owner: Owner
    part: str
    specification: JobSpecification
    settings: JobSettings
    image: str
    logs: Logs = field(default_factory=Logs)
    attempt: int = 1
    failed: int = 0
    memory: str | None = None
    index: int = 1
    suspended: bool = False
    snapshot: bool = False
    general: Pods = field(default_factory=Pods)

    @property
    def step(self) -> str:
        """The step whose settings these are; those of the source are the training job's."""
        if self.part == "source":
            return "training"
        return "testing" if self.part.startswith("testing") else self.part

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the Job and its pods."""
        return labels(self.owner, self.part, self.attempt, self.index)

    @property
    def edition(self) -> int:
        """The edition of its specification, which says how much memory there is."""
        return 1 if self.memory is None else self.attempt


def job_without_spec(owner: Owner, part: str, attempt: int = 1, index: int = 1) -> Object:
    """Return by what the Job of a step is found and known."""
    named = metadata(owner, child_name(owner, part, attempt, index), labels(owner, part, attempt, index))
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": named}


def job(step: StepJob) -> Object:
    """Return the Job.

    Raises:
        Refused: the settings ask for what no pod of Penstock may have.
    """
    made: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(
            step.owner,
            child_name(step.owner, step.part, step.attempt, step.index),
            step.labels | _tries(step) | _queue(step.settings),
        ),
        "spec": {**_parallel(step), **_patience(step), "template": pod_template(_pod(step), step.labels)},
    }
    # Kueue itself suspends what waits in a queue of its own, and resumes it.
    if step.suspended or step.settings.queue_name:
        made["spec"]["suspend"] = True
    return made


def _pod(step: StepJob) -> Pod:
    words = [*PYTHON, "penstock_jobs", f"{SPECIFICATION_FOLDER}/{SPECIFICATION}"]
    words += ["--termination-message", TERMINATION_MESSAGE, "--log-level", step.logs.level]
    words += ["--log-format", step.logs.format.lower(), "--keep-log", step.part]
    if step.snapshot:
        words += ["--snapshot", f"{SPECIFICATION_FOLDER}/{SNAPSHOT}"]
    return Pod(
        image=step.image,
        command=tuple(words),
        specification=specification_name(step.owner, step.part, step.index, step.edition),
        settings=step.settings,
        field=job_field(step.step),
        mounts=mounts_of(step.specification),
        threads=step.specification.threads,
        deadline=_pod_deadline(step),
        general=step.general,
    )


def indexes_of(specification: JobSpecification) -> int:
    """Return over how many pods the work of a job is shared out."""
    match specification:
        case TrainingJob(workers=workers):
            return workers
        case DatasetJob(shard=shard) if shard.is_part:
            return shard.count
    return 1


def _parallel(step: StepJob) -> Object:
    indexes = indexes_of(step.specification)
    if indexes == 1:
        # One try: the next is another Job, after the wait that the manifest asks for (penstock.decide.run.retries).
        return {"completions": 1, "parallelism": 1, "backoffLimit": 0}
    # A worker that ended takes what it claimed with it, so one that failed for good fails the Job.
    return {
        "completionMode": "Indexed",
        "completions": indexes,
        "parallelism": indexes,
        "backoffLimitPerIndex": retries_of(step.settings).limit,
        "maxFailedIndexes": 0,
    }


def _patience(step: StepJob) -> Object:
    given: Object = {
        "activeDeadlineSeconds": _job_deadline(step),
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                # A node that was drained or lost, a pod that made room for another: no fault of the job.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                # Nor is a pod that was told to end, as by a person who deletes it.
                _on_exit("Ignore", errors.TERMINATED),
                _on_exit("FailJob", *FINAL),
                *([_on_exit("FailJob", KILLED)] if _may_get_more_memory(step) else []),
            ]
        },
    }
    return {name: value for name, value in given.items() if value is not None}


def _may_get_more_memory(step: StepJob) -> bool:
    """Return whether a pod that was killed is better replaced by those of another Job, which can have more memory.

    The pods of one Job are all alike, and what is shared out over several is tried again by the Job controller.
    """
    return indexes_of(step.specification) > 1 and retries_of(step.settings).memory is not None


def _on_exit(action: str, *codes: int) -> Object:
    exits = {"containerName": CONTAINER, "operator": "In", "values": list(codes)}
    return {"action": action, "onExitCodes": exits}


def _pod_deadline(step: StepJob) -> int | None:
    """Return the seconds after which the kubelet ends the pod, from when the node took it."""
    timeout = step.specification.timeout
    return None if timeout is None else ceil(timeout + _pending(step)) + MARGIN


def _job_deadline(step: StepJob) -> int | None:
    """Return the seconds after which the Job controller ends the Job: above all that its tries may take."""
    timeout = step.specification.timeout
    if timeout is None:
        return None
    tries = retries_of(step.settings).limit + 1
    return tries * ceil(timeout + 2 * _pending(step) + MARGIN + LONGEST_BACKOFF)


def _pending(step: StepJob) -> float:
    limit = step.settings.pending_limit
    return STARTING if limit is None else read_duration(limit, job_field(step.step, "pendingLimit"))


def _tries(step: StepJob) -> dict[str, str]:
    """Return the labels that say what came before: they are asked where the run's status is lost."""
    failed = {FAILED_TRIES: str(step.failed)} if step.attempt != 1 else {}
    return failed | ({MEMORY: step.memory} if step.memory else {})


def _queue(settings: JobSettings) -> dict[str, str]:
    return {QUEUE: settings.queue_name} if settings.queue_name else {}

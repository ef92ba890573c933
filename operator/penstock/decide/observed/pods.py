"""Views of a pod, as the API server has it: how its container ended, or why it does not begin."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject
from penstock.decide.objects.pod import CONTAINER
from penstock.decide.times import read_time
from penstock_jobs.contract import errors

LONGEST_ENDING = timedelta(minutes=2)  # after its grace a pod that still stands is on a node that nobody hears of
SIDECAR_GRACE = timedelta(minutes=1)  # what goes on in a pod for longer after its job has ended is ended
INDEX = "batch.kubernetes.io/job-completion-index"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}$")
_MAKING = ("ContainerCreating", "PodInitializing")
_PULLING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")


@dataclass(frozen=True)
class Wait:
    """Why something does not begin: one word, and the sentence of whoever knows."""

    reason: str
    message: str


@dataclass(frozen=True)
class ContainerExit:
    """How a container ended."""

    code: int
    message: str
    reason: str | None
    started: str | None
    finished: str | None


def uid(pod: ApiObject) -> str:
    """Return the uid."""
    return str(pod["metadata"]["uid"])


def index_of(pod: ApiObject) -> int:
    """Return the pod's index in an Indexed Job; 0 in another."""
    metadata = pod["metadata"]
    said = (metadata.get("labels") or {}).get(INDEX) or (metadata.get("annotations") or {}).get(INDEX)
    return int(said) if said else 0


def belongs_to(pod: ApiObject, job_uid: str) -> bool:
    """Return whether the Job of that uid made the pod."""
    return any(owner.get("uid") == job_uid for owner in pod["metadata"].get("ownerReferences") or ())


def exit_of(pod: ApiObject) -> ContainerExit | None:
    """Return how the job's container ended, or None while it may still run."""
    state = (_container(pod).get("state") or {}).get("terminated")
    if not state:
        return None
    return ContainerExit(
        code=int(state.get("exitCode", 0)),
        message=str(state.get("message") or ""),
        reason=state.get("reason"),
        started=state.get("startedAt"),
        finished=state.get("finishedAt"),
    )


def running_since(pod: ApiObject) -> str | None:
    """Return when the job's container began, or None where it does not run."""
    running = (_container(pod).get("state") or {}).get("running")
    return None if not running else str(running.get("startedAt") or pod["metadata"].get("creationTimestamp"))


def image_id(pod: ApiObject) -> str:
    """Return what its node says of the image that the container runs; empty until it has it."""
    return str(_container(pod).get("imageID") or "")


def image_digest(pod: ApiObject) -> str | None:
    """Return the digest of the image that the container runs, once its node has resolved it."""
    found = _DIGEST.search(image_id(pod))
    return found.group() if found else None


def has_ended(pod: ApiObject) -> bool:
    """Return whether no container of the pod runs, or ever will."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_over(pod: ApiObject) -> bool:
    """Return whether nothing of ours runs in the pod, or ever will."""
    return has_ended(pod) or exit_of(pod) is not None


def never_began(pod: ApiObject) -> bool:
    """Return whether the pod is over and its container never ran: it was deleted before, or its node would not have it.

    The kubelet says of a container that it never made that it was killed.
    """
    end, status = exit_of(pod), pod.get("status") or {}
    if end is not None:
        return end.reason == "ContainerStatusUnknown" and not end.started
    return has_ended(pod) and status.get("reason") != "DeadlineExceeded"


def failed_beside_others(pod: ApiObject) -> ContainerExit | None:
    """Return how the job's container failed, where another container keeps the pod from ending; else None."""
    end = exit_of(pod)
    stands = end is not None and end.code != 0 and not has_ended(pod) and deletion_time(pod) is None
    return end if stands else None


def deletion_time(pod: ApiObject) -> datetime | None:
    """Return when the grace of a pod that is being deleted is over, or None where nobody deletes it."""
    said = pod["metadata"].get("deletionTimestamp")
    return None if said is None else read_time(said)


def is_lost(pod: ApiObject, now: datetime) -> bool:
    """Return whether the pod should have ended a while ago: its node is lost, and nobody will say that it has."""
    until = deletion_time(pod)
    return until is not None and now > until + LONGEST_ENDING


def creation_time(pod: ApiObject) -> datetime:
    """Return when the pod was made."""
    return read_time(pod["metadata"]["creationTimestamp"])


def disruption(pod: ApiObject) -> str | None:
    """Return why the pod was taken away (evicted, preempted, deleted, its node lost), or None."""
    condition = _condition(pod, "DisruptionTarget")
    if condition is not None and condition.get("status") == "True":
        return str(condition.get("reason") or condition.get("message") or "DisruptionTarget")
    end = exit_of(pod)
    return messages.stop_request_message() if end is not None and end.code == errors.TERMINATED else None


def waits_for(pod: ApiObject, events: tuple[ApiObject, ...]) -> Wait:
    """Return why the pod, which is not over and does not run, has not begun: in the words of who holds it up."""
    scheduled = _condition(pod, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        message = str(scheduled.get("message") or scheduled.get("reason") or "")
        if scheduled.get("reason") == "SchedulingGated":
            return Wait(reasons.QUEUED, messages.queue_message(None))
        return Wait(reasons.UNSCHEDULABLE, messages.unschedulable(message))
    waiting = (_container(pod).get("state") or {}).get("waiting") or {}
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason and reason not in _MAKING:
        kind = reasons.IMAGE_NOT_PULLED if reason in _PULLING else reasons.CONTAINER_NOT_MADE
        return Wait(kind, messages.not_started(reason, message))
    unmounted = _latest(event for event in events if event.get("involvedObject", {}).get("uid") == uid(pod))
    if unmounted is not None:
        said = str(unmounted.get("message") or "")
        return Wait(reasons.NOT_MOUNTED, messages.not_started(str(unmounted.get("reason")), said))
    return Wait(reasons.STARTING, messages.starting((pod.get("spec") or {}).get("nodeName")))


def _latest(events: Any) -> ApiObject | None:
    return max(events, key=event_time, default=None)


def event_time(event: ApiObject) -> str:
    """Return when an Event of Kubernetes was seen last."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def _container(pod: ApiObject) -> dict[str, Any]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((status for status in statuses if status.get("name") == CONTAINER), {})


def _condition(pod: ApiObject, kind: str) -> dict[str, Any] | None:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == kind), None)

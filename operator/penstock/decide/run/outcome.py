"""What came of a part of a run (one Job, or several attempts at it), told from its Jobs and its pods.

A part is done when each of its containers has exited with a result that can be read, not when its Job says so; it has
failed when its Job says so, and nothing of it runs any more.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from penstock.api.jobs import job_field
from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import STEP
from penstock.decide.objects.job import FINAL, KILLED
from penstock.decide.objects.pod import CONTAINER
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed import pods as pod_views
from penstock.decide.observed.pods import ContainerExit, Wait
from penstock.decide.observed.results import PendingLog, PodResult, collect_results, failure_in
from penstock.decide.run.plan import PartName, job_with_fields
from penstock.decide.times import read_time
from penstock_jobs.contract import errors

_WORD = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]{0,62}[A-Za-z0-9_])?")
# What the API server says of a quota that counts an amount which the pod does not say.
_WANTED_BY_QUOTA = re.compile(r"failed quota: (?P<quota>[^\s:]+): must specify (?P<amounts>.+)")
_AMOUNT = re.compile(r"(?<![-.\w])(?:(?:requests|limits)\.)?(?:cpu|memory|ephemeral-storage)(?![-\w])")
OUT_OF_MEMORY = "OOMKilled"  # as the kubelet says it
GRACE = timedelta(seconds=5)  # a pod that starts as pods do is not said to wait


@dataclass(frozen=True)
class Absent:
    """No Job of it is there, and nothing of it runs."""


@dataclass(frozen=True)
class Done:
    """Each of its workers has told its result."""

    told: Mapping[int, PodResult]
    started: str | None
    finished: str | None


@dataclass(frozen=True)
class Going:
    """It is at work since `started` (None: it has just begun). `wait` is why some of its pods are not.

    `awaited` are logs that are to be read. `until` is when to look again, whatever happens.
    """

    started: str | None = None
    wait: Wait | None = None
    awaited: tuple[PendingLog, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class Held:
    """Nothing of it is at work, since then; None where that is not counted against a limit."""

    wait: Wait
    since: datetime | None = None


@dataclass(frozen=True)
class Lost:
    """It is done, and its result was lost with its pod: this attempt cannot tell it any more."""


@dataclass(frozen=True)
class Failed:
    """Its Job has failed, at `since`; in the words of its own container, where it left any.

    `may_pass` is whether another try may come to another end. Where it was `interrupted`, nothing says that its
    container ever failed: that is no try. `standing` is its Job where that is still there to be ended.
    """

    reason: str
    message: str
    attempt: int
    since: datetime
    may_pass: bool = False
    interrupted: bool = False
    standing: ApiObject | None = None


@dataclass(frozen=True)
class Stranded:
    """What is left of its Job is on nodes that are lost: the Job controller waits for pods that nobody ends."""

    job: ApiObject
    wait: Wait


Outcome = Absent | Done | Going | Held | Lost | Failed | Stranded


@dataclass(frozen=True)
class ObservedPart:
    """All that is observed of a part, and over how many pods it is shared out."""

    name: PartName
    workers: int
    jobs: tuple[ApiObject, ...]
    pods: tuple[ApiObject, ...]
    events: tuple[ApiObject, ...]
    whole: Mapping[str, bytes | None]

    @property
    def current(self) -> ApiObject | None:
        """The Job of the last attempt."""
        return max(self.jobs, key=job_views.attempt_of, default=None)


def part_of_run(
    name: PartName,
    workers: int,
    jobs: tuple[ApiObject, ...],
    pods: tuple[ApiObject, ...],
    events: tuple[ApiObject, ...],
    whole: Mapping[str, bytes | None],
) -> ObservedPart:
    """Return what is observed of the part of that name, out of all that is observed of the run."""
    return ObservedPart(
        name=name,
        workers=workers,
        jobs=tuple(job for job in jobs if job_views.part_of(job) == name),
        pods=tuple(pod for pod in pods if (pod["metadata"].get("labels") or {}).get(STEP) == name),
        events=events,
        whole=whole,
    )


def outcome_of(part: ObservedPart, now: datetime) -> Outcome:
    """Return what came of the part."""
    found = collect_results(part.pods, part.whole)
    if set(range(part.workers)) <= set(found.told):
        return _done(part, {index: found.told[index] for index in range(part.workers)})
    if found.awaited:
        return Going(started=_start_time(part), awaited=found.awaited)
    job = part.current
    if job is None:
        return _absent(part, now)
    if job_views.is_failed(job):
        return _job_failure(part, job)
    if job_views.is_going(job):
        return Held(Wait(reasons.REPLACED, messages.being_deleted(job_views.name(job))))
    if job_views.is_complete(job):
        return Lost()
    return _outcome_of_live_job(part, job, now)


def live_pods(pods: tuple[ApiObject, ...]) -> tuple[ApiObject, ...]:
    """Return the pods of which something runs, or may run yet."""
    return tuple(pod for pod in pods if not pod_views.is_over(pod))


def _absent(part: ObservedPart, now: datetime) -> Outcome:
    live = tuple(pod for pod in live_pods(part.pods) if not pod_views.is_lost(pod, now))
    return Held(Wait(reasons.REPLACED, messages.pods_ending(len(live)))) if live else Absent()


def _done(part: ObservedPart, told: Mapping[int, PodResult]) -> Done:
    ends = [ended for pod in part.pods if (ended := pod_views.exit_of(pod))]
    finished = max((ended.finished for ended in ends if ended.finished), default=None)
    return Done(told, _start_time(part), finished)


def _start_time(part: ObservedPart) -> str | None:
    """Return when the first of its containers began."""
    times = [pod_views.running_since(pod) for pod in part.pods]
    times += [ended.started for pod in part.pods if (ended := pod_views.exit_of(pod))]
    return min((time for time in times if time), default=None)


def _outcome_of_live_job(part: ObservedPart, job: ApiObject, now: datetime) -> Outcome:
    own = tuple(pod for pod in part.pods if pod_views.belongs_to(pod, job_views.uid(job)))
    beside = {pod_views.uid(pod): read_time(end.finished) for pod, end in _failed_beside_others(own) if end.finished}
    stuck = tuple(pod for pod in own if now >= beside.get(pod_views.uid(pod), now) + pod_views.SIDECAR_GRACE)
    if stuck:
        return _failure_beside_others(part, job, max(stuck, key=_failure_weight))
    found = _outcome_of_pods(part, job, own, now)
    if not beside or not isinstance(found, Going):
        return found
    soon = min(beside.values()) + pod_views.SIDECAR_GRACE
    return replace(found, until=soon if found.until is None else min(soon, found.until))


def _failed_beside_others(pods: tuple[ApiObject, ...]) -> Iterator[tuple[ApiObject, ContainerExit]]:
    for pod in pods:
        if (end := pod_views.failed_beside_others(pod)) is not None:
            yield pod, end


def _failure_beside_others(part: ObservedPart, job: ApiObject, pod: ApiObject) -> Failed:
    """Return how a pod failed of which its Job does not know: a container that somebody put into it goes on."""
    end = pod_views.exit_of(pod)
    assert end is not None
    return Failed(
        *failure_of(part.name, pod),
        job_views.attempt_of(job),
        read_time(end.finished) if end.finished else job_views.creation_time(job),
        may_pass=end.code not in FINAL,
        interrupted=pod_views.disruption(pod) is not None,
        standing=job,
    )


def _outcome_of_pods(part: ObservedPart, job: ApiObject, own: tuple[ApiObject, ...], now: datetime) -> Outcome:
    live = live_pods(own)
    if live and all(pod_views.deletion_time(pod) is not None for pod in live):
        return _ending(part, job, live, now)
    waiting = tuple(pod for pod in live if pod_views.running_since(pod) is None)
    if len(waiting) < len(live):
        return _at_work(part, waiting, now)
    if job_views.is_suspended(job):
        wait = Wait(reasons.QUEUED, messages.queue_message(job_views.queue_of(job), _last_event_message(part, job)))
        return Held(wait, job_views.suspension_time(job))
    if waiting:
        return _waiting(part, own, waiting, now)
    return _without_pod(part, job, own, now)


def _ending(part: ObservedPart, job: ApiObject, live: tuple[ApiObject, ...], now: datetime) -> Outcome:
    """Return what comes of a Job all of whose pods are being deleted; its own controller waits until they have gone."""
    if all(pod_views.is_lost(pod, now) for pod in live):
        if job_views.is_failing(job):
            return _job_failure(part, job)
        nodes = sorted({str((pod.get("spec") or {}).get("nodeName") or "unknown") for pod in live})
        return Stranded(job, Wait(reasons.DISRUPTED, messages.nodes_lost(nodes)))
    last = max(ending for pod in live if (ending := pod_views.deletion_time(pod)) is not None)
    return Going(_start_time(part), until=last + pod_views.LONGEST_ENDING + timedelta(seconds=1))


def _at_work(part: ObservedPart, waiting: tuple[ApiObject, ...], now: datetime) -> Going:
    late = tuple(pod for pod in waiting if now >= pod_views.creation_time(pod) + GRACE)
    started = _start_time(part)
    soon = min((pod_views.creation_time(pod) + GRACE for pod in waiting if pod not in late), default=None)
    # A container that ends at once is not worth a status that says when it began.
    if started is not None and now < read_time(started) + GRACE:
        begun = read_time(started) + GRACE
        return Going(until=begun if soon is None else min(begun, soon))
    if not late:
        return Going(started, until=soon)
    why = pod_views.waits_for(late[0], part.events)
    return Going(started, Wait(why.reason, messages.some_wait(len(late), part.workers, why.message)), until=soon)


def _waiting(part: ObservedPart, own: tuple[ApiObject, ...], waiting: tuple[ApiObject, ...], now: datetime) -> Outcome:
    ends = [read_time(ended.finished) for pod in own if (ended := pod_views.exit_of(pod)) and ended.finished]
    since = max([*(pod_views.creation_time(pod) for pod in waiting), *ends])
    first = max((pod_views.waits_for(pod, part.events) for pod in waiting), key=_is_informative)
    if first.reason == reasons.STARTING and now < since + GRACE:
        return Going(until=since + GRACE)
    return Held(first, since)


def _is_informative(wait: Wait) -> bool:
    return wait.reason != reasons.STARTING


def _without_pod(part: ObservedPart, job: ApiObject, own: tuple[ApiObject, ...], now: datetime) -> Outcome:
    """Return why a Job that is not over has no pod that could run: the API server refuses it one, or it is to come."""
    failed = [pod for pod in own if (ended := pod_views.exit_of(pod)) is None or ended.code != 0]
    if failed:
        last = max(failed, key=pod_views.creation_time)
        disrupted = pod_views.disruption(last)
        if disrupted is not None:
            return Held(Wait(reasons.DISRUPTED, messages.disruption_message(disrupted)))
        if job_views.is_one_try(job):
            return Going(_start_time(part))  # it has failed, and its Job has yet to say so
        return Held(Wait(reasons.RETRYING, messages.retrying(failure_of(part.name, last)[1])))
    if own:
        return Going(_start_time(part))  # its pods succeeded, and its Job has yet to say so
    since = job_views.waiting_since(job)
    message = _last_event_message(part, job)
    if message is not None:
        return Held(_refused_pod(part.name, message), since)
    if now < since + GRACE:
        return Going(until=since + GRACE)
    return Held(Wait(reasons.STARTING, messages.no_pod_yet()), since)


def _refused_pod(part: PartName, message: str) -> Wait:
    """Return why the API server refuses a pod: for a quota that is full, or that wants to be told more, or a policy."""
    if "exceeded quota" in message:
        return Wait(reasons.QUOTA_EXCEEDED, message)
    wanted, job = _WANTED_BY_QUOTA.search(message), job_with_fields(part)
    if wanted is None or job is None:
        return Wait(reasons.FORBIDDEN, message)
    amounts = sorted({name for each in wanted["amounts"].split(";") for name in _amounts_of_job(each)})
    if not amounts:
        return Wait(reasons.FORBIDDEN, message)
    fields = [job_field(job, "resources", name if "." in name else f"requests.{name}") for name in amounts]
    return Wait(reasons.FORBIDDEN, messages.wanted_by_quota(wanted["quota"], fields, message))


def _amounts_of_job(wanted: str) -> list[str]:
    """Return the amounts that a quota wants of the job's container; another one may be somebody's sidecar."""
    amounts, _, containers = wanted.partition(" for: ")
    own = not containers or CONTAINER in re.split(r"[,\s]+", containers)
    return _AMOUNT.findall(amounts) if own else []


def _last_event_message(part: ObservedPart, job: ApiObject) -> str | None:
    """Return what was said last of a Job that has no pod."""
    found = [event for event in part.events if event.get("involvedObject", {}).get("uid") == job_views.uid(job)]
    return str(max(found, key=pod_views.event_time).get("message") or "") if found else None


def _job_failure(part: ObservedPart, job: ApiObject) -> Failed:
    attempt, since = job_views.attempt_of(job), job_views.failure_time(job)
    own = [pod for pod in part.pods if pod_views.belongs_to(pod, job_views.uid(job))]
    failed = [pod for pod in own if (ended := pod_views.exit_of(pod)) is None or ended.code != 0]
    reason, message = job_views.failure_of(job)
    if reason == "DeadlineExceeded":
        return Failed(reasons.DEADLINE_EXCEEDED, messages.deadline_exceeded(job_with_fields(part.name)), attempt, since)
    said = max(failed, key=_failure_weight, default=None)
    words = (reasons.FAILED, messages.job_failed(reason, message)) if said is None else failure_of(part.name, said)
    at_fault = [pod for pod in failed if not pod_views.never_began(pod) and pod_views.disruption(pod) is None]
    may_pass = job_views.is_one_try(job) and reason == "BackoffLimitExceeded"
    if reason == "PodFailurePolicy" and not job_views.is_one_try(job):
        # Its pods were to have more memory, and so it ended with the first that was killed.
        ends = [ended.code for pod in at_fault if (ended := pod_views.exit_of(pod))]
        may_pass = not any(code in FINAL for code in ends)
    return Failed(*words, attempt, since, may_pass, interrupted=may_pass and not at_fault)


def _failure_weight(pod: ApiObject) -> tuple[bool, str]:
    """Return how much a failed pod's words weigh: one that was not stopped from outside, and of these the last."""
    ended = pod_views.exit_of(pod)
    own = ended is not None and (ended.code not in (errors.TERMINATED, KILLED) or ended.reason == OUT_OF_MEMORY)
    return own, str(ended.finished if ended and ended.finished else "")


def failure_of(part: PartName, pod: ApiObject) -> tuple[str, str]:
    """Return the reason and the sentence of a pod that failed: its container's own, where it left one."""
    ended = pod_views.exit_of(pod)
    if ended is None:
        return _without_container(part, pod)
    failure = failure_in(ended.message)
    if failure is not None:
        # One's own image may say anything, and a condition takes only a word.
        return failure.reason if _WORD.fullmatch(failure.reason) else reasons.FAILED, failure.message
    return _failure_without_message(part, ended)


def _failure_without_message(part: PartName, ended: ContainerExit) -> tuple[str, str]:
    if ended.reason == OUT_OF_MEMORY:
        return reasons.OUT_OF_MEMORY, messages.out_of_memory(job_with_fields(part))
    if ended.code == errors.TIMED_OUT:
        return reasons.TIMED_OUT, messages.deadline_exceeded(job_with_fields(part))
    if ended.message and not ended.message.startswith("{"):
        return reasons.FAILED, messages.exit_message(ended.code, ended.reason, ended.message)
    return reasons.FAILED, messages.exit_message(ended.code, ended.reason)


def _without_container(part: PartName, pod: ApiObject) -> tuple[str, str]:
    status = pod.get("status") or {}
    if status.get("reason") == "DeadlineExceeded":
        return reasons.DEADLINE_EXCEEDED, messages.deadline_exceeded(job_with_fields(part))
    said = str(status.get("message") or status.get("reason") or "its node does not say why")
    return reasons.FAILED, f"Its pod failed before its container had ended: {said}"

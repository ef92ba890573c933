"""What the servers of a revision say of themselves: that they wait, and for what; or why they do not come up.

Waiting is not failing: servers that no node takes, or whose image cannot be pulled, are waited for up to the
`pendingLimit`. Servers that refuse what they are to serve will refuse it again, so nobody waits for their deadline.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from penstock.api.jobs import job_field
from penstock.api.quantities import read_duration
from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject
from penstock.decide.objects.pod import CONTAINER
from penstock.decide.objects.rollout import rollout_of
from penstock.decide.objects.serving import STARTING
from penstock.decide.observed import pods as pod_views
from penstock.decide.pipeline import messages as pipeline_messages
from penstock.decide.times import read_time
from penstock_jobs.contract.errors import REFUSED

_DEADLINE = "ProgressDeadlineExceeded"
_STARTING = timedelta(seconds=STARTING)
_BEFORE_THE_SENTENCE = re.compile(r"^\S+ \S+ (?:ERROR|CRITICAL) ")  # of a line that `penstock_jobs.logs` wrote as text


@dataclass(frozen=True)
class Failure:
    """Why servers do not become ready; `is_final` where they would not, if they were tried again."""

    message: str
    is_final: bool = False


@dataclass(frozen=True)
class Servers:
    """The Deployment of a revision and its pods, those that are being deleted apart.

    `place` is how long they may wait where they keep others waiting meanwhile: then the `pending_limit` is not theirs.
    """

    deployment: ApiObject
    pods: Sequence[ApiObject]
    pending_limit: str
    place: timedelta | None = None

    def failure(self, now: datetime) -> Failure | None:
        """Return why they will not become ready, or None where they may yet."""
        for end in self._ends():
            if end.get("exitCode") == REFUSED:
                return Failure(_sentence(end), is_final=True)
        held = self.waiting_message()
        if held is not None:
            return Failure(self._waited_too_long(held)) if now >= self.until() else None
        if not self._is_late(now):
            return None
        last = max(self._ends(), key=lambda end: str(end.get("finishedAt") or ""), default=None)
        if last is not None:
            return Failure(_sentence(last))
        said = self._condition("Progressing")
        told = said.get("message") if said.get("reason") == _DEADLINE else None
        return Failure(str(told or pipeline_messages.not_ready_in_time()))

    def available(self) -> int:
        """Return how many of them answer now."""
        return int((self.deployment.get("status") or {}).get("availableReplicas") or 0)

    def trouble(self) -> str:
        """Return why none of them answers, in the words of whoever knows best."""
        held = self.waiting_message()
        if held is not None:
            return held
        last = max(self._ends(), key=lambda end: str(end.get("finishedAt") or ""), default=None)
        if last is not None:
            return _sentence(last)
        told = (self._condition(kind).get("message") for kind in ("Available", "Progressing"))
        return next((str(each) for each in told if each), pipeline_messages.servers_starting())

    def waiting_message(self) -> str | None:
        """Return what keeps one of them from starting, in the words of whoever knows; None where nothing does."""
        refused = self._condition("ReplicaFailure")
        if refused.get("status") == "True":
            return str(refused.get("message") or refused.get("reason"))
        for pod in self.pods:
            if pod_views.is_over(pod) or pod_views.running_since(pod) or _container(pod).get("restartCount"):
                continue
            wait = pod_views.waits_for(pod, ())
            if wait.reason != reasons.STARTING:
                return wait.message
        return None

    def until(self) -> datetime:
        """Return until when they may wait."""
        limit = timedelta(seconds=read_duration(self.pending_limit, job_field("deployment", "pendingLimit")))
        return self._start_time() + (limit if self.place is None else min(limit, self.place))

    def requeue_time(self) -> datetime | None:
        """Return when they may be too late, where no change of their Deployment would say so."""
        if self.waiting_message() is not None:
            return self.until()
        return self._start_time() + _STARTING if self._is_started_again() else None

    def _waited_too_long(self, why: str) -> str:
        if self.place is None:
            return messages.pending_limit_exceeded(self.pending_limit, why)
        return pipeline_messages.place_given_up(int(self.place.total_seconds() / 60), why)

    def _is_late(self, now: datetime) -> bool:
        # A Deployment that was scaled to zero counts as complete, and has no deadline any more.
        if self._is_started_again():
            return now >= self._start_time() + _STARTING
        return bool(self._condition("Progressing").get("reason") == _DEADLINE)

    def _is_started_again(self) -> bool:
        return rollout_of(self.deployment).start_time is not None

    def _start_time(self) -> datetime:
        return read_time(rollout_of(self.deployment).start_time or self.deployment["metadata"]["creationTimestamp"])

    def _ends(self) -> Iterator[dict[str, Any]]:
        """Yield how the containers that do not run, or are not ready, ended last."""
        for pod in self.pods:
            container = _container(pod)
            for state in ("state", "lastState"):
                end = (container.get(state) or {}).get("terminated")
                if end and not container.get("ready"):
                    yield end

    def _condition(self, kind: str) -> dict[str, Any]:
        conditions = (self.deployment.get("status") or {}).get("conditions") or ()
        return next((each for each in conditions if each.get("type") == kind), {})


def _container(pod: ApiObject) -> dict[str, Any]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((status for status in statuses if status.get("name") == CONTAINER), {})


def _sentence(end: dict[str, Any]) -> str:
    """Return what a container said last: the sentence in the last line of its log, which is its termination message."""
    lines = [line for line in str(end.get("message") or "").splitlines() if line.strip()]
    if not lines:
        return messages.exit_message(int(end.get("exitCode", 0)), end.get("reason"))
    last = lines[-1].strip()
    try:
        said = json.loads(last)
    except ValueError:
        return _BEFORE_THE_SENTENCE.sub("", last)
    return str(said["message"]) if isinstance(said, dict) and said.get("message") else last

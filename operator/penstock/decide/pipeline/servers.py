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
from penstock.decide.observed import pods as pod_views
from penstock.decide.times import read_time
from penstock_jobs.contract.errors import REFUSED

_DEADLINE = "ProgressDeadlineExceeded"
_BEFORE_THE_SENTENCE = re.compile(r"^\S+ \S+ (?:ERROR|CRITICAL) ")  # of a line that `penstock_jobs.logs` wrote as text


@dataclass(frozen=True)
class Servers:
    """The Deployment of a revision and its pods, those that are being deleted apart."""

    deployment: ApiObject
    pods: Sequence[ApiObject]
    pending_limit: str

    def failure(self, now: datetime) -> str | None:
        """Return why they will not become ready, or None where they may yet."""
        for end in self._ends():
            if end.get("exitCode") == REFUSED:
                return _sentence(end)
        held = self.waiting_message()
        if held is not None:
            return messages.pending_limit_exceeded(self.pending_limit, held) if now >= self.until() else None
        progressing = self._condition("Progressing")
        if progressing.get("reason") != _DEADLINE:
            return None
        last = max(self._ends(), key=lambda end: str(end.get("finishedAt") or ""), default=None)
        return str(progressing.get("message") or messages.not_ready_in_time()) if last is None else _sentence(last)

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
        return next((str(each) for each in told if each), messages.servers_starting())

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
        created = read_time(self.deployment["metadata"]["creationTimestamp"])
        return created + timedelta(seconds=read_duration(self.pending_limit, job_field("deployment", "pendingLimit")))

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

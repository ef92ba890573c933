"""What is counted, with labels that are bounded: kinds, verbs, classes of errors, reasons; never an object's name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

from penstock.api.run import PipelineRunStatus
from penstock.api.schema import JOBS
from penstock.api.trigger import TriggerStatus
from penstock.daemon.metrics import QUICK, DefinedMetrics
from penstock.decide.conditions import find
from penstock.decide.decision import Decision
from penstock.decide.reasons import FILES_DELETED, FILES_NOT_DELETED
from penstock.kubernetes.kinds import Key, Object

_LONG = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


@dataclass
class ReconcileOutcome:
    """How one reconcile went; `error` is the class of what went wrong."""

    error: str | None = None

    def record_error(self, error: str) -> None:
        """Say that it failed, and of what."""
        self.error = error


class OperatorMetrics(DefinedMetrics):
    """All metrics of one operator."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = self._histogram("reconcile_seconds", "How long a reconcile took.", ["kind"], QUICK)
        self._errors = self._counter(
            "reconcile_errors", "Reconciles that did not succeed, by class of error.", ["class"]
        )
        self._writes = self._counter("api_writes", "Writes that the API server accepted.", ["verb", "kind"])
        self._runs = self._counter("runs_finished", "Runs that ended, by the reason they ended for.", ["reason"])
        self._steps = self._histogram("step_seconds", "How long a step ran.", ["step", "state"], _LONG)
        self._waiting = self._gauge("runs_waiting", "Runs that wait, by what for.", ["reason"])
        self._occasions = self._counter(
            "trigger_occasions", "Moments and events of Triggers, by what became of them.", ["outcome"]
        )
        self._cleanings = self._counter("cleanings", "Ends of Jobs that delete files, by how they ended.", ["reason"])
        self._lag = self._histogram("loop_lag_seconds", "How late the event loop was.", [], QUICK)
        self._reasons: dict[Key, str] = {}

    def watch(self, depth: Callable[[], float], resync: Callable[[], float]) -> None:
        """Show how many keys wait for a worker, and when it was last seen that all objects are known."""
        self._gauge("queue_depth", "Keys that wait for a worker.", []).set_function(depth)
        self._gauge(
            "last_resync_timestamp_seconds", "When all objects were last listed, 0 before that.", []
        ).set_function(resync)

    def count_write(self, verb: str, kind: str) -> None:
        """Count a write."""
        self._writes.labels(verb, kind).inc()

    def observe_lag(self, seconds: float) -> None:
        """Count by how much the event loop was late."""
        self._lag.observe(seconds)

    @contextmanager
    def reconcile(self, kind: str) -> Iterator[ReconcileOutcome]:
        """Measure a reconcile."""
        outcome, begun = ReconcileOutcome(), perf_counter()
        try:
            yield outcome
        finally:
            self._seconds.labels(kind).observe(perf_counter() - begun)
            if outcome.error is not None:
                self._errors.labels(outcome.error).inc()

    def record_decision(self, key: Key, subject: Object, decision: Decision) -> None:
        """Take in what was decided about an object."""
        for told in decision.events:
            if told.reason in (FILES_DELETED, FILES_NOT_DELETED):
                self._cleanings.labels(told.reason).inc()
        status = decision.status
        if isinstance(status, TriggerStatus):
            self._count_occasions(subject.get("status") or {}, status)
        if not isinstance(status, PipelineRunStatus):
            return
        self._wait_for(key, _waiting_reason(status))
        before = subject.get("status") or {}
        if status.completion_time is not None and before.get("completionTime") is None:
            ended = find(status.conditions, "Succeeded")
            self._runs.labels(ended.reason if ended else "").inc()
        self._count_steps(before, status)

    def forget(self, key: Key) -> None:
        """Drop what is kept of an object that is gone."""
        self._wait_for(key, None)

    def _count_occasions(self, before: dict[str, Any], status: TriggerStatus) -> None:
        known = before.get("counts")
        if known is None or status.counts is None:
            return  # what a Trigger begins with is not news
        for outcome in ("fired", "skipped", "missed"):
            more = getattr(status.counts, outcome) - known.get(outcome, 0)
            self._occasions.labels(outcome.capitalize()).inc(max(more, 0))

    def _count_steps(self, before: dict[str, Any], status: PipelineRunStatus) -> None:
        finished = {step.get("name") for step in before.get("steps") or () if step.get("completionTime")}
        for step in status.steps:
            if step.completion_time and step.start_time and step.name in JOBS and step.name not in finished:
                seconds = _moment(step.completion_time) - _moment(step.start_time)
                self._steps.labels(step.name, step.state).observe(max(seconds, 0.0))

    def _wait_for(self, key: Key, reason: str | None) -> None:
        earlier = self._reasons.pop(key, None)
        if earlier is not None:
            self._waiting.labels(earlier).dec()
        if reason is not None:
            self._reasons[key] = reason
            self._waiting.labels(reason).inc()


def _waiting_reason(status: PipelineRunStatus) -> str | None:
    """Return what a run waits for; None where it does not wait."""
    if not any(step.state == "Waiting" for step in status.steps):
        return None
    said = find(status.conditions, "Succeeded")
    return said.reason if said is not None and said.status == "Unknown" else None


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()

"""What a reconcile has come to so far: the run as it should be told, what is to be written, when to look again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from penstock.api.run import PipelineRun, StepState
from penstock.api.schema import JobName
from penstock.decide import reasons
from penstock.decide.conditions import find, shorten
from penstock.decide.decision import Decision, Event, Write
from penstock.decide.run_state import status_of, step_of, with_outcome, with_step
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import DatasetResult, SourceResult, TestingResult, TrainingResult
from penstock_jobs.contract.termination_message import TerminationMessage

Result = TypeVar("Result", SourceResult, DatasetResult, TrainingResult, TestingResult)
_CALM = (reasons.RUNNING, reasons.PROPOSED, reasons.ROLLING_OUT, reasons.SUSPENDED, reasons.EARLIER_RUN, reasons.QUEUED)


@dataclass(frozen=True)
class RunDraft:
    """A reconcile in the middle. `results` are all results that are known, those that are about to be recorded too.

    `images` are those that pods of the run found, by digest, under the references that they were given.
    """

    run: PipelineRun
    results: Mapping[str, TerminationMessage] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[Write, ...] = ()
    requeue_time: datetime | None = None
    events: tuple[Event, ...] = ()

    def with_writes(self, *writes: Write) -> "RunDraft":
        """Return the draft with these writes after the others."""
        return replace(self, writes=(*self.writes, *writes))

    def requeue_at(self, moment: datetime | None) -> "RunDraft":
        """Return the draft that is requeued at that moment, or before."""
        moments = [each for each in (self.requeue_time, moment) if each is not None]
        return replace(self, requeue_time=min(moments, default=None))

    def step(
        self, job: JobName, state: StepState, reason: str | None = None, message: str | None = None, **changes: object
    ) -> "RunDraft":
        """Return the draft with that step changed, and nothing else of it."""
        said = None if message is None else shorten(message)
        given = {"wait_start_time": None, "reason": reason, "message": said, **changes}
        return replace(self, run=with_step(self.run, job, state, **given))

    def about(self, job: JobName, **changes: object) -> "RunDraft":
        """Return the draft with these fields of that step changed, and its state as it was."""
        return replace(self, run=with_step(self.run, job, self.state_of(job), **changes))

    def outcome(
        self, succeeded: Literal["True", "False", "Unknown"], reason: str, message: str, now: str
    ) -> "RunDraft":
        """Return the draft with this `Succeeded`, and what follows from it."""
        return replace(self, run=with_outcome(self.run, succeeded, reason, message, now))

    def status(self, **changes: object) -> "RunDraft":
        """Return the draft with these fields of the status changed."""
        changed = msgspec.structs.replace(status_of(self.run), **changes)
        return replace(self, run=msgspec.structs.replace(self.run, status=changed))

    def result(self, part: str, kind: type[Result]) -> Result:
        """Return the result of a part, which must be known by now."""
        found = self.results[part].result
        if not isinstance(found, kind):
            raise Refused(f"The result of {part} is not one of {kind.__name__}; apply a new run.")
        return found

    def state_of(self, job: JobName) -> StepState:
        """Return how far that step is."""
        step = step_of(self.run, job)
        return "Skipped" if step is None else step.state


def to_decision(before: PipelineRun, draft: RunDraft, now: datetime) -> Decision:
    """Return the decision that a draft comes to."""
    changed = status_of(draft.run) != status_of(before)
    again = None if draft.requeue_time is None else max(0.0, (draft.requeue_time - now).total_seconds())
    return Decision(
        writes=draft.writes,
        status=draft.run.status if changed else None,
        events=(*_events(before, draft.run), *draft.events) if changed else (),
        requeue_after=again,
    )


def _events(before: PipelineRun, after: PipelineRun) -> tuple[Event, ...]:
    old, new = (find(status_of(run).conditions, "Succeeded") for run in (before, after))
    if new is None or (old is not None and (old.status, old.reason) == (new.status, new.reason)):
        return ()
    calm = new.status == "True" or (new.status == "Unknown" and new.reason in _CALM)
    return (Event("Normal" if calm else "Warning", new.reason, new.message),)

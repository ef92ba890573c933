"""What a Pipeline's reconcile has come to so far: the status as it should be, and what is to be written."""

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from penstock.api.pipeline import Pipeline, PipelineStatus
from penstock.decide.conditions import ConditionStatus, make_condition, with_kstatus
from penstock.decide.decision import Event, Write


@dataclass(frozen=True)
class PipelineDraft:
    """A reconcile in the middle."""

    pipeline: Pipeline
    now: str
    writes: tuple[Write, ...] = ()
    requeue_time: datetime | None = None
    events: tuple[Event, ...] = ()

    def with_writes(self, *writes: Write) -> "PipelineDraft":
        """Return the draft with these writes after the others."""
        return replace(self, writes=(*self.writes, *writes))

    def requeue_at(self, moment: datetime) -> "PipelineDraft":
        """Return the draft of a Pipeline that is requeued then, whatever changes."""
        return replace(self, requeue_time=moment)

    def status(self, **changes: object) -> "PipelineDraft":
        """Return the draft with these fields of the status changed."""
        status = msgspec.structs.replace(self.pipeline.status or PipelineStatus(), **changes)
        return replace(self, pipeline=msgspec.structs.replace(self.pipeline, status=status))

    def ready(self, ready: ConditionStatus, reason: str, message: str, *, stalled: bool = False) -> "PipelineDraft":
        """Return the draft with this `Ready`, and what kstatus makes of it."""
        generation = self.pipeline.metadata.generation
        new = make_condition("Ready", ready, reason, message, now=self.now, generation=generation)
        conditions = with_kstatus((self.pipeline.status or PipelineStatus()).conditions, new, stalled=stalled)
        return self.status(conditions=conditions, observed_generation=generation)

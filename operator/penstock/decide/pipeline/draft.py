"""What a Pipeline's reconcile has come to so far: the status as it should be, and what is to be written."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import msgspec

from penstock.api.conditions import Condition
from penstock.api.pipeline import Pipeline, PipelineStatus
from penstock.decide.conditions import shorten, with_condition, without
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

    def ready(
        self, ready: Literal["True", "False", "Unknown"], reason: str, message: str, *, stalled: bool = False
    ) -> "PipelineDraft":
        """Return the draft with this `Ready`, and what kstatus makes of it: on its way, or stalled."""
        status = self.pipeline.status or PipelineStatus()
        conditions = with_condition(status.conditions, self._condition("Ready", ready, reason, message))
        for kind, holds in (("Stalled", stalled), ("Reconciling", ready == "Unknown")):
            if holds:
                conditions = with_condition(conditions, self._condition(kind, "True", reason, message))
            else:
                conditions = without(conditions, kind)
        return self.status(conditions=conditions, observed_generation=self.pipeline.metadata.generation)

    def _condition(self, kind: str, value: Literal["True", "False", "Unknown"], reason: str, message: str) -> Condition:
        return Condition(
            type=kind,
            status=value,
            reason=reason,
            message=shorten(message),
            last_transition_time=self.now,
            observed_generation=self.pipeline.metadata.generation,
        )

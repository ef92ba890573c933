"""Trigger: starts runs of a Pipeline at specific moments or events."""

from typing import Annotated, ClassVar, Literal

from penstock.api.conditions import Conditions, ObservedGeneration
from penstock.api.metadata import ObjectMeta
from penstock.api.notifications import MOST_EVENTS, NotifiedEvent
from penstock.api.parameters import LONGEST, MOST
from penstock.api.run import JobRequest, Override, PipelineReference, RunCredentials
from penstock.api.scalars import EXECUTION_NAME, NO_TIME, PYTHON_NAME, Duration, ObjectName, Timestamp
from penstock.api.schema import Rule, Value, field
from penstock.api.storage import Storage
from penstock.api.trigger_sources import (
    EventSource,
    ModelSource,
    ObjectsSource,
    PipelineSource,
    RunsSource,
    ScheduleSource,
)

SOURCES = ("schedule", "event", "objects", "runs", "pipeline", "model")
_CEL = 1024  # characters


class TriggeredRun(Value, frozen=True, kw_only=True):
    """What the runs are like."""

    execution_name: (
        Annotated[
            str,
            field(
                "The execution name that the runs wish for.",
                min_length=1,
                max_length=52,
                pattern=EXECUTION_NAME,
            ),
        ]
        | None
    ) = None
    jobs: Annotated[
        tuple[JobRequest, ...],
        field(
            "Which jobs are done. All that the Pipeline describes, where none is named.", keys=("name",), max_length=4
        ),
    ] = ()
    overrides: Annotated[
        tuple[Override, ...],
        field("Fields of the Pipeline that have other values in the runs.", keys=("path",), max_length=64),
    ] = ()
    storage: Annotated[Storage, field("Where the files of the runs are.")] | None = None
    credentials: Annotated[RunCredentials, field("Secrets that are otherwise than in the Pipeline.")] | None = None
    timeout: Annotated[Duration, field("How long a run may take in all, as `12h`.")] | None = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.jobs) || !self.jobs.exists(job, has(job.resetTesting))",
            "A Trigger never resets the testing set, only a person does, on a run; remove resetTesting.",
            field=".jobs",
        ),
        Rule(
            f"!has(self.timeout) || !self.timeout.matches('{NO_TIME}')",
            "This leaves the runs no time; write one as 12h, or remove it.",
            field=".timeout",
        ),
    )


class TriggerParameter(Value, frozen=True, kw_only=True):
    """A parameter of the Pipeline, and what the runs give for it."""

    name: Annotated[str, field("Its name, as the Pipeline declares it.", max_length=63, pattern=PYTHON_NAME)]
    value: Annotated[str, field("Its value, as text.", max_length=LONGEST)] | None = None
    expression: (
        Annotated[
            str,
            field(
                "Its value in CEL, over `event` (its attributes, and `data`) and `scheduledTime`, as `event.data.day`.",
                min_length=1,
                max_length=_CEL,
            ),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.value) != has(self.expression)",
            "A parameter has a value or an expression; give exactly one of the two.",
        ),
    )


class HistoryLimits(Value, frozen=True, kw_only=True):
    """How many of the runs that it started are kept."""

    succeeded: Annotated[int, field("Of those that succeeded; all, where it is not said.", ge=1, le=1000)] | None = None
    failed: Annotated[int, field("Of those that did not; all, where it is not said.", ge=1, le=1000)] | None = None


class TriggerSpec(Value, frozen=True, kw_only=True):
    """When runs start, and what they are like."""

    pipeline_ref: Annotated[PipelineReference, field("The Pipeline that is run.")]
    schedule: Annotated[ScheduleSource, field("Moments at which a run starts.")] | None = None
    event: Annotated[EventSource, field("Events by HTTP on which a run starts.")] | None = None
    objects: Annotated[ObjectsSource, field("Files that arrive for an input, on which a run starts.")] | None = None
    runs: Annotated[RunsSource, field("Runs of a Pipeline at whose end a run starts.")] | None = None
    pipeline: Annotated[PipelineSource, field("A run starts when the Pipeline's spec changes.")] | None = None
    model: Annotated[ModelSource, field("A run starts when the served Model gets worse.")] | None = None
    filter: (
        Annotated[
            str,
            field(
                "A condition in CEL over `event` and `last`, the Pipeline's last result (`last.result`, "
                "`last.verdict`); what does not fulfil it is skipped.",
                min_length=1,
                max_length=_CEL,
            ),
        ]
        | None
    ) = None
    parameters: Annotated[
        tuple[TriggerParameter, ...],
        field("What the runs give for the Pipeline's parameters.", keys=("name",), max_length=MOST),
    ] = ()
    concurrency_policy: Annotated[
        Literal["Allow", "Forbid", "Replace"],
        field(
            "What happens while a run of this Trigger is live: another starts beside it, none starts, or the live "
            "one is cancelled for the new one."
        ),
    ] = "Forbid"
    suspend: Annotated[bool, field("Start nothing. What is missed meanwhile is not made up for.")] = False
    starting_deadline: Annotated[Duration, field("How late a missed moment may still start its run, as `1h`.")] = "1h"
    delivery: Annotated[
        Literal["Each", "Batch", "Latest"],
        field(
            "What becomes of events that come while a run of this Trigger waits to begin: each has its run, one run "
            "takes all that wait, or only the newest is run."
        ),
    ] = "Each"
    history_limits: (
        Annotated[HistoryLimits, field("How many of its runs are kept; without it as the Pipeline's retention says.")]
        | None
    ) = None
    failure_limit: (
        Annotated[
            int,
            field(
                "After so many runs that failed one after the other it starts none, until one by hand succeeds or its "
                "spec changes.",
                ge=1,
            ),
        ]
        | None
    ) = None
    run: Annotated[TriggeredRun, field("What the runs are like.")] = TriggeredRun()

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            " + ".join(f"(has(self.{source}) ? 1 : 0)" for source in SOURCES) + " == 1",
            f"A Trigger has one source; give exactly one of {', '.join(SOURCES[:-1])} and {SOURCES[-1]}.",
        ),
        Rule(
            "!has(self.runs) || self.runs.pipelineRef.name != self.pipelineRef.name",
            "This would start a run of the Pipeline at the end of each run of the same, for ever; name another one.",
            field=".runs",
        ),
        Rule(
            "self.delivery == 'Each' || has(self.event) || has(self.objects) || has(self.runs)",
            "Only events are gathered; remove delivery, or set it to Each.",
            field=".delivery",
        ),
    )


class TriggerCounts(Value, frozen=True, kw_only=True):
    """What became of moments and events."""

    fired: Annotated[int, field("How many started a run.", ge=0)] = 0
    skipped: Annotated[
        int, field("How many did not, for the concurrency policy, the filter or another rule.", ge=0)
    ] = 0
    missed: Annotated[int, field("How many were over before a run could start.", ge=0)] = 0


class Firing(Value, frozen=True, kw_only=True):
    """What became of one moment or event."""

    time: Annotated[Timestamp, field("The moment, or when the event was.")]
    outcome: Annotated[Literal["Fired", "Skipped", "Missed"], field("What became of it.")]
    event: Annotated[str, field("The id of the event.", max_length=256)] | None = None
    run: Annotated[ObjectName, field("The run that it started.")] | None = None
    reason: Annotated[str, field("Why, in one word.", max_length=64)]
    message: Annotated[str, field("Why, in a sentence.", max_length=512)]


class LookStatus(Value, frozen=True, kw_only=True):
    """The last look at the files that a Trigger waits for."""

    number: Annotated[int, field("How many looks there were since the spec is as it is.", ge=0)] = 0
    time: Annotated[Timestamp, field("When it was over.")] | None = None
    files: Annotated[int, field("How many files were there.", ge=0)] | None = None
    unsettled: Annotated[int, field("How many of them are new or changed, and may still be written to.", ge=0)] = 0
    event: Annotated[str, field("The id of the files that arrived last.", max_length=64)] | None = None
    message: Annotated[str, field("Why it failed.", max_length=512)] | None = None


class TriggerStatus(Value, frozen=True, kw_only=True):
    """What the Trigger has done."""

    observed_generation: ObservedGeneration = None
    conditions: Conditions = ()
    start_time: (
        Annotated[
            Timestamp, field("Since when the spec is as it is and not suspended: nothing before it is made up for.")
        ]
        | None
    ) = None
    last_schedule_time: Annotated[Timestamp, field("The moment, or the time of the event, dealt with last.")] | None = (
        None
    )
    next_schedule_time: Annotated[Timestamp, field("The moment of the next run.")] | None = None
    last_run: Annotated[ObjectName, field("The run started last.")] | None = None
    pipeline_digest: (
        Annotated[str, field("A hash of what of the Pipeline's spec matters to the runs.", max_length=80)] | None
    ) = None
    look: Annotated[LookStatus, field("The last look at the files that it waits for.")] | None = None
    counts: Annotated[TriggerCounts, field("What became of moments and events since the Trigger was made.")] | None = (
        None
    )
    history: Annotated[
        tuple[Firing, ...],
        field("What became of the last moments and events, and why; the newest first.", max_length=20),
    ] = ()
    notifications: Annotated[
        tuple[NotifiedEvent, ...],
        field("What was told of it, or is to be; the newest first.", keys=("id",), max_length=MOST_EVENTS),
    ] = ()


class Trigger(Value, frozen=True, kw_only=True):
    """Starts runs of a Pipeline at specific moments or events. It fires once for each, or says why not.

    Its runs are its own: where it is deleted, so are they. Their Models stay.
    """

    api_version: Literal["penstock.dev/v1alpha1"]
    kind: Literal["Trigger"]
    metadata: ObjectMeta = ObjectMeta()
    spec: Annotated[TriggerSpec, field("When runs start, and what they are like.")]
    status: Annotated[TriggerStatus, field("What the Trigger has done.")] | None = None

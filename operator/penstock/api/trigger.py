"""Trigger: starts runs of a Pipeline at specific moments or events."""

from typing import Annotated, ClassVar, Literal

from penstock.api.conditions import Conditions, ObservedGeneration
from penstock.api.metadata import ObjectMeta
from penstock.api.run import JobRequest, Override, PipelineReference, RunCredentials
from penstock.api.scalars import CRON, EXECUTION_NAME, TIME_ZONE, Duration, ObjectName, Timestamp
from penstock.api.schema import Rule, Value, field
from penstock.api.storage import Storage


class Schedule(Value, frozen=True, kw_only=True):
    """Moments at which runs start: a cron expression, or moments one by one."""

    cron: (
        Annotated[
            str,
            field(
                "Five fields: minute, hour, day of the month, month, day of the week; as `0 3 * * *`.",
                max_length=128,
                pattern=CRON,
            ),
        ]
        | None
    ) = None
    moments: Annotated[
        tuple[Timestamp, ...], field("Moments, one by one, as `2026-12-01T03:00:00Z`.", unique=True, max_length=256)
    ] = ()
    time_zone: Annotated[
        str,
        field(
            "The time zone of the cron expression, as `Europe/Paris`.",
            min_length=1,
            max_length=64,
            pattern=TIME_ZONE,
        ),
    ] = "Etc/UTC"
    starting_deadline: Annotated[Duration, field("How late a missed moment may still start its run.")] = "1h"
    catch_up: Annotated[
        Literal["None", "Last", "All"],
        field("Which of the moments missed within the starting deadline start a run: none, the last, or all."),
    ] = "Last"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.cron) != (has(self.moments) && self.moments.size() > 0)",
            "A schedule is a cron expression or a list of moments; give exactly one of the two.",
        ),
    )


class EventFilter(Value, frozen=True, kw_only=True):
    """Which CloudEvents start a run: those that match all that is said."""

    types: Annotated[
        tuple[Annotated[str, field("A type.", min_length=1, max_length=256)], ...],
        field("The types of the events.", unique=True, min_length=1, max_length=32),
    ]
    source: (
        Annotated[
            str, field("The source of the events; `*` at its end stands for anything.", min_length=1, max_length=512)
        ]
        | None
    ) = None
    subject: (
        Annotated[
            str,
            field("The subject of the events; `*` at its end stands for anything.", min_length=1, max_length=512),
        ]
        | None
    ) = None
    quiet: Annotated[Duration, field("Events that follow one another within this time start one run.")] | None = None


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

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.jobs) || !self.jobs.exists(job, has(job.resetTesting) && job.resetTesting)",
            "A Trigger never resets the testing set, only a person does, on a run; remove resetTesting.",
            field=".jobs",
        ),
    )


class TriggerSpec(Value, frozen=True, kw_only=True):
    """When runs start, and what they are like."""

    pipeline_ref: Annotated[PipelineReference, field("The Pipeline that is run.")]
    schedule: Annotated[Schedule, field("Moments at which a run starts.")] | None = None
    event: Annotated[EventFilter, field("Events on which a run starts.")] | None = None
    concurrency_policy: Annotated[
        Literal["Allow", "Forbid", "Replace"],
        field(
            "What happens while a run of this Trigger is live: another starts beside it, none starts, or the live "
            "one is cancelled for the new one."
        ),
    ] = "Forbid"
    suspend: Annotated[bool, field("Start nothing. What is missed meanwhile is not made up for.")] = False
    run: Annotated[TriggeredRun, field("What the runs are like.")] = TriggeredRun()

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.schedule) != has(self.event)",
            "A Trigger starts runs by a schedule or on events; give exactly one of schedule and event.",
        ),
    )


class TriggerCounts(Value, frozen=True, kw_only=True):
    """What became of moments and events."""

    fired: Annotated[int, field("How many started a run.", ge=0)] = 0
    skipped: Annotated[int, field("How many did not, for the concurrency policy.", ge=0)] = 0
    missed: Annotated[int, field("How many were over before a run could start.", ge=0)] = 0


class TriggerStatus(Value, frozen=True, kw_only=True):
    """What the Trigger has done."""

    observed_generation: ObservedGeneration = None
    conditions: Conditions = ()
    last_schedule_time: Annotated[Timestamp, field("When the moment or event dealt with last was.")] | None = None
    last_run: Annotated[ObjectName, field("The run started last.")] | None = None
    next_schedule_time: Annotated[Timestamp, field("The moment of the next run.")] | None = None
    counts: Annotated[TriggerCounts, field("What became of moments and events since the Trigger was made.")] | None = (
        None
    )
    last_reason: Annotated[str, field("Why the last moment or event started no run.", max_length=1024)] | None = None


class Trigger(Value, frozen=True, kw_only=True):
    """Starts runs of a Pipeline at specific moments or events. It fires once for each, or says why not."""

    api_version: Literal["penstock.dev/v1alpha1"]
    kind: Literal["Trigger"]
    metadata: ObjectMeta = ObjectMeta()
    spec: Annotated[TriggerSpec, field("When runs start, and what they are like.")]
    status: Annotated[TriggerStatus, field("What the Trigger has done.")] | None = None

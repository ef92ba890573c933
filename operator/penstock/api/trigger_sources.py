"""What a Trigger waits for: moments, or events of one kind. A Trigger has exactly one source."""

from typing import Annotated, ClassVar, Literal

from penstock.api.run import PipelineReference
from penstock.api.scalars import CRON, NO_TIME, TIME_ZONE, Decimal, Duration, Timestamp, Word
from penstock.api.schema import Rule, Value, field

RunResult = Literal["Succeeded", "Failed", "Cancelled"]


class ScheduleSource(Value, frozen=True, kw_only=True):
    """Moments: those of cron expressions, and moments one by one."""

    cron: Annotated[
        tuple[
            Annotated[
                str,
                field(
                    "Five fields: minute, hour, day of the month, month, day of the week; as `0 3 * * *`; or `@daily`.",
                    max_length=128,
                    pattern=CRON,
                ),
            ],
            ...,
        ],
        field("Cron expressions; a moment that two of them name is one moment.", unique=True, max_length=16),
    ] = ()
    moments: Annotated[
        tuple[Timestamp, ...], field("Moments, one by one, as `2026-12-01T03:00:00Z`.", unique=True, max_length=256)
    ] = ()
    time_zone: Annotated[
        str,
        field(
            "The time zone of the cron expressions, as `Europe/Paris`.",
            min_length=1,
            max_length=64,
            pattern=TIME_ZONE,
        ),
    ] = "Etc/UTC"
    jitter: (
        Annotated[
            Duration,
            field(
                "Spread Triggers of the same minute over this time, as `10m`: each begins later by a part of it that "
                "is always the same. `scheduledTime` stays the moment itself."
            ),
        ]
        | None
    ) = None
    catch_up: Annotated[
        Literal["None", "Last", "All"],
        field(
            "Which of the moments missed within the starting deadline start a run: none, the last, or all. `All` makes "
            "sense only where the Pipeline's query or an input's address uses `scheduledTime`."
        ),
    ] = "Last"
    catch_up_limit: Annotated[
        int, field("How many missed moments `All` makes up for at most: the last ones.", ge=1, le=1000)
    ] = 100

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(has(self.cron) && self.cron.size() > 0) || (has(self.moments) && self.moments.size() > 0)",
            "A schedule has cron expressions or moments; give at least one of them.",
        ),
    )


class Signature(Value, frozen=True, kw_only=True):
    """A signature over the body of the request, by a key that sender and receiver share."""

    sender: Annotated[
        Literal["GitHub", "GitLab", "Gitea", "StandardWebhooks", "Generic"],
        field(
            "Whose way of signing: that of a Git host; `StandardWebhooks`, whose headers are `webhook-id`, "
            "`webhook-timestamp` and `webhook-signature`; or `Generic`: `X-Penstock-Timestamp` holds the seconds since "
            "1970, and `X-Penstock-Signature` `sha256=` and the HMAC of these seconds, a dot and the body. GitLab "
            "sends its key as it is. Where a time is signed it may be 5 minutes off."
        ),
    ]
    key: Annotated[
        Word,
        field(
            "The name of the key, in the Secret that the chart's `receiver.keys` mounts into the receiver. Of several "
            "lines there each is a key, so that an old and a new one hold while they change."
        ),
    ]


class EventSource(Value, frozen=True, kw_only=True):
    """Events that arrive by HTTP: CloudEvents, or plain JSON. Those that match all that is said start a run.

    The caller proves itself by the token of a service account that may `create` `triggers/events` of this name or,
    where `signature` is given, by that.
    """

    types: Annotated[
        tuple[Annotated[str, field("A type.", min_length=1, max_length=256)], ...],
        field("The types of the events; any, where none is given.", unique=True, max_length=32),
    ] = ()
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
    signature: Annotated[Signature, field("Who calls proves itself by a signature, not by a token.")] | None = None


class ObjectsSource(Value, frozen=True, kw_only=True):
    """Files that arrive, or change, where an input of the Pipeline is read from.

    A small job looks at their names, sizes and versions, with the credentials of the input. A file counts once two
    looks saw it alike. The first look takes what is there as known, and starts nothing.
    """

    input: Annotated[
        str,
        field(
            "The name of the input, one of `dataset.inputs` of the Pipeline; its address has no parameter.",
            min_length=1,
            max_length=63,
        ),
    ]
    interval: Annotated[Duration, field("How long after the end of a look the next one begins, as `5m`.")] = "5m"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!self.interval.matches('{NO_TIME}')",
            "Files are looked for now and then; write an interval as 5m.",
            field=".interval",
        ),
    )


class RunsSource(Value, frozen=True, kw_only=True):
    """Runs of a Pipeline that end: those that end as is said here start a run."""

    pipeline_ref: Annotated[PipelineReference, field("Whose runs: a Pipeline of the namespace.")]
    results: Annotated[
        tuple[RunResult, ...],
        field("How they ended. Those that succeeded, where it is not said.", unique=True, max_length=3),
    ] = ()
    verdicts: Annotated[
        tuple[Annotated[str, field("A verdict, as `Improved`.", min_length=1, max_length=64)], ...],
        field(
            "With which verdict of the gate, as `Improved`; any, and none, where it is not said.",
            unique=True,
            max_length=16,
        ),
    ] = ()


class PipelineSource(Value, frozen=True, kw_only=True):
    """Changes of the Pipeline's spec: one starts a run where it matters to a job that the run does."""


class ModelSource(Value, frozen=True, kw_only=True):
    """The served Model's score on newly labelled testing points: a run starts where it is beyond the bound."""

    scoring: Annotated[str, field("The name of a scoring function of `testing`.", min_length=1, max_length=63)]
    minimum: Annotated[Decimal, field('The least that it should be, as `"0.8"`.')] | None = None
    maximum: Annotated[Decimal, field("The most that it should be, of an error.")] | None = None
    minimum_points: Annotated[int, field("On how many new points at least it is asked.", ge=1)] = 100

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.minimum) != has(self.maximum)",
            "A bound on a score is a minimum or a maximum; give exactly one of the two.",
        ),
    )

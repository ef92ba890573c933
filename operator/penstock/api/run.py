"""PipelineRun: one execution of a Pipeline."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from penstock.api.conditions import Conditions, ObservedGeneration
from penstock.api.credentials import SecretReference
from penstock.api.dataset import Task
from penstock.api.jobs import NO_TIMEOUT, RULES_BY_NAME, OverridableSettings
from penstock.api.metadata import ObjectMeta
from penstock.api.notifications import MOST_NOTIFICATIONS, MOST_OF_OPERATOR, Delivery
from penstock.api.override_rights import path_pattern
from penstock.api.parameters import MOST, GivenParameter
from penstock.api.scalars import (
    EXECUTION_NAME,
    NO_TIME,
    OVERRIDE_PATH,
    Digest,
    Duration,
    ObjectName,
    Quantity,
    StatusTime,
    StatusUri,
    Timestamp,
    Word,
)
from penstock.api.schema import JOBS, JobName, Rule, Value, field, immutable
from penstock.api.scores import PlainScore, TestedScore
from penstock.api.storage import Storage
from penstock_jobs.contract.result import Verdict


class PipelineReference(Value, frozen=True, kw_only=True):
    """The Pipeline, in the namespace of the object."""

    name: Annotated[ObjectName, field("Its name. It need not be there yet: the run waits for it.")]


class JobRequest(OverridableSettings, frozen=True, kw_only=True):
    """A job that the run does, and what is otherwise than the Pipeline says."""

    name: Annotated[JobName, field("Which job.")]
    reset_testing: (
        Annotated[
            Word,
            field(
                "Begin a new testing set, of a new draw, for this word: a date or a reason, as `2026-11-30`. The old "
                "set stays readable. The storage remembers the word, so that no run that is applied again, or comes "
                "back from a backup, repeats the reset; another word is another reset. For the dataset job only.",
            ),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.resetTesting) || self.name == 'dataset'",
            "Only the dataset job can reset the testing set; move resetTesting to it.",
            field=".resetTesting",
        ),
        *RULES_BY_NAME,
        Rule(
            "self.name != 'deployment' || !(has(self.profile) || has(self.threads) || has(self.resources) || "
            "has(self.timeout) || has(self.pendingLimit) || has(self.retries))",
            "Deployment decides only, and runs no job; leave its name alone.",
        ),
        NO_TIMEOUT,
    )


REFUSED_OVERRIDE = (
    "No run may override this field, or one that is beneath it; name one of docs/reference/overrides.md, use "
    "spec.storage, spec.credentials or spec.parameters of the run, or change the Pipeline."
)
MOST_SCORES = 8  # of one Model, as many as a status has room for
MOST_REMARKS = 5
LONGEST_REMARK = 320
MOST_TRIES = 999


class Override(Value, frozen=True, kw_only=True):
    """A field of the Pipeline that has another value in this run."""

    path: Annotated[
        str,
        field(
            "Which field of the Pipeline's spec, as `training.keep`; an item of a list by its name: "
            "`training.algorithms.forest.parameters.max_depth.values`. What names code, an address or a place to run "
            "is for who may update the Pipeline.",
            min_length=1,
            max_length=512,
            pattern=OVERRIDE_PATH,
        ),
    ]
    value: Annotated[
        Any,
        field(
            "Its value in this run, in place of all that was there. Without one the field is as if nobody had said it. "
            "Where an input's address is another, the Pipeline's credentials for it do not come along."
        ),
    ] = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(f"self.path.matches('{path_pattern('Run', 'Pipeline')}')", REFUSED_OVERRIDE, field=".path"),
    )


class InputCredentials(Value, frozen=True, kw_only=True):
    """Other credentials for an input."""

    name: Annotated[str, field("The name of the input.", min_length=1, max_length=63)]
    secret: Annotated[SecretReference, field("The Secret with which it is read in this run.")]


class RunCredentials(Value, frozen=True, kw_only=True):
    """Credentials that are otherwise than in the Pipeline."""

    inputs: Annotated[tuple[InputCredentials, ...], field("Those of inputs.", keys=("name",), max_length=32)] = ()
    source: Annotated[SecretReference, field("Those of the git repository.")] | None = None


class RerunOf(Value, frozen=True, kw_only=True):
    """The run that this one repeats."""

    name: Annotated[ObjectName, field("The name of the run.")]
    from_: (
        Annotated[
            JobName,
            field(
                "The first job that is done again; those before it are `Reused`. Without it the first that did not "
                "succeed."
            ),
        ]
        | None
    ) = msgspec.field(default=None, name="from")
    until: (
        Annotated[JobName, field("The last job that is done again. Without it the last that the run had.")] | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.from) || !has(self.until) || self.from == self.until || self.from == 'dataset' || "
            "self.until == 'deployment' || (self.from == 'training' && self.until == 'testing')",
            "This job comes before the one in from; jobs are done in the order dataset, training, testing, deployment.",
            field=".until",
        ),
    )


class TriggeringEvent(Value, frozen=True, kw_only=True):
    """The event for which a run was made."""

    id: Annotated[str, field("Its id: the same event makes no second run.", min_length=1, max_length=256)]
    source: Annotated[str, field("Where it came from.", max_length=512)] | None = None
    type: Annotated[str, field("What kind of event it is.", max_length=256)] | None = None
    time: Annotated[Timestamp, field("When it was.")] | None = None


class MadeBy(Value, frozen=True, kw_only=True):
    """The Trigger that made a run, and for what."""

    name: Annotated[ObjectName, field("The Trigger.")]
    uid: Annotated[str, field("Its uid.", max_length=64)]
    generation: Annotated[int, field("The generation of its spec.", ge=0)] | None = None
    scheduled_time: Annotated[Timestamp, field("The moment for which the run was made.")] | None = None
    event: Annotated[TriggeringEvent, field("The event for which the run was made.")] | None = None


class PipelineRunSpec(Value, frozen=True, kw_only=True):
    """Which Pipeline is run, which of its jobs, and how."""

    pipeline_ref: Annotated[PipelineReference, field("The Pipeline that is run.")]
    execution_name: (
        Annotated[
            str,
            field(
                "A name for people. Where it is taken the run gets it with an index, as `test_2`; "
                "`status.executionName` says which. The run's own name, where it is not said.",
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
            "Which jobs are done; always in the order dataset, training, testing, deployment. All that the "
            "Pipeline describes, where none is named. With `rerunOf` that says which, and this how.",
            keys=("name",),
            max_length=len(JOBS),
        ),
    ] = ()
    parameters: Annotated[
        tuple[GivenParameter, ...],
        field(
            "Values of the Pipeline's parameters, for the dataset job. Those that have a default may be left out.",
            keys=("name",),
            max_length=MOST + 1,
        ),
    ] = ()
    overrides: Annotated[
        tuple[Override, ...],
        field("Fields of the Pipeline that have other values in this run.", keys=("path",), max_length=64),
    ] = ()
    storage: (
        Annotated[
            Storage,
            field("Where the files of this run are: results, candidates, logs, report. It never moves the datasets."),
        ]
        | None
    ) = None
    credentials: Annotated[RunCredentials, field("Secrets that are otherwise than in the Pipeline.")] | None = None
    rerun_of: Annotated[RerunOf, field("The run that this one repeats.")] | None = None
    mode: Annotated[
        Literal["Snapshot", "Debug"],
        field(
            "For a run that repeats one: with the operations as they were (`Snapshot`), or as they are edited now "
            "(`Debug`)."
        ),
    ] = "Snapshot"
    timeout: (
        Annotated[
            Duration,
            field("How long the run may take in all, as `12h`, from its first job's turn on; waiting counts."),
        ]
        | None
    ) = None
    trigger: Annotated[MadeBy, field("The Trigger that made the run, and for what. Nobody else sets it.")] | None = None
    suspend: Annotated[bool, field("Start no further job until it is false again; the one that runs goes on.")] = False
    cancel: Annotated[bool, field("End the run now. It cannot be taken back.")] = False

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.mode == 'Snapshot' || has(self.rerunOf)",
            "Mode Debug repeats a run with operations as they are now; name that run in rerunOf.",
            field=".mode",
        ),
        Rule(
            "!has(self.rerunOf) || !has(self.jobs) || self.jobs.all(job, !has(job.resetTesting))",
            "A run that repeats another begins no new testing set; apply a new run.",
            field=".jobs",
        ),
        Rule(
            "!has(self.rerunOf) || !has(self.jobs) || self.jobs.all(job, !has(job.profile))",
            "A run that repeats another keeps its profiles; say resources, or apply a new run.",
            field=".jobs",
        ),
        Rule(
            f"!has(self.timeout) || !self.timeout.matches('{NO_TIME}')",
            "This leaves the run no time; write one as 12h, or remove it.",
            field=".timeout",
        ),
        Rule("!oldSelf.cancel || self.cancel", "A run that was cancelled stays so; apply a new one.", field=".cancel"),
        *immutable(
            "A run is what it was; only suspend and cancel change, so apply a new run.",
            "pipelineRef",
            "executionName",
            "jobs",
            "parameters",
            "overrides",
            "storage",
            "credentials",
            "rerunOf",
            "mode",
            "timeout",
            "trigger",
        ),
    )


class StepTable(Value, frozen=True, kw_only=True):
    """A version of a table that a step wrote."""

    name: Annotated[Literal["training", "validation", "testing"], field("Which table.")]
    uri: Annotated[StatusUri, field("Where it is.")]
    version: Annotated[int, field("Its version.", ge=0)]
    rows: Annotated[int, field("How many rows it has.", ge=0)]
    digest: Annotated[str, field("A hash of its schema and rows, equal wherever the rows are.", max_length=72)]


class RemarkSummary(Value, frozen=True, kw_only=True):
    """What a person should know of the data; not an error."""

    code: Annotated[str, field("One word for programs, as `NumbersAsText`.", max_length=32)]
    message: Annotated[str, field("A sentence for people, cut where it is long.", max_length=LONGEST_REMARK)]


class DatasetSummary(Value, frozen=True, kw_only=True):
    """What the dataset step did."""

    epoch: Annotated[int, field("The epoch of the testing set.", ge=0)]
    generation: Annotated[int, field("The generation of the tables.", ge=0)]
    task: Annotated[Task, field("What kind of prediction it is.")]
    tables: Annotated[tuple[StepTable, ...], field("The tables, as they were read back.", keys=("name",), max_length=3)]
    rows_read: Annotated[int, field("How many rows the inputs had.", ge=0)]
    duplicates: Annotated[int, field("How many rows were dropped as exact copies.", ge=0)] = 0
    new: Annotated[int, field("How many testing points are new.", ge=0)] = 0
    changed: Annotated[int, field("How many testing points have another row than the one kept.", ge=0)] = 0
    vanished: Annotated[int, field("How many testing points are no longer in the input.", ge=0)] = 0
    retired: Annotated[int, field("How many testing points time has left behind so far.", ge=0)] = 0
    left_out: Annotated[
        int, field("How many points are in no table: of a group that is in testing, or in a gap of time.", ge=0)
    ] = 0
    remarked: Annotated[int, field("How many remarks were made of the data; the report has all.", ge=0)] = 0
    remarks: Annotated[tuple[RemarkSummary, ...], field("The first of the remarks.", max_length=MOST_REMARKS)] = ()


class TrainingSummary(Value, frozen=True, kw_only=True):
    """What became of the candidates."""

    total: Annotated[int, field("How many there were.", ge=0)]
    succeeded: Annotated[int, field("How many were scored.", ge=0)]
    failed: Annotated[int, field("How many failed; their rows say why.", ge=0)]
    candidates: Annotated[StatusUri, field("The table of all candidates.")]
    models: Annotated[tuple[ObjectName, ...], field("The best of the Models made, the best first.", max_length=20)] = ()


class TestedModel(Value, frozen=True, kw_only=True):
    """The scores of one Model on the testing set."""

    name: Annotated[ObjectName, field("The Model.")]
    points: Annotated[int, field("On how many points.", ge=0)]
    scores: Annotated[tuple[TestedScore, ...], field("Its scores.", keys=("name",), max_length=MOST_SCORES)] = ()


class NewPointScores(Value, frozen=True, kw_only=True):
    """The scores of the served Model on the testing points that are newer than it."""

    model: Annotated[ObjectName, field("The Model that was served.")]
    points: Annotated[int, field("How many points were labelled since its tables were made.", ge=0)]
    scores: Annotated[
        tuple[PlainScore, ...], field("Its scores on these.", keys=("name",), max_length=MOST_SCORES)
    ] = ()


class TestingSummary(Value, frozen=True, kw_only=True):
    """What testing found."""

    epoch: Annotated[int, field("The epoch of the testing set.", ge=0)]
    version: Annotated[int, field("Its version.", ge=0)]
    digest: Annotated[str, field("The hash of its rows.", max_length=72)] | None = None
    generation: Annotated[int, field("The generation of the tables that it is of.", ge=0)] | None = None
    points: Annotated[int, field("How many points it has.", ge=0)]
    report: Annotated[StatusUri, field("The report, an HTML file.")]
    models: Annotated[
        tuple[TestedModel, ...],
        field("The scores, of the best Models and the served one.", keys=("name",), max_length=6),
    ] = ()
    new_points: (
        Annotated[NewPointScores, field("The served Model on the testing points that are newer than it.")] | None
    ) = None
    own_errors: Annotated[
        tuple[Annotated[str, field("The scoring function.", max_length=63)], ...],
        field(
            "Those scoring functions of one's own that are errors, which people see as positive numbers.",
            max_length=MOST_SCORES,
        ),
    ] = ()


class DeploymentSummary(Value, frozen=True, kw_only=True):
    """What was decided, and why."""

    verdict: (
        Annotated[
            Verdict,
            field(
                "The verdict of the gate; none where there is no gate. The new Model is served of `First`, `Improved` "
                "and `NotWorse`; of `NotBetter`, `Undecided` and `NotComparable` only where `mustImprove` is not asked "
                "for; of `BelowMinimum`, `BelowBaseline`, `TooFewPoints` and `NoScore` never."
            ),
        ]
        | None
    ) = None
    challenger: Annotated[ObjectName, field("The Model that met the gate.")] | None = None
    against: Annotated[ObjectName, field("The Model that was served when it was decided.")] | None = None
    served: Annotated[ObjectName, field("The Model that is served after the decision.")] | None = None
    message: Annotated[str, field("The decision in a sentence.", max_length=1024)] | None = None


StepState = Literal["Pending", "Waiting", "Running", "Succeeded", "Failed", "Reused", "Skipped", "Cancelled"]


class StepTries(Value, frozen=True, kw_only=True):
    """How often the work of a step was tried: told here, since anybody may delete Jobs."""

    part: Annotated[str, field("Which Job of the step: its own, or `source`, which comes before it.", max_length=13)]
    number: Annotated[int, field("The number of the Job that is at work, or comes next.", ge=1, le=MOST_TRIES)] = 1
    failed: Annotated[
        int, field("How many of those before it failed; `retries.limit` is for these.", ge=0, le=MOST_TRIES)
    ] = 0
    interrupted: Annotated[
        int,
        field("How often its Job was deleted, or its pod before it began. That is no try.", ge=0, le=MOST_TRIES),
    ] = 0
    lost: Annotated[
        int, field("How many of those before it were done, and their result could not be read.", ge=0, le=MOST_TRIES)
    ] = 0
    memory: (
        Annotated[Quantity, field("How much memory it has as its limit, where that is more than the job's own.")] | None
    ) = None
    start_time: Annotated[StatusTime, field("When its Job was made.")] | None = None
    not_before: Annotated[StatusTime, field("Before when its Job is not made.")] | None = None


class Step(Value, frozen=True, kw_only=True):
    """One job of the run."""

    name: Annotated[JobName, field("Which job.")]
    state: Annotated[StepState, field("How far it is.")]
    reason: Annotated[str, field("Why, in one word.", max_length=64)] | None = None
    message: (
        Annotated[str, field("Why, in a sentence; the beginning of it, where it is long.", max_length=1024)] | None
    ) = None
    job_name: Annotated[ObjectName, field("The Job of Kubernetes.")] | None = None
    wait_start_time: (
        Annotated[StatusTime, field("Since when the API server refuses what it needs, for a quota or a right.")] | None
    ) = None
    tries: Annotated[StepTries, field("How often its work was tried.")] | None = None
    start_time: Annotated[StatusTime, field("When its first pod started.")] | None = None
    completion_time: Annotated[StatusTime, field("When it ended.")] | None = None
    dataset: Annotated[DatasetSummary, field("What the dataset step did.")] | None = None
    training: Annotated[TrainingSummary, field("What became of the candidates.")] | None = None
    testing: Annotated[TestingSummary, field("What testing found.")] | None = None
    deployment: Annotated[DeploymentSummary, field("What was decided, and why.")] | None = None

    rules: ClassVar[tuple[Rule, ...]] = tuple(
        Rule(
            f"!has(self.{job}) || self.name == '{job}'",
            f"Only the step {job} has the figures of {job}; remove them from the others.",
            field=f".{job}",
        )
        for job in JOBS
    )


class PipelineRunStatus(Value, frozen=True, kw_only=True):
    """What the run has done so far."""

    observed_generation: ObservedGeneration = None
    conditions: Conditions = ()
    execution_name: Annotated[str, field("The name that the run got.", max_length=63)] | None = None
    run_index: Annotated[int, field("The index in that name: 2 for `test_2`.", ge=1)] | None = None
    revision: (
        Annotated[ObjectName, field("The ControllerRevision that holds the Pipeline as this run took it.")] | None
    ) = None
    pipeline_uid: Annotated[str, field("The uid of the Pipeline.", max_length=64)] | None = None
    commit: (
        Annotated[
            str,
            field(
                "The commit that the source was at; with `-dirty` where it was a folder that had changes.",
                max_length=80,
            ),
        ]
        | None
    ) = None
    parameters: (
        Annotated[
            str,
            field(
                "The parameters that the run has, those by default too, as `asOf=2026-11-07, least=10`; the beginning, "
                "where they are long.",
                max_length=512,
            ),
        ]
        | None
    ) = None
    image_digest: Annotated[Digest, field("The digest of the image that the jobs ran in.")] | None = None
    storage: Annotated[StatusUri, field("Where the files of this run are.")] | None = None
    start_time: Annotated[Timestamp, field("When the run began.")] | None = None
    completion_time: Annotated[Timestamp, field("When it ended.")] | None = None
    steps: Annotated[
        tuple[Step, ...], field("The jobs of the run, in their order.", keys=("name",), max_length=len(JOBS))
    ] = ()
    notifications: Annotated[
        tuple[Delivery, ...],
        field(
            "Who was told of its end, or is to be.", keys=("name",), max_length=MOST_NOTIFICATIONS + MOST_OF_OPERATOR
        ),
    ] = ()


class PipelineRun(Value, frozen=True, kw_only=True):
    """One execution of a Pipeline: which of the four jobs, and how.

    It ends with the condition `Succeeded`, True or False. A run whose Model is not chosen has succeeded too, with the
    reason `ServedModelKept`.
    """

    api_version: Literal["penstock.dev/v1alpha1"]
    kind: Literal["PipelineRun"]
    metadata: ObjectMeta = ObjectMeta()
    spec: Annotated[
        PipelineRunSpec,
        field("Which Pipeline is run, which of its jobs, and how. Once applied, only suspend and cancel change."),
    ]
    status: Annotated[PipelineRunStatus, field("What the run has done so far.")] | None = None

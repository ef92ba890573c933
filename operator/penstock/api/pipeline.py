"""Pipeline: how to make a model, from tables to an API."""

from typing import Annotated, ClassVar, Literal

from penstock.api.addresses import stays_in_place
from penstock.api.conditions import Conditions, ObservedGeneration
from penstock.api.credentials import SecretReference
from penstock.api.dataset import Dataset
from penstock.api.deployment import Deployment
from penstock.api.gate_rules import GATE_RULES
from penstock.api.jobs import PipelineJob
from penstock.api.metadata import ObjectMeta
from penstock.api.notifications import MOST_EVENTS, MOST_NOTIFICATIONS, Notification, NotifiedEvent
from penstock.api.parameters import MOST, DeclaredParameter
from penstock.api.scalars import (
    GIT_URL,
    RELATIVE_PATH,
    REVISION,
    DottedPath,
    Duration,
    ObjectName,
    StatusUri,
    Timestamp,
)
from penstock.api.schema import JOBS, Rule, Value, field
from penstock.api.storage import Storage
from penstock.api.testing import Testing
from penstock.api.training import Training


class GitSource(Value, frozen=True, kw_only=True):
    """A folder of a git repository."""

    url: Annotated[
        str,
        field(
            "The repository, as `https://…`, `ssh://…` or `git@host:path`.",
            min_length=1,
            max_length=1024,
            pattern=GIT_URL,
        ),
    ]
    revision: Annotated[
        str,
        field(
            "A branch, a tag or a commit. Each run records the commit that it was at.",
            min_length=1,
            max_length=256,
            pattern=REVISION,
        ),
    ] = "HEAD"
    path: (
        Annotated[
            str,
            field(
                "The folder in the repository that is put on the import path.", max_length=512, pattern=RELATIVE_PATH
            ),
        ]
        | None
    ) = None
    credentials: Annotated[SecretReference, field("The Secret with which it is read.")] | None = None

    rules: ClassVar[tuple[Rule, ...]] = (stays_in_place("url"), stays_in_place("path"))


class Source(Value, frozen=True, kw_only=True):
    """One's own operations: estimators, transformers and scoring functions, in Python."""

    git: Annotated[GitSource, field("The git repository that holds them.")]


class Models(Value, frozen=True, kw_only=True):
    """What is common to the Models that this Pipeline makes."""

    storage: (
        Annotated[
            Storage,
            field("Where the files of the Models are; without it, under `models` in the Pipeline's storage."),
        ]
        | None
    ) = None
    deletion_policy: Annotated[
        Literal["Retain", "Delete"], field("What happens to the files of a Model that is deleted.")
    ] = "Retain"
    trusted_types: Annotated[
        tuple[DottedPath, ...],
        field(
            "Types, by dotted path, that a file of a Model may hold besides scikit-learn's own. They can run code "
            "when it is loaded: name only what you trust.",
            unique=True,
            max_length=128,
        ),
    ] = ()


class Logs(Value, frozen=True, kw_only=True):
    """What the jobs log, and how long it is kept."""

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], field("From which level on.")] = "INFO"
    format: Annotated[Literal["Text", "JSON"], field("Lines for people, or JSON for programs.")] = "Text"
    retention: (
        Annotated[
            Duration,
            field(
                "How long the logs of a run are kept in storage, as `30d`; as long as the run, where it is not said."
            ),
        ]
        | None
    ) = None


class Retention(Value, frozen=True, kw_only=True):
    """How much of the past is kept. What is served, pinned or referred to is never removed."""

    runs: (
        Annotated[
            int,
            field(
                "How many runs that Penstock made itself are kept; runs that a person applied always are.",
                ge=1,
                le=10000,
            ),
        ]
        | None
    ) = None
    models: Annotated[int, field("How many Models are kept.", ge=1, le=10000)] | None = None
    table_versions: Annotated[
        Duration,
        field("How long old versions of the tables are kept. A run can be reproduced only while its versions are."),
    ] = "90d"


class PipelineSpec(Value, frozen=True, kw_only=True):
    """How to make a model."""

    display_name: Annotated[str, field("A name for people.", max_length=128)] | None = None
    description: Annotated[str, field("What it is for.", max_length=4096)] | None = None
    parameters: Annotated[
        tuple[DeclaredParameter, ...],
        field(
            "Values that a run may give: bound variables of `dataset.query`, and segments of an input's `uri`.",
            keys=("name",),
            max_length=MOST,
        ),
    ] = ()
    source: (
        Annotated[Source, field("One's own operations. Without it, only what the images hold can be named.")] | None
    ) = None
    storage: (
        Annotated[
            Storage,
            field(
                "Where tables, results, reports and Models are kept. The place belongs to this Pipeline alone. "
                "Without "
                "it, on a laptop a folder is used, and on a cluster the operator's default storage."
            ),
        ]
        | None
    ) = None
    dataset: Annotated[Dataset, field("What is read, and which points are kept for testing.")] | None = None
    training: Annotated[Training, field("Which candidates are trained, and how they are ranked.")] | None = None
    testing: Annotated[Testing, field("How Models are scored on points that they never saw.")] | None = None
    deployment: Annotated[Deployment, field("Which Model is served, and how.")] | None = None
    jobs: Annotated[
        tuple[PipelineJob, ...],
        field(
            "How each job runs: one place for resources, time limits, GPUs and places to run.",
            keys=("name",),
            max_length=len(JOBS),
        ),
    ] = ()
    models: Annotated[Models, field("What is common to the Models that it makes.")] = Models()
    logs: Annotated[Logs, field("What the jobs log, and how long it is kept.")] = Logs()
    retention: Annotated[Retention, field("How much of the past is kept.")] = Retention()
    notifications: Annotated[
        tuple[Notification, ...],
        field(
            "Who is told when a run ends, a Model is selected, served, sent back or refused, or a Trigger stops; "
            "beside those whom who runs the operator has told of all Pipelines. One of the same name takes the place "
            "of theirs.",
            keys=("name",),
            max_length=MOST_NOTIFICATIONS,
        ),
    ] = ()

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.dataset) || (has(self.deployment) && has(self.deployment.model))",
            "A Pipeline has a dataset to make a model of, or deployment.model to serve one that is there; add one "
            "of the two.",
            field=".dataset",
        ),
        Rule(
            "!has(self.training) || has(self.dataset)",
            "Training needs a dataset to train on; add dataset.",
            field=".dataset",
        ),
        Rule(
            "!has(self.testing) || has(self.dataset)",
            "Testing needs a dataset to test on; add dataset.",
            field=".dataset",
        ),
        *GATE_RULES,
        *(
            Rule(
                "!has(self.training) || !has(self.training.features) || !has(self.training.features.include) || "
                f"!has(self.dataset) || {absent}!({column} in self.training.features.include)",
                f"The {name} cannot be a feature; take it out of training.features.include.",
                field=".training.features.include",
            )
            for name, column, absent in (
                ("target", "self.dataset.target.column", ""),
                ("weight", "self.dataset.weight", "!has(self.dataset.weight) || "),
            )
        ),
        Rule(
            "!has(self.deployment) || !has(self.deployment.decision) || !has(self.dataset) || "
            "!has(self.dataset.task) || self.dataset.task == 'Classification'",
            "A regression predicts numbers and has no threshold; remove deployment.decision.",
            field=".deployment",
        ),
        Rule(
            "!has(self.training) || self.training.calibration == 'None' || !has(self.dataset) || "
            "!has(self.dataset.task) || self.dataset.task == 'Classification'",
            "A regression has no probabilities to calibrate; remove training.calibration.",
            field=".training",
        ),
    )


class ServedModel(Value, frozen=True, kw_only=True):
    """A Model that is or was served, and when."""

    name: Annotated[ObjectName, field("The Model.")]
    start_time: Annotated[Timestamp, field("Since when it is served.")]
    end_time: Annotated[Timestamp, field("Until when it was.")] | None = None
    selected_by: (
        Annotated[
            str,
            field("The run that proposed it, or `deployment.model` where it was pinned by hand.", max_length=63),
        ]
        | None
    ) = None
    reason: Annotated[str, field("Why, in one word, as `First`, `Improved`, `Pinned`.", max_length=128)] | None = None
    revision: Annotated[str, field("The Deployment that serves it.", max_length=63)] | None = None


class TestingUse(Value, frozen=True, kw_only=True):
    """How often one epoch of the testing set has served to decide: the more often, the less its scores are worth.

    Its points stay from one version to the next, so that what an earlier version decided was decided by them.
    """

    epoch: Annotated[int, field("The epoch of the testing set.", ge=0)]
    version: Annotated[int, field("The newest version that a decision rested on.", ge=0)]
    digest: Annotated[str, field("The hash of the rows of that version.", max_length=128)] | None = None
    generation: (
        Annotated[int, field("The generation of that version: points that came later have decided nothing.", ge=0)]
        | None
    ) = None
    decisions: Annotated[int, field("How many decisions rested on the epoch.", ge=0)]


class PipelineStatus(Value, frozen=True, kw_only=True):
    """What the operator last saw of the Pipeline."""

    observed_generation: ObservedGeneration = None
    conditions: Conditions = ()
    served_model: Annotated[ServedModel, field("The Model that is served now.")] | None = None
    selected_model: (
        Annotated[ObjectName, field("The Model last selected; served again when `deployment.model` is removed.")] | None
    ) = None
    anchor_model: (
        Annotated[
            ObjectName,
            field(
                "The last Model that was served for being better, or first: a negative margin is measured against it. "
                "The Model itself says so in the annotation `penstock.dev/anchor-since`."
            ),
        ]
        | None
    ) = None
    url: Annotated[StatusUri, field("The address of the inference API inside the cluster.")] | None = None
    served_history: Annotated[
        tuple[ServedModel, ...], field("Who was served, from when to when; the newest first.", max_length=20)
    ] = ()
    testing_uses: Annotated[
        tuple[TestingUse, ...],
        field("How often each epoch of the testing set has served to decide; the newest first.", max_length=20),
    ] = ()
    latest_run: Annotated[ObjectName, field("The run that was started last.")] | None = None
    active_runs: Annotated[int, field("How many runs are live.", ge=0)] | None = None
    models: Annotated[int, field("How many Models there are.", ge=0)] | None = None
    notifications: Annotated[
        tuple[NotifiedEvent, ...],
        field("What was told of its Models, or is to be; the newest first.", keys=("id",), max_length=MOST_EVENTS),
    ] = ()


class Pipeline(Value, frozen=True, kw_only=True):
    """How to make a model, from raw tables to a tested API.

    It holds inputs, dataset rules, algorithms, scoring functions, deployment rules, and what each job is given.
    Applying it makes nothing yet: a PipelineRun, or a Trigger, runs it.
    """

    api_version: Literal["penstock.dev/v1alpha1"]
    kind: Literal["Pipeline"]
    metadata: ObjectMeta = ObjectMeta()
    spec: Annotated[PipelineSpec, field("How to make a model.")]
    status: Annotated[PipelineStatus, field("What the operator last saw.")] | None = None

"""Model: a saved model, which outlives its run and its Pipeline."""

from typing import Annotated, ClassVar, Literal

from penstock.api.addresses import stays_in_place
from penstock.api.conditions import Conditions, ObservedGeneration
from penstock.api.credentials import SecretReference
from penstock.api.dataset import ColumnType, Task
from penstock.api.metadata import ObjectMeta
from penstock.api.scalars import (
    HTTP,
    IMAGE,
    ColumnName,
    Digest,
    DottedPath,
    ObjectName,
    Share,
    StatusUri,
    Timestamp,
    Uri,
)
from penstock.api.schema import Rule, Value, field, immutable
from penstock.api.scores import Score, ValidationScore


class Feature(Value, frozen=True, kw_only=True):
    """A column that the Model asks for."""

    name: Annotated[ColumnName, field("The column.")]
    type: Annotated[ColumnType, field("Its type.")]
    nullable: Annotated[bool, field("Whether its value may be missing.")] = False


class ModelTarget(Value, frozen=True, kw_only=True):
    """What the Model predicts."""

    column: Annotated[ColumnName, field("The column that it was trained to predict.")]
    type: Annotated[ColumnType, field("Its type.")]
    classes: Annotated[
        tuple[Annotated[str, field("A class.", max_length=256)], ...],
        field("The classes, in the order of the probabilities.", max_length=1000),
    ] = ()
    positive: Annotated[str, field("The class that thresholds and scores are about.", max_length=256)] | None = None
    threshold: Annotated[Share, field("The probability from which the positive class is predicted.")] | None = None


class ModelParameter(Value, frozen=True, kw_only=True):
    """A hyper-parameter of the candidate, as a Python literal."""

    name: Annotated[str, field("Its name.", min_length=1, max_length=128)]
    value: Annotated[str, field("Its value, as Python writes it.", max_length=1024)]


class OriginPipeline(Value, frozen=True, kw_only=True):
    """The Pipeline that the Model came from, which may be gone."""

    name: Annotated[ObjectName, field("Its name.")]
    uid: Annotated[str, field("Its uid, where it is known.", max_length=64)] | None = None


class OriginRun(Value, frozen=True, kw_only=True):
    """The run that the Model came from, which may be gone."""

    name: Annotated[ObjectName, field("Its name, where it is known.")] | None = None
    uid: Annotated[str, field("Its uid.", max_length=64)]


class ModelOrigin(Value, frozen=True, kw_only=True):
    """Which candidate of which run of which Pipeline it is."""

    pipeline_ref: Annotated[OriginPipeline, field("The Pipeline.")]
    run_ref: Annotated[OriginRun, field("The run.")]
    execution_name: Annotated[str, field("The name of the run, for people.", max_length=63)]
    candidate: Annotated[str, field("The candidate.", max_length=128)]
    algorithm: Annotated[str, field("The algorithm's name in the Pipeline.", max_length=63)]
    estimator: Annotated[DottedPath, field("The estimator.")]
    parameters: Annotated[
        tuple[ModelParameter, ...], field("Its hyper-parameters.", keys=("name",), max_length=64)
    ] = ()
    seed: Annotated[int, field("The candidate's seed.", ge=0)]
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
    refit: Annotated[
        Literal["None", "TrainingAndValidation"], field("Whether it was fitted again before it was saved, and on what.")
    ] = "None"


class LineageTable(Value, frozen=True, kw_only=True):
    """The version of a table that was read."""

    uri: Annotated[Uri, field("Where the table is.")]
    version: Annotated[int, field("Its version.", ge=0)]
    digest: Annotated[str, field("The hash of its schema and rows.", max_length=128)] | None = None


class ModelLineage(Value, frozen=True, kw_only=True):
    """How the points were split when it was trained: enough to tell which testing points it never saw."""

    storage: Annotated[Uri, field("The storage of the tables.")]
    strategy: Annotated[Literal["Key", "Group", "Stratified", "Time"], field("The strategy of the split.")]
    key: Annotated[tuple[ColumnName, ...], field("The columns that identify a point.", max_length=16)] = ()
    group: Annotated[tuple[ColumnName, ...], field("The columns that make a group.", max_length=16)] = ()
    salt: Annotated[str, field("What the hash was salted with.", max_length=64)]
    epoch: Annotated[int, field("The epoch of the testing set.", ge=0)]
    generation: Annotated[int, field("The last generation whose testing points were already set apart.", ge=0)]
    testing_share: Annotated[Share, field("The share of the points that was kept for testing.")] | None = None
    trained_until: (
        Annotated[str, field("With strategy `Time`: the end of what training and validation held.", max_length=40)]
        | None
    ) = None
    training: Annotated[LineageTable, field("The training table.")]
    validation: Annotated[LineageTable, field("The validation table.")]
    testing: Annotated[LineageTable, field("The testing table, as it was at the time.")]


class ModelServing(Value, frozen=True, kw_only=True):
    """The file that the server loads."""

    format: Annotated[Literal["ONNX", "Skops"], field("Its format.")]
    file: Annotated[str, field("Its name in the folder.", min_length=1, max_length=256)]
    reason: Annotated[str, field("Why this one.", max_length=1024)] | None = None
    image: (
        Annotated[
            str,
            field(
                "The image of its servers where they need the libraries that it was trained with: by its digest, if "
                "the run knew it. `jobs[deployment].image` of the Pipeline goes before it.",
                min_length=1,
                max_length=512,
                pattern=IMAGE,
            ),
        ]
        | None
    ) = None


class ModelSpec(Value, frozen=True, kw_only=True):
    """What the Model is, complete. Nothing of it changes but `deletionPolicy`."""

    display_name: Annotated[str, field("A name for people.", max_length=128)] | None = None
    uri: Annotated[Uri, field("The folder of its files: `manifest.json`, `model.onnx`, `model.skops`.")]
    digest: Annotated[Digest, field("The digest of `manifest.json`, which holds those of the files.")]
    endpoint: (
        Annotated[str, field("The address of the S3 server, where it is not Amazon's.", max_length=512, pattern=HTTP)]
        | None
    ) = None
    region: Annotated[str, field("The region, where the server has several.", min_length=1, max_length=63)] | None = (
        None
    )
    credentials: Annotated[SecretReference, field("The Secret with which its files are read.")] | None = None
    task: Annotated[Task, field("What kind of prediction it makes.")]
    target: Annotated[ModelTarget, field("What it predicts.")]
    features: Annotated[tuple[Feature, ...], field("The columns that it asks for, in their order.", max_length=4096)]
    serving: Annotated[ModelServing, field("The file that the server loads.")]
    origin: Annotated[ModelOrigin, field("Which candidate of which run of which Pipeline it is.")]
    lineage: Annotated[ModelLineage, field("How the points were split when it was trained.")]
    validation_scores: Annotated[
        tuple[ValidationScore, ...], field("Its scores on validation; the first one ranked it.", max_length=17)
    ] = ()
    creation_time: Annotated[Timestamp, field("When it was saved.")]
    deletion_policy: Annotated[Literal["Retain", "Delete"], field("What happens to its files when it is deleted.")] = (
        "Retain"
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        stays_in_place("uri"),
        *immutable(
            "A Model is what it was when it was saved; only deletionPolicy changes.",
            "displayName",
            "uri",
            "digest",
            "endpoint",
            "region",
            "credentials",
            "task",
            "target",
            "features",
            "serving",
            "origin",
            "lineage",
            "validationScores",
            "creationTime",
        ),
    )


class TestingScores(Value, frozen=True, kw_only=True):
    """Its scores on one version of a testing set."""

    epoch: Annotated[int, field("The epoch of the testing set.", ge=0)]
    version: Annotated[int, field("Its version. Scores of different versions are never ranked together.", ge=0)]
    digest: Annotated[str, field("The hash of its schema and rows.", max_length=128)] | None = None
    points: Annotated[int, field("On how many points, of those that it never saw.", ge=0)]
    scores: Annotated[tuple[Score, ...], field("The first of its scores.", keys=("name",), max_length=10)]
    report: Annotated[StatusUri, field("The report.")] | None = None


class ModelStatus(Value, frozen=True, kw_only=True):
    """What is known of the Model since it was saved."""

    observed_generation: ObservedGeneration = None
    conditions: Conditions = ()
    testing: Annotated[
        tuple[TestingScores, ...],
        field("Its scores on testing sets; the newest first.", keys=("epoch", "version"), max_length=8),
    ] = ()
    served_by: Annotated[
        tuple[ObjectName, ...], field("The Pipelines that serve it now.", unique=True, max_length=16)
    ] = ()


class Model(Value, frozen=True, kw_only=True):
    """A saved model: its scores, its origin, where its files are. It outlives its run and its Pipeline."""

    api_version: Literal["penstock.dev/v1alpha1"]
    kind: Literal["Model"]
    metadata: ObjectMeta = ObjectMeta()
    spec: Annotated[ModelSpec, field("What the Model is, complete.")]
    status: Annotated[ModelStatus, field("What is known of it since it was saved.")] | None = None

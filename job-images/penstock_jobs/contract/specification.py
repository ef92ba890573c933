"""What a job is asked to do: one document, read from a file.

The operator (or the local runner) writes it and the job reads it; nothing else passes between them on the way in. It
knows nothing of Kubernetes, and holds no credential: it says only where the job finds them.

Durations are in seconds, sizes in bytes, shares are numbers in [0, 1]. Names are those of the manifests.
"""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from penstock_jobs.contract.document import Document, Form, VersionedDocument, format_of
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.remark_codes import RemarkCode
from penstock_jobs.contract.result import (
    Column,
    ColumnType,
    DatasetResult,
    ModelReference,
    Share,
    TableVersion,
    TrainingResult,
)
from penstock_jobs.contract.result import SplitSpec as SplitSpec  # told of what was made, asked for what is to be made

Task = Literal["Classification", "Regression"]

JOB = Form("job", 1, since="0.1.0")
SERVING = Form("serving", 1, since="0.1.0")


class JobDocument(VersionedDocument, frozen=True, kw_only=True):
    """What one job is asked to do; the field `job` says which."""

    form: ClassVar[Form] = JOB
    format: str = format_of(JOB)


# --- where things are -------------------------------------------------------------------------------------------------


class Credentials(Document, frozen=True):
    """Where a job finds the credentials of one artifact: a folder with one file a name, or environment variables.

    The names are `accessKeyId`, `secretAccessKey` and, optionally, `sessionToken`. `folder` is a mounted Secret;
    `environment` maps each name to the variable that holds it. `keys` maps those names to the names of the files.
    """

    folder: str | None = None
    environment: dict[str, str] = {}
    keys: dict[str, str] = {}


class Location(Document, frozen=True):
    """A folder (`file:///path`) or a prefix of a bucket (`s3://bucket/prefix`), and how to reach it."""

    uri: str
    endpoint: str | None = None
    region: str | None = None
    credentials: Credentials = Credentials()


class SourceSpec(Document, frozen=True):
    """A folder on the import path that holds the user's own operations, and the commit that it is at.

    Where there is an `archive` the folder is made of it, once its digest was checked.
    """

    folder: str
    commit: str | None = None
    archive: "ArchiveSpec | None" = None


class ArchiveSpec(Document, frozen=True):
    """A file `key` of a store, with the digest (`sha256:…`) that it must have."""

    location: Location
    key: str
    digest: str


class Run(Document, frozen=True):
    """Whose job this is. `uid` names everything that the run writes; the execution name is for people.

    `identity` is the same for an object of the same name that asks for the same, whatever its uid: a run that comes
    back from a backup. Where there is none, nobody looks for a run of before.
    """

    uid: str
    execution_name: str
    pipeline: str
    pipeline_uid: str
    identity: str | None = None


# --- source -----------------------------------------------------------------------------------------------------------


class SourceJob(JobDocument, frozen=True, tag="source", tag_field="job"):
    """Find the commit of a git repository, and put the folder at that commit into the run's storage as an archive.

    It is the one job that has the credentials of the repository, and it runs nothing of what is in it. `credentials`
    have `username` and `password`, or `ssh-privatekey`; `keys` maps these names to those of the files. `commit` is the
    one that was found before, where there is one.
    """

    run: Run
    run_storage: Location
    repository: str
    revision: str
    path: str | None = None
    commit: str | None = None
    credentials: Credentials = Credentials()
    threads: Annotated[int, Meta(ge=1)] = 1
    timeout: float | None = None


# --- dataset ----------------------------------------------------------------------------------------------------------


class InputSpec(Document, frozen=True):
    """One input table: a file, a folder or a glob at `location`, all of one format.

    `format` is guessed from the ending when it is not given. `types` gives a column the type that it should have,
    `date_format`, `decimal` and `thousands` say how dates and numbers are written where they are text.
    """

    name: str
    location: Location
    format: Literal["CSV", "JSONLines", "Parquet", "Delta"] | None = None
    delimiter: str | None = None
    null_values: tuple[str, ...] = ()
    date_format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    types: dict[str, ColumnType] = {}
    version: int | None = None


class TargetSpec(Document, frozen=True):
    """The column to predict; `positive` is the class that scores and thresholds are about."""

    column: str
    positive: str | bool | int | None = None


class ValidationSpec(Document, frozen=True):
    """How candidates are scored: on a holdout taken out of training, or on folds of it."""

    holdout: Share | None = None
    folds: Annotated[int, Meta(ge=2, le=100)] | None = None
    repeats: Annotated[int, Meta(ge=1, le=100)] = 1


class Expectation(Document, frozen=True):
    """What must hold of the rows that are read, or the generation is refused: one of its fields is given.

    `remark` is the code of a remark that must not be made, of `column` where that is given. `nulls` is the greatest
    share of rows in which the column has no value; `low` and `high` bound its numbers, ends included. `decrease` and
    `increase` bound how many rows were read, as a share of those of the generation before; `minimum` is the least.
    """

    column: str | None = None
    remark: RemarkCode | None = None
    nulls: Share | None = None
    low: float | None = None
    high: float | None = None
    decrease: Share | None = None
    increase: float | None = None
    minimum: int | None = None


class Shard(Document, frozen=True):
    """Which part of the inputs (by file) this pod takes, out of how many; `index` = `count` > 1 merges all parts."""

    index: int = 0
    count: int = 1

    @property
    def is_part(self) -> bool:
        """Whether this is one of several parts, and not all of them."""
        return self.index < self.count and self.count > 1


class RepeatedTables(Document, frozen=True):
    """The digests of the tables that an earlier run made, which are to be the same again; `run` is its name."""

    run: str
    training: str
    validation: str
    testing: str


class DatasetJob(JobDocument, frozen=True, tag="dataset", tag_field="job"):
    """Read the inputs and write the three tables under `<storage>/datasets`.

    `parameters` are bound in the query under their names; in the addresses they are already.
    `pinned_training` and `pinned_validation` are versions of those tables that a Model or a run still names: their
    files stay, however old. `reset_testing` begins a new testing set, unless one was begun for that word before.
    `repeated` are tables of which another generation is refused: nothing is committed then.
    """

    run: Run
    storage: Location
    run_storage: Location
    inputs: Annotated[tuple[InputSpec, ...], Meta(min_length=1)]
    target: TargetSpec
    split: SplitSpec
    validation: ValidationSpec
    query: str | None = None
    parameters: tuple[ParameterValue, ...] = ()
    task: Task | None = None
    key: tuple[str, ...] = ()
    weight: str | None = None
    updates: Literal["Freeze", "Refresh"] = "Freeze"
    reset_testing: str | None = None
    minimum_class_count: Annotated[int, Meta(ge=1)] = 1
    expect: tuple[Expectation, ...] = ()
    keep_versions: float = 90 * 86400.0
    pinned_training: tuple[int, ...] = ()
    pinned_validation: tuple[int, ...] = ()
    repeated: RepeatedTables | None = None
    shard: Shard = Shard()
    memory: int | None = None
    threads: Annotated[int, Meta(ge=1)] = 1
    timeout: float | None = None


# --- training ---------------------------------------------------------------------------------------------------------


class ScoringSpec(Document, frozen=True):
    """A scoring function: one of scikit-learn's by name, or the user's own by the dotted path `function`."""

    name: str
    function: str | None = None
    greater_is_better: bool = True
    response: Literal["predict", "predict_proba", "decision_function"] = "predict"
    average: str | None = None


class ParameterSpec(Document, frozen=True):
    """A hyper-parameter: `value` is fixed, `values` are searched, `low` and `high` bound a random draw.

    Values are Python values already (the manifest's literals have been read).
    """

    name: str
    value: Any = None
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False


class EarlyStoppingSpec(Document, frozen=True):
    """Stop fitting when a slice of the training points has not improved for `patience` epochs or rounds."""

    share: Share = 0.1
    patience: Annotated[int, Meta(ge=1)] = 10
    tolerance: float = 0.0001


class AlgorithmSpec(Document, frozen=True):
    """An estimator by its dotted path, with its hyper-parameters."""

    name: str
    estimator: str
    parameters: tuple[ParameterSpec, ...] = ()
    early_stopping: EarlyStoppingSpec | None = None
    scale: bool | None = None


class PreprocessingSpec(Document, frozen=True):
    """What is fitted before the estimator, inside the candidate's own Pipeline.

    `Automatic`: impute, scale where the estimator profits, one-hot encode strings. `None`: the columns as they are.
    `transformer` is the dotted path of the user's own, called without arguments.
    """

    strategy: Literal["Automatic", "None", "Custom"] = "Automatic"
    transformer: str | None = None
    numeric_imputation: Literal["mean", "median", "most_frequent"] = "median"
    maximum_categories: Annotated[int, Meta(ge=2)] = 50
    minimum_frequency: Annotated[int, Meta(ge=1)] | None = None


class SearchSpec(Document, frozen=True):
    """How the candidates are taken from the hyper-parameters: all of them, or `samples` of them at random."""

    strategy: Literal["Grid", "Random"] = "Grid"
    samples: Annotated[int, Meta(ge=1)] | None = None
    seed: int = 0


class DecisionSpec(Document, frozen=True):
    """The probability from which the positive class is predicted: fixed, or tuned for a scoring on validation.

    `scoring` is what `tune` names, where the manifest says more of it than the name.
    """

    threshold: Share | None = None
    tune: str | None = None
    scoring: ScoringSpec | None = None


class TrainingJob(JobDocument, frozen=True, tag="training", tag_field="job"):
    """Train every candidate, score it, and save the best `keep` as Models.

    `generation` is the dataset's: the last one whose testing points were set apart before these tables were read.
    `split` and `identity` are the dataset's too, whatever the manifest says by now. `later_scoring` is what testing
    will score with: a mistake in it is refused before anything is trained.
    """

    run: Run
    storage: Location
    run_storage: Location
    models: Location
    training: TableVersion
    validation: TableVersion
    columns: tuple[Column, ...]
    task: Task
    target: TargetSpec
    split: SplitSpec
    testing: TableVersion
    validation_rule: ValidationSpec
    scoring: ScoringSpec
    algorithms: Annotated[tuple[AlgorithmSpec, ...], Meta(min_length=1)]
    generation: int = 0
    identity: tuple[str, ...] = ()
    search: SearchSpec = SearchSpec()
    also_scoring: tuple[ScoringSpec, ...] = ()
    later_scoring: tuple[ScoringSpec, ...] = ()
    features: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    preprocessing: PreprocessingSpec = PreprocessingSpec()
    keep: Annotated[int, Meta(ge=1, le=100)] = 1
    refit: Literal["None", "TrainingAndValidation"] = "None"
    calibration: Literal["None", "Sigmoid", "Isotonic"] = "None"
    decision: DecisionSpec = DecisionSpec()
    source: SourceSpec | None = None
    gpu: Literal["None", "Preferred", "Required"] = "None"
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    worker: Annotated[int, Meta(ge=0, le=255)] = 0
    processes: Annotated[int, Meta(ge=1)] = 1
    threads: Annotated[int, Meta(ge=1)] = 1
    memory: int | None = None
    trusted_types: tuple[str, ...] = ()
    timeout: float | None = None


# --- testing ----------------------------------------------------------------------------------------------------------


class SelectionSpec(Document, frozen=True):
    """The gate a challenger must pass: see `penstock.decide.selection`, which decides from what testing reports.

    `minimum`, `maximum` and `margin` are as a person writes them; `greater_is_better` is that of a scoring function of
    the user's own (an error of scikit-learn's is told by its name, `neg_…`).
    """

    scoring: str
    greater_is_better: bool = True
    minimum: float | None = None
    maximum: float | None = None
    must_improve: bool = False
    confidence: Share = 0.95
    margin: float = 0.0


class TestingJob(JobDocument, frozen=True, tag="testing", tag_field="job"):
    """Score Models on the testing set, and write the report. `served` is compared with them, and is not one of them.

    `anchor_name` is the anchor, where the gate asks for it and it is not the one served; `anchor` is None where it is
    gone. `models_storage` says how the Models' folders are reached, where not as the storage is. `decisions_so_far`
    counts the decisions that this epoch of the testing set has served before, and `decided_generation` is the newest
    generation of it that one of them rested on (None: nobody knows). What the steps before reported (`dataset_result`,
    `training_result`) and `created` (ISO 8601, when the run began) are only for the report. `segments` are columns;
    scores are also made for each of their values. `split` and `identity` are those that the tables were made with.
    """

    run: Run
    storage: Location
    run_storage: Location
    testing: TableVersion
    training: TableVersion
    validation: TableVersion
    columns: tuple[Column, ...]
    task: Task
    target: TargetSpec
    split: SplitSpec
    models: tuple[ModelReference, ...]
    scoring: Annotated[tuple[ScoringSpec, ...], Meta(min_length=1)]
    served: ModelReference | None = None
    anchor: ModelReference | None = None
    anchor_name: str | None = None
    selection: SelectionSpec | None = None
    minimum_points: Annotated[int, Meta(ge=1)] = 100
    segments: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    decisions_so_far: int = 0
    decided_generation: int | None = None
    resamples: Annotated[int, Meta(ge=100)] = 2000
    seed: int = 0
    source: SourceSpec | None = None
    models_storage: Location | None = None
    dataset_result: DatasetResult | None = None
    training_result: TrainingResult | None = None
    created: str | None = None
    gpu: Literal["None", "Preferred", "Required"] = "None"
    threads: Annotated[int, Meta(ge=1)] = 1
    trusted_types: tuple[str, ...] = ()
    timeout: float | None = None


# --- cleaning ---------------------------------------------------------------------------------------------------------


class OwnedFolder(Document, frozen=True):
    """A folder whose files are to be deleted, if it is still what it was when that was written down.

    `proof` is the key of the file that says whose it is: it must contain `uid`, or have the digest (`sha256:…`). Where
    there is no such file, or another's, nothing is deleted. It goes last; with `beneath`, prefixes of keys, only these
    go, and it stays.
    """

    location: Location
    proof: str
    uid: str | None = None
    digest: str | None = None
    beneath: tuple[str, ...] = ()


class UnmadeModels(Document, frozen=True):
    """The Models of a run, where its training of so many workers came to no result: nobody was ever told of them."""

    models: Location
    run_storage: Location
    uid: str
    workers: Annotated[int, Meta(ge=1)] = 1


class CleaningJob(JobDocument, frozen=True, tag="cleaning", tag_field="job"):
    """Delete the files of what was deleted. It may be killed and started again at any moment."""

    folders: tuple[OwnedFolder, ...]
    unmade: tuple[UnmadeModels, ...] = ()
    threads: Annotated[int, Meta(ge=1)] = 1
    timeout: float | None = None


# --- looking ----------------------------------------------------------------------------------------------------------


class LookJob(JobDocument, frozen=True, tag="look", tag_field="job"):
    """See which files of an input are new or changed since the looks before, whose memory is at `memory`.

    `begin` counts the beginnings from which on files count: the first look under one takes all that are there as known.
    `dealt_with` is the id of the arrival about which all is done, so that the next one may be announced. It may be
    killed and started again at any moment.
    """

    input: InputSpec
    memory: Location
    begin: int
    dealt_with: str | None = None
    threads: Annotated[int, Meta(ge=1)] = 1
    timeout: float | None = None


RunJob = SourceJob | DatasetJob | TrainingJob | TestingJob
JobSpecification = RunJob | CleaningJob | LookJob


# --- serving ----------------------------------------------------------------------------------------------------------


class ServerSpec(VersionedDocument, frozen=True):
    """A Model's folder, the digest that its manifest must have, and the name and port it is served under."""

    form: ClassVar[Form] = SERVING

    location: Location
    name: str
    manifest_digest: str | None = None
    trusted_types: tuple[str, ...] = ()
    threshold: Share | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    threads: Annotated[int, Meta(ge=1)] = 1
    format: str = format_of(SERVING)

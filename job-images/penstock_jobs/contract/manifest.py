"""`manifest.json`: what a Model is. Written last, it is the commit of a Model; without it the folder is not one."""

from typing import Any, ClassVar, Literal

from penstock_jobs.contract.document import Document, Form, VersionedDocument
from penstock_jobs.contract.reading import InputReading
from penstock_jobs.contract.result import ColumnType, ScoreResult

MODEL = Form("model", 1, since="0.1.0")
FORMAT = MODEL.name


class FeatureSpec(Document, frozen=True):
    """An input of the Model, in order. `categories` are those seen in training, where it is a string.

    `null_texts` mean null to the Model: the empty text, where the training table has none. A number that one of them
    is means null too.
    """

    name: str
    type: ColumnType
    nullable: bool = False
    categories: tuple[str, ...] = ()
    null_texts: tuple[str, ...] = ()


class Lineage(Document, frozen=True):
    """How the points were split when the Model was trained: enough to tell which testing points it never saw.

    The draws of any point can be made again from its identity with `salt`, `epoch` and the shares; the versions name
    the tables that were read; `generation` is the last one whose testing points were already set apart. `identity` are
    the columns that identify a point, in order and each with its type: others give other identities. With strategy
    `Time`, `trained_until` is the end (ISO 8601, exclusive) of what training and validation hold. `hashing` is the
    version of the rule by which identities and draws are made of values.
    """

    storage: str
    strategy: Literal["Key", "Group", "Stratified", "Time"]
    key: tuple[str, ...]
    salt: str
    epoch: int
    testing_share: float
    generation: int
    training_uri: str
    training_version: int
    training_digest: str
    validation_uri: str
    validation_version: int
    validation_digest: str
    testing_uri: str
    testing_version: int
    group: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    trained_until: str | None = None
    hashing: int = 1


class Origin(Document, frozen=True):
    """Which candidate of which run of which Pipeline this is."""

    pipeline: str
    run_uid: str
    execution_name: str
    candidate: str
    algorithm: str
    estimator: str
    parameters: dict[str, Any]
    seed: int
    commit: str | None = None
    refit: Literal["None", "TrainingAndValidation"] = "None"


class ServedFile(Document, frozen=True):
    """The file that the server loads, and why that one."""

    format: Literal["ONNX", "skops"]
    file: str
    reason: str


class Sample(Document, frozen=True):
    """A row and what the Model answers to it: the server checks one at start, and shows it as an example."""

    row: dict[str, Any]
    prediction: Any
    probabilities: tuple[float, ...] = ()


class ModelManifest(VersionedDocument, frozen=True):
    """A Model, complete: its files with their digests (`sha256:…`), its inputs and outputs, its origin, its scores.

    `classes` are in the order of the probabilities. `threshold`, where set, is applied by the server to the probability
    of `positive`, never by the file. `reading` says how the rows that it was made of were read: files and frames for it
    are read by the same rules. Manifests before it have none.
    """

    form: ClassVar[Form] = MODEL

    format: str
    name: str
    created: str
    task: Literal["Classification", "Regression"]
    target: str
    features: tuple[FeatureSpec, ...]
    files: dict[str, str]
    serving: ServedFile
    origin: Origin
    lineage: Lineage
    versions: dict[str, str]
    target_type: ColumnType
    classes: tuple[str | int | bool | float, ...] = ()
    positive: str | int | bool | float | None = None
    threshold: float | None = None
    threshold_tuned_for: str | None = None
    calibration: str = "None"
    validation: tuple[ScoreResult, ...] = ()
    samples: tuple[Sample, ...] = ()
    untrusted_types: tuple[str, ...] = ()
    reading: InputReading | None = None

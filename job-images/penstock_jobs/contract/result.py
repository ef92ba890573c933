"""What a job reports: one small JSON document, put in storage before it is anywhere else.

Counts, scores, digests and URIs only, so that it fits a termination message (4 KiB) in all but odd cases; what grows
with the data or with the grid stays in storage, and the result says where.
"""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from penstock_jobs.contract.document import Document, Form, VersionedDocument, format_of
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.reading import ColumnType as ColumnType  # the types of columns that are read and written
from penstock_jobs.contract.reading import InputReading

ColumnRole = Literal["Feature", "Key", "Group", "Time", "Weight", "Target"]
Strategy = Literal["Key", "Group", "Stratified", "Time"]
Share = Annotated[float, Meta(ge=0, le=1)]

RESULT = Form("result", 1, since="0.1.0")


class ResultDocument(VersionedDocument, frozen=True, kw_only=True):
    """What one job came to; the field `job` says which, or that it failed."""

    form: ClassVar[Form] = RESULT
    format: str = format_of(RESULT)


class Column(Document, frozen=True):
    """A column of the tables: its type, fixed at the first generation, and what it is for."""

    name: str
    type: ColumnType
    role: ColumnRole = "Feature"


class TableVersion(Document, frozen=True):
    """One version of one table, as it was read back.

    `digest` is a hash of the schema and the multiset of canonical rows, equal wherever the rows are equal, whatever the
    files. `classes` counts the points of each class (classification only).
    """

    uri: str
    version: int
    rows: int
    digest: str
    classes: dict[str, int] = {}


class SplitSpec(Document, frozen=True):
    """Which points go to the testing set. See `penstock_jobs.dataset` for each strategy's rule.

    `retired` says what becomes of the testing points that `Time` leaves behind: material to train on, or nobody's.
    """

    testing: Share
    strategy: Strategy = "Key"
    group_columns: tuple[str, ...] = ()
    time_column: str | None = None
    cutoff: str | None = None
    window: float | None = None
    gap: float = 0.0
    retired: Literal["Train", "Leave"] = "Train"
    salt: str = "penstock"


class SourceResult(ResultDocument, frozen=True, tag="source", tag_field="job"):
    """The commit that the user's own operations are at, and the archive of their folder, as the jobs will unpack it."""

    commit: str
    archive: str
    digest: str
    files: int


class LeakProof(Document, frozen=True):
    """The joins of the files as read back: how many points, and how many groups, are on both sides. Both are 0.

    Where retired points are trained on, training and validation are compared with the testing points that are not
    retired, and `retired_in_training` counts the others that they hold: no Model is tested on those any more.
    """

    points_in_common: int
    groups_in_common: int
    compared_training: int
    compared_testing: int
    retired_in_training: int = 0


class Remark(Document, frozen=True):
    """What a job decided or noticed that a person should know, and the way out; not an error.

    `code` is one word for programs, of `remark_codes`; `column` is what it is about where that is one column.
    """

    code: str
    message: str
    column: str | None = None


class DatasetResult(ResultDocument, frozen=True, tag="dataset", tag_field="job"):
    """What one generation of the tables did.

    `new`, `changed` and `vanished` count testing points: added now, whose row differs from the one kept, and no longer
    in the input. `duplicates` counts rows dropped as exact copies, `retired` the testing points that a time window left
    behind so far, `left_out` the points that are in no table: of a group that is in testing, or in a gap of time.
    `split` is the rule that the tables were made with, and `identity` the columns, in order and each with its type (`id
    Integer`), that identify a point in them: whoever reads the tables goes by these, since the manifest may have
    changed since. `parameters` are those of the run that read the inputs: the same inputs give the same rows only with
    the same ones. `statistics` is where the `TableStatistics` are.
    """

    training: TableVersion
    validation: TableVersion
    testing: TableVersion
    columns: tuple[Column, ...]
    task: Literal["Classification", "Regression"]
    epoch: int
    generation: int
    rows_read: int
    duplicates: int
    new: int
    changed: int
    vanished: int
    retired: int
    left_out: int
    leak_proof: LeakProof
    split: SplitSpec | None = None
    identity: tuple[str, ...] = ()
    parameters: tuple[ParameterValue, ...] = ()
    remarks: tuple[Remark, ...] = ()
    statistics: str | None = None


class DatasetPart(ResultDocument, frozen=True, tag="dataset-part", tag_field="job"):
    """What one shard read: where its rows are for the merging step, how many, and how they were read."""

    rows: int
    uri: str | None = None
    reading: InputReading | None = None


class ScoreResult(Document, frozen=True):
    """A score on scikit-learn's scale (greater is better), and the ends of its interval where there is one.

    What is needed to show it goes with it: `average` names how the scores of several classes became one, and
    `greater_is_better` is false for an error of the user's own (one of scikit-learn's is told by its name, `neg_…`).
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    average: str = ""
    greater_is_better: bool = True


class ModelReference(Document, frozen=True):
    """A saved Model: its name, its folder, the digest of its manifest, and the validation score that ranks it."""

    name: str
    uri: str
    digest: str
    candidate: str | None = None
    algorithm: str | None = None
    validation: ScoreResult | None = None


class CandidateRow(Document, frozen=True):
    """What became of one candidate: a row of the table of candidates.

    `scores` are on validation, the ranking one first; over several folds the value is their mean and `spread` their
    standard deviation. One that failed has `error` and no scores. The baseline looks at no feature; it is there to
    compare with, and never becomes a Model. `index` is the place in the search, and breaks ties.
    """

    candidate: str
    index: int
    algorithm: str
    estimator: str
    parameters: dict[str, Any]
    seed: int
    scores: tuple[ScoreResult, ...] = ()
    error: str | None = None
    baseline: bool = False
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    warnings: tuple[str, ...] = ()


class CandidateScore(Document, frozen=True):
    """The best candidates of one worker: enough to rank them against those of the other workers.

    Of equal scores the one that comes first in the search (`index`) is better, whichever worker had it.
    """

    candidate: str
    algorithm: str
    score: float
    index: int = 0


class TrainingResult(ResultDocument, frozen=True, tag="training", tag_field="job"):
    """What became of the candidates. Every row of the grid is in the table at `candidates`."""

    candidates: str
    total: int
    succeeded: int
    failed: int
    best: tuple[CandidateScore, ...]
    models: tuple[ModelReference, ...]
    warnings: tuple[str, ...] = ()


class NewPointsResult(Document, frozen=True):
    """The served Model on the testing points that are newer than it: labelled since its tables were made.

    A scoring function that gave no number on them has no entry in `scores`.
    """

    points: int
    scores: dict[str, float] = {}


class ModelScores(Document, frozen=True):
    """One Model's scores on the testing points that it may be judged by.

    `undefined` says of each scoring function that gave no number why it did not (there is no NaN in JSON). `new` is
    said of the Model that is served only.
    """

    model: str
    points: int
    scores: tuple[ScoreResult, ...]
    undefined: dict[str, str] = {}
    new: NewPointsResult | None = None


Verdict = Literal[
    "First",
    "Improved",
    "NotWorse",
    "NotBetter",
    "Undecided",
    "NotComparable",
    "BelowMinimum",
    "BelowBaseline",
    "TooFewPoints",
    "NoScore",
]
"""What the gate says of a challenger; `penstock_jobs.contract.gate` says when."""


class Comparison(Document, frozen=True):
    """The challenger against another Model, on the points that neither saw: difference = challenger - served.

    `served` is the other one: the Model that is served or, for a gate with a negative margin, the anchor.

    `low` and `high` are the bounds of the difference by the paired bootstrap, each one-sided at `confidence`. Where
    there are none, `reason` says why the two cannot be compared. Scores are on scikit-learn's scale.
    """

    challenger: str
    served: str
    scoring: str
    points: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    reason: str | None = None
    challenger_score: float | None = None
    served_score: float | None = None


class TestingResult(ResultDocument, frozen=True, tag="testing", tag_field="job"):
    """The scores of each Model, and what deployment decides by.

    `comparison` is with the Model that is served, where one is, and `anchor` with the anchor, where that is another.
    `baseline` is the deciding score, on the challenger's points, of answers that look at no feature; None where there
    is no gate, or no number. A verdict may rest on `minimum_points` or more. `generation` is that of the tables.
    """

    testing_version: int
    epoch: int
    digest: str
    points: int
    models: tuple[ModelScores, ...]
    report: str
    challenger: str | None = None
    comparison: Comparison | None = None
    anchor: Comparison | None = None
    baseline: float | None = None
    minimum_points: int = 1
    generation: int | None = None
    warnings: tuple[str, ...] = ()


class CleaningResult(ResultDocument, frozen=True, tag="cleaning", tag_field="job"):
    """How many files were deleted; those that were gone before are not counted."""

    files: int


class Arrival(Document, frozen=True):
    """Files that arrived or changed, and are announced together until somebody has dealt with them.

    `id` tells them from any others, and `time` is when they were announced first; `names` are the first of `count`.
    """

    id: str
    time: str
    count: int
    bytes: int
    names: tuple[str, ...] = ()


class LookResult(ResultDocument, frozen=True, tag="look", tag_field="job"):
    """What a look saw: how many files there are, and how many of them are new or changed and may still be written to.

    `first` is whether it took all as known, since there was no memory of a look before it.
    """

    files: int
    unsettled: int = 0
    first: bool = False
    arrival: Arrival | None = None


class EarlierResult(Document, frozen=True):
    """What a part of a run came to, when the run was another object, and when that was written."""

    part: str
    time: str
    result: SourceResult | DatasetResult | TrainingResult | TestingResult


class EarlierRun(ResultDocument, frozen=True, tag="earlier-run", tag_field="job"):
    """The run was executed before, as an object of another uid: all that is in storage of it, and nothing was done."""

    execution_name: str
    storage: str
    results: tuple[EarlierResult, ...] = ()


class Failure(ResultDocument, frozen=True, tag="failure", tag_field="job"):
    """A job that ended with a sentence for a person."""

    reason: str
    message: Annotated[str, Meta(max_length=4000)]


JobResult = (
    SourceResult
    | DatasetResult
    | DatasetPart
    | TrainingResult
    | TestingResult
    | CleaningResult
    | LookResult
    | EarlierRun
    | Failure
)

"""What training hands over to be saved."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from penstock_jobs.contract.manifest import FeatureSpec, Lineage, Origin
from penstock_jobs.contract.reading import InputReading
from penstock_jobs.contract.result import ColumnType, ScoreResult
from penstock_jobs.models.answers import Class

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FittedModel:
    """A fitted estimator and all that its manifest will say.

    Attributes:
        name: the Model's name, which is also its folder's.
        estimator: the fitted scikit-learn Pipeline of preprocessing and estimator, fitted on `inputs.model_frame`; it
        may be
            wrapped by a `CalibratedClassifierCV`. Its last step may be a skorch network.
        features: its inputs in order. `nullable` is found out when saving: it is whether the Model answers to a null.
        validation: the validation set, or what the candidate was validated on, as read from the table: at least the
            features. Every row of it is used to compare the saved file with the estimator.
        classes: in the order of the estimator's `classes_`; empty for regression.
        scores: on validation, the ranking one first.
        reading: how the rows that it was made of were read.
    """

    name: str
    estimator: Any
    features: tuple[FeatureSpec, ...]
    task: Literal["Classification", "Regression"]
    target: str
    target_type: ColumnType
    validation: "pd.DataFrame"
    origin: Origin
    lineage: Lineage
    classes: tuple[Class, ...] = ()
    positive: Class | None = None
    threshold: float | None = None
    threshold_tuned_for: str | None = None
    calibration: str = "None"
    scores: tuple[ScoreResult, ...] = ()
    reading: InputReading | None = None

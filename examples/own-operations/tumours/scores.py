"""What a wrong answer costs."""

import numpy as np
import numpy.typing as npt

MISSED_TUMOUR = 10.0
FALSE_ALARM = 1.0


def cost(
    y_true: npt.NDArray[np.str_], y_pred: npt.NDArray[np.str_], sample_weight: npt.NDArray[np.float64] | None = None
) -> float:
    """Return the mean cost of an answer; smaller is better, so the manifest says `greaterIsBetter: false`."""
    costs = np.where(y_true == y_pred, 0.0, np.where(y_true == "malignant", MISSED_TUMOUR, FALSE_ALARM))
    return float(np.average(costs, weights=sample_weight))

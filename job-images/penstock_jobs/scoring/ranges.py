"""Between which values a scoring function lies, on scikit-learn's scale (greater is better)."""

import math
import re

_SHARES = {
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "f1",
    "jaccard",
    "precision",
    "recall",
    "roc_auc",
    "top_k_accuracy",
}
_AVERAGES = re.compile("_(macro|micro|weighted|ovr|ovo|ovr_weighted|ovo_weighted)$")
_BELOW_ONE = {"d2_absolute_error_score", "d2_brier_score", "d2_log_loss_score", "explained_variance", "r2"}


def range_of(name: str) -> tuple[float, float]:
    """Return the least and the greatest value of scikit-learn's function of that name, infinite where there is none."""
    if _AVERAGES.sub("", name) in _SHARES:
        return 0.0, 1.0
    if name == "matthews_corrcoef":
        return -1.0, 1.0
    if name.startswith("neg_"):
        return -math.inf, 0.0
    if name in _BELOW_ONE:
        return -math.inf, 1.0
    return (0.0, math.inf) if name == "positive_likelihood_ratio" else (-math.inf, math.inf)

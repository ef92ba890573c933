"""scikit-learn's scoring functions by name, and the task that each is for.

They are listed here so that a name is checked where scikit-learn is not installed; a test compares with its own list.
"""

from penstock.api.dataset import Task

REGRESSION = frozenset(
    {
        "d2_absolute_error_score",
        "explained_variance",
        "neg_max_error",
        "neg_mean_absolute_error",
        "neg_mean_absolute_percentage_error",
        "neg_mean_gamma_deviance",
        "neg_mean_poisson_deviance",
        "neg_mean_squared_error",
        "neg_mean_squared_log_error",
        "neg_median_absolute_error",
        "neg_root_mean_squared_error",
        "neg_root_mean_squared_log_error",
        "r2",
    }
)
CLASSIFICATION = frozenset(
    {
        "accuracy",
        "average_precision",
        "balanced_accuracy",
        "d2_brier_score",
        "d2_log_loss_score",
        "f1",
        "f1_macro",
        "f1_micro",
        "f1_samples",
        "f1_weighted",
        "jaccard",
        "jaccard_macro",
        "jaccard_micro",
        "jaccard_samples",
        "jaccard_weighted",
        "matthews_corrcoef",
        "neg_brier_score",
        "neg_log_loss",
        "neg_negative_likelihood_ratio",
        "positive_likelihood_ratio",
        "precision",
        "precision_macro",
        "precision_micro",
        "precision_samples",
        "precision_weighted",
        "recall",
        "recall_macro",
        "recall_micro",
        "recall_samples",
        "recall_weighted",
        "roc_auc",
        "roc_auc_ovo",
        "roc_auc_ovo_weighted",
        "roc_auc_ovr",
        "roc_auc_ovr_weighted",
        "top_k_accuracy",
    }
)
CLUSTERING = frozenset(
    {
        "adjusted_mutual_info_score",
        "adjusted_rand_score",
        "completeness_score",
        "fowlkes_mallows_score",
        "homogeneity_score",
        "mutual_info_score",
        "normalized_mutual_info_score",
        "rand_score",
        "v_measure_score",
    }
)


def task_of(name: str) -> Task | None:
    """Return the task that a scoring function of scikit-learn is for, or None where it has none of that name."""
    return "Regression" if name in REGRESSION else "Classification" if name in CLASSIFICATION else None

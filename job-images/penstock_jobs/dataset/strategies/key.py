"""`Key`: a point is in testing when the draw of its own identity is below the share. Nothing else matters to it."""

from penstock_jobs.dataset.expressions import below, fold_below, hash_expression
from penstock_jobs.dataset.strategies.setting import Setting, Sides, holdout
from penstock_jobs.tables.columns import FOLD, POINT


def prepare(setting: Setting) -> Sides:
    """Return the side by the point's own draws."""
    split = setting.job.split
    testing = below(hash_expression("testing", split.salt, setting.epoch, POINT), split.testing)
    return Sides(
        f"CASE WHEN {testing} THEN 'testing' WHEN {fold_below(FOLD, holdout(setting))} THEN 'validation' ELSE "
        "'training' END"
    )

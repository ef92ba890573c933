"""`Key`: a point is in testing when the draw of its own identity is below the share. Nothing else matters to it."""

from penstock_jobs.dataset.expressions import below_expression, draw_expression, fold_below_expression
from penstock_jobs.dataset.strategies.setting import SideRule, SplitContext, holdout_share
from penstock_jobs.tables.columns import FOLD, POINT


def prepare(setting: SplitContext) -> SideRule:
    """Return the side by the point's own draws."""
    split = setting.job.split
    testing = below_expression(draw_expression("testing", split.salt, setting.epoch, POINT), split.testing)
    return SideRule(
        f"CASE WHEN {testing} THEN 'testing' "
        f"WHEN {fold_below_expression(FOLD, holdout_share(setting))} THEN 'validation' ELSE 'training' END"
    )

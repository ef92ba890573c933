"""`Group`: the side is the group's, by the draw of the group's identity, so that a group is never on two sides.

A group that testing holds already (drawn when the share was higher, or by a row that has changed its group since) keeps
its points out of training and validation: those that are not in testing themselves are left out of all tables.
"""

from penstock_jobs.contract.errors import Refused
from penstock_jobs.dataset.expressions import below_expression, draw_expression, fold_below_expression
from penstock_jobs.dataset.points import KEPT_GROUPS, KEPT_POINTS, POINTS
from penstock_jobs.dataset.strategies.setting import SideRule, SplitContext, holdout_share
from penstock_jobs.tables.columns import FOLD, GROUP, POINT


def prepare(setting: SplitContext) -> SideRule:
    """Return the side by the group's draws."""
    split = setting.job.split
    if not split.group_columns:
        raise Refused("The strategy Group needs spec.dataset.split.group.columns, the columns that make a group.")
    if setting.job.updates == "Refresh":
        setting.connection.execute(
            f"INSERT INTO {KEPT_GROUPS} SELECT DISTINCT {GROUP} FROM {POINTS} SEMI JOIN {KEPT_POINTS} USING ({POINT})"
        )
    testing = below_expression(draw_expression("testing", split.salt, setting.epoch, GROUP), split.testing)
    return SideRule(
        f"CASE WHEN {testing} THEN 'testing' WHEN {GROUP} IN (SELECT {GROUP} FROM {KEPT_GROUPS}) THEN 'left out' "
        f"WHEN {fold_below_expression(FOLD, holdout_share(setting))} THEN 'validation' ELSE 'training' END"
    )

"""Columns of the key that may have been meant as features."""

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts

_FEW = 50
_ROWS_OF_EACH = 20


def key_is_no_feature(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """One of several columns of the key has few values, so that it may have been meant as a feature too."""
    job = table.job
    name = facts.column.name
    if len(job.key) < 2 or name not in job.key or name in (*job.split.group_columns, job.split.time_column):
        return None
    if not 2 <= facts.distinct <= _FEW or facts.distinct * _ROWS_OF_EACH > table.rows:
        return None
    return Remark(
        code="KeyIsNoFeature",
        column=name,
        message=f"The column '{name}' is of the key and so no feature, and has {facts.distinct} different values; if a "
        "Model should know it, list it in spec.training.features.include with the others, or select it under another "
        "name as well in spec.dataset.query.",
    )

"""The columns of the key and of the group: without values, or of use as a feature."""

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts
from penstock_jobs.dataset.remarks.policies.wording import count_rows

_FEW = 50
_ROWS_OF_EACH = 20


def null_keys_or_groups(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """A column of the key or group has no value in some rows."""
    split = table.job.split
    is_group = facts.column.name in split.group_columns
    if not facts.nulls or not (is_group or facts.column.name in table.job.key):
        return None
    groups = [each for each in table.columns if each.column.name in split.group_columns]
    if is_group and not all(each.nulls for each in groups):
        return None  # a row with any value of its group is of the group that has that value and no other
    first = "" if facts.first_null is None else f", first in row {facts.first_null}"
    what = "spec.dataset.split.group" if is_group else "spec.dataset.key"
    meaning = (
        "a row without a group is a group of its own, so two that belong together may be on two sides"
        if is_group
        else "a missing value is taken for a value like any other, so rows that are equal in the rest of the key are "
        "one point"
    )
    return Remark(
        code="NullGroups" if is_group else "NullKeys",
        column=facts.column.name,
        message=f"The column '{facts.column.name}' ({what}) has no value in {count_rows(facts.nulls)}{first}; "
        f"{meaning}. Fill it in, or leave such rows out in spec.dataset.query.",
    )


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

"""Infinite numbers in a feature."""

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts
from penstock_jobs.dataset.remarks.policies.wording import count_rows
from penstock_jobs.tables.columns import quote_identifier


def infinite_values(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """A feature is infinite in some rows."""
    if not facts.infinite:
        return None
    name = quote_identifier(facts.column.name)
    first = "" if facts.first_infinite is None else f", first in row {facts.first_infinite}"
    return Remark(
        code="InfiniteValues",
        column=facts.column.name,
        message=f"The column '{facts.column.name}' is infinite in {count_rows(facts.infinite)}{first}; most estimators "
        "refuse such a value, and a score with one in testing may be undefined. Make it missing in spec.dataset.query "
        f"(CASE WHEN isfinite({name}) THEN {name} END), or leave such rows out (WHERE isfinite({name})).",
    )

"""Columns that tell nothing: without any value, or with one value in all rows. Many of them are one remark."""

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts
from penstock_jobs.dataset.remarks.policies.wording import list_names


def column_without_values(table: TableFacts) -> Remark | None:
    """Columns without a value in any row."""
    found = tuple(each for each in table.columns if table.rows and each.nulls == table.rows)
    if not found:
        return None
    verb = "has" if len(found) == 1 else "have"
    return Remark(
        code="AllNull",
        column=_only(found),
        message=f"{_columns(found)} {verb} no value in any row; {_way_out(found)}, or mend the input.",
    )


def columns_without_variety(table: TableFacts) -> Remark | None:
    """Features with the same value in all rows."""
    found = tuple(each for each in table.features if each.is_constant)
    if not found:
        return None
    verb = "has" if len(found) == 1 else "have"
    return Remark(
        code="Constant",
        column=_only(found),
        message=f"{_columns(found)} {verb} the same value in all rows and can tell nothing; {_way_out(found)}.",
    )


def _columns(found: tuple[ColumnFacts, ...]) -> str:
    names = list_names([each.column.name for each in found])
    return f"The column {names}" if len(found) == 1 else f"{len(found):,} columns ({names})"


def _only(found: tuple[ColumnFacts, ...]) -> str | None:
    return found[0].column.name if len(found) == 1 else None


def _way_out(found: tuple[ColumnFacts, ...]) -> str:
    return f"leave {'it' if len(found) == 1 else 'them'} out (spec.training.features.exclude)"

"""Row numbers and indexes that tools write, which look like data."""

import re

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts
from penstock_jobs.dataset.remarks.policies.wording import LEAVE_OUT, list_names

_UNNAMED = re.compile(r"Unnamed: [0-9]+(_level_[0-9]+)?|column[0-9]+|_c[0-9]+|level_[0-9]+|X\.?[0-9]*|\s*")


def row_numbers(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """A feature that counts the rows."""
    if not facts.counts_rows:
        return None
    return Remark(
        code="RowNumbers",
        column=facts.column.name,
        message=f"The feature '{facts.column.name}' has each whole number from {facts.least} to {facts.greatest} once, "
        "as a row number has; what it tells of these rows it tells of no other. If it names the rows, make it the key "
        f"(spec.dataset.key); otherwise {LEAVE_OUT}.",
    )


def unnamed_column(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """A feature whose name a tool made up."""
    if facts.column.role != "Feature" or not _UNNAMED.fullmatch(facts.column.name):
        return None
    return Remark(
        code="UnnamedColumn",
        column=facts.column.name,
        message=f"The feature '{facts.column.name}' has a name that tools give to a column without one; give it a name "
        f"in the input, or {LEAVE_OUT}.",
    )


def index_left_out(table: TableFacts) -> Remark | None:
    """Columns that are in no table, since pandas wrote them as the index of a data frame."""
    if not table.left_out:
        return None
    verb, they = ("is", "it") if len(table.left_out) == 1 else ("are", "they")
    return Remark(
        code="IndexLeftOut",
        column=table.left_out[0] if len(table.left_out) == 1 else None,
        message=f"{list_names(table.left_out)} {verb} left out: pandas writes the index of a data frame so, and {they} "
        f"{verb} no data. Give it a name of its own, in the file or in a query, to have it in the tables.",
    )

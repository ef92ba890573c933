"""The statistics of the columns as a document: put beside the run's results, and read by the report."""

from penstock_jobs.contract.column_statistics import ColumnStatistics, TableStatistics
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts

COLUMNS_KEY = "results/columns.json"


def statistics_document(facts: TableFacts) -> TableStatistics:
    """Return the document."""
    return TableStatistics(
        rows=facts.rows,
        sampled=facts.sampled,
        columns=tuple(_column(each) for each in facts.columns),
        left_out=facts.left_out,
    )


def _column(facts: ColumnFacts) -> ColumnStatistics:
    return ColumnStatistics(
        name=facts.column.name,
        type=facts.column.type,
        role=facts.column.role,
        nulls=facts.nulls,
        distinct=facts.distinct,
        estimated=facts.estimated,
        infinite=facts.infinite,
        least=_text(facts.least),
        greatest=_text(facts.greatest),
        frequent=facts.frequent,
    )


def _text(end: float | str | None) -> str | None:
    if end is None:
        return None
    return f"{end:.6g}" if isinstance(end, float) else str(end)

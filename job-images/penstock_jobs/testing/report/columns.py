"""The columns of the tables: what each holds, what was done with it, and what was remarked about the data."""

from dataclasses import dataclass

from penstock_jobs.contract.column_statistics import ColumnStatistics, TableStatistics
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.contract.result import ColumnType, Remark
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import format_share

MOST_COLUMNS = 500
_SHOWN_VALUES = 3
_AS_FEATURE: dict[ColumnType, str] = {
    "Integer": "feature: a number",
    "Float": "feature: a number",
    "Boolean": "feature: 0 or 1",
    "String": "feature: each text is a category",
    "Timestamp": "feature: seconds since 1970",
    "Date": "feature: days since 1970",
}
_BY_ROLE = {
    "Key": "identifies a point",
    "Group": "keeps the points of a group together",
    "Time": "tells the time of a point",
    "Weight": "says how much a point counts",
    "Target": "is predicted",
}


@dataclass(frozen=True)
class ColumnRow:
    """A column as the table of columns has it."""

    name: str
    type: str
    role: str
    nulls: str
    distinct: str
    values: str
    use: str


def column_rows(findings: Findings) -> list[ColumnRow]:
    """Return the first columns, those that are in no table last; none where the statistics are not there."""
    found = findings.statistics
    if found is None:
        return []
    features = {feature.name: feature for feature in findings.shown.manifest.features}
    rows = [_row(column, found, features) for column in found.columns[:MOST_COLUMNS]]
    index = "is the index of a data frame, and in no table"
    return rows + [ColumnRow(name, "", "", "", "", "", index) for name in found.left_out]


def columns_omitted(findings: Findings) -> int:
    """Return how many columns the table has no room for."""
    return 0 if findings.statistics is None else max(len(findings.statistics.columns) - MOST_COLUMNS, 0)


def statistics_note(findings: Findings) -> str:
    """Return in a sentence of which rows the table of columns tells."""
    found = findings.statistics
    if found is None:
        return ""
    whole = f"Of the {found.rows:,} rows that the last generation wrote"
    if found.sampled == found.rows:
        return f"{whole}: all of training and validation, and what is new in testing."
    return f"{whole}; different and frequent values are of a sample of {found.sampled:,}."


def remarks(findings: Findings) -> tuple[Remark, ...]:
    """Return all that was remarked about the data."""
    made = findings.job.dataset_result
    return () if made is None else made.remarks


def _row(column: ColumnStatistics, found: TableStatistics, features: dict[str, FeatureSpec]) -> ColumnRow:
    nulls = f"{column.nulls:,} ({format_share(column.nulls, found.rows)})" if column.nulls else "0"
    return ColumnRow(
        name=column.name,
        type=column.type,
        role=column.role,
        nulls=nulls,
        distinct=f"{'about ' if column.estimated else ''}{column.distinct:,}",
        values=_values(column, found),
        use=_use(column, features),
    )


def _values(column: ColumnStatistics, found: TableStatistics) -> str:
    infinite = f"; {column.infinite:,} infinite" if column.infinite else ""
    if column.frequent:
        shown = column.frequent[:_SHOWN_VALUES]
        return ", ".join(f"{each.value} ({format_share(each.rows, found.sampled)})" for each in shown)
    return f"{column.least} to {column.greatest}{infinite}" if column.least is not None else infinite.removeprefix("; ")


def _use(column: ColumnStatistics, features: dict[str, FeatureSpec]) -> str:
    fed = _AS_FEATURE[column.type] if column.name in features else ""
    if column.role == "Feature":
        return fed or "left out of the features"
    return f"{_BY_ROLE[column.role]}; {fed}" if fed else _BY_ROLE[column.role]

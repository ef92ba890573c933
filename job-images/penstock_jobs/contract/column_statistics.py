"""What each column of one generation holds: a small document beside the run's results, which the report shows."""

from typing import ClassVar

from penstock_jobs.contract.document import Document, Form, VersionedDocument, format_of
from penstock_jobs.contract.result import ColumnRole, ColumnType

COLUMNS = Form("columns", 1, since="0.1.0")


class FrequentValue(Document, frozen=True):
    """A value, as text, and in how many of the rows looked at it is."""

    value: str
    rows: int


class ColumnStatistics(Document, frozen=True):
    """A column of the rows that one generation wrote.

    `distinct` is how many different values it has: counted, or where `estimated` from a sample. `least` and `greatest`
    are of numbers, dates and times; `frequent` of text and truth values, from the rows of the sample.
    """

    name: str
    type: ColumnType
    role: ColumnRole
    nulls: int
    distinct: int
    estimated: bool = False
    infinite: int = 0
    least: str | None = None
    greatest: str | None = None
    frequent: tuple[FrequentValue, ...] = ()


class TableStatistics(VersionedDocument, frozen=True):
    """The columns of the rows that one generation wrote: of training, validation and what is new in testing.

    `sampled` is how many of the rows were looked at one by one; `left_out` names columns of the input that are in no
    table.
    """

    form: ClassVar[Form] = COLUMNS

    rows: int
    sampled: int
    columns: tuple[ColumnStatistics, ...]
    left_out: tuple[str, ...] = ()
    format: str = format_of(COLUMNS)

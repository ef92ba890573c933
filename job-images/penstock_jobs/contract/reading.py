"""How an input is read: all that was declared of it or had to be found out, once, and holds ever after.

It is recorded with the tables and in each Model, so that a text means the same value in the next generation, in
`penstock predict` and in a notebook. `penstock_jobs.reading` reads by it.
"""

from typing import Literal

from penstock_jobs.contract.document import Document

ColumnType = Literal["Integer", "Float", "Boolean", "String", "Timestamp", "Date"]
InputFormat = Literal["CSV", "JSONLines", "Parquet", "Delta"]


class ColumnReading(Document, frozen=True):
    """How one column is read.

    `date_format` (strptime's) is the form of its dates or moments in text; without it that is ISO 8601. `offset` says
    that some of its moments are written with an offset from UTC; those without are UTC. `nested` is the engine's type
    of a column of lists or objects, which only a query can take apart; it has no `type`.
    """

    name: str
    type: ColumnType | None = None
    date_format: str | None = None
    offset: bool = False
    nested: str | None = None


class InputReading(Document, frozen=True):
    """How the files of an input are read.

    Compression is told by the ending of each file. `delimiter`, `quote` (empty: quotation marks are marks like others)
    and `escape` are those of CSV; what is None is found out in the file. `null_texts` mean that a value is
    missing, in any format; `decimal` and `thousands` are the marks in numbers that are written as text.
    """

    format: InputFormat
    columns: tuple[ColumnReading, ...] = ()
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    null_texts: tuple[str, ...] = ("",)
    decimal: str = "."
    thousands: str | None = None

    def column(self, name: str) -> ColumnReading | None:
        """Return how the column of that name is read, None where it is not known."""
        return next((column for column in self.columns if column.name == name), None)

"""What was found out about the rows of one generation: all that a remark is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from penstock_jobs.contract.column_statistics import FrequentValue
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob, Task

NumberForm = Literal["Plain", "DecimalComma", "Thousands", "Ambiguous"]


@dataclass(frozen=True)
class NumberTexts:
    """Texts of which most are numbers, counted over all rows: the form, an example, and those that are none.

    `others` are the most frequent of those that are no number, with how often they are there; `first` is the one that
    comes first, in row `row` of the input.
    """

    form: NumberForm
    example: str
    present: int
    numbers: int
    others: tuple[FrequentValue, ...] = ()
    first: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class ColumnFacts:
    """One column: counts over all rows that were written, and what the rows of the sample look like.

    `is_declared` says that the manifest gives its type. `first_infinite` is a row of the input.
    `counts_rows` says that it has each whole number of a range once. `tells` is how well the column alone gives the
    target on rows that were set aside: an AUC, or a share of explained variance.
    """

    column: Column
    nulls: int = 0
    distinct: int = 0
    estimated: bool = False
    least: float | str | None = None
    greatest: float | str | None = None
    frequent: tuple[FrequentValue, ...] = ()
    is_declared: bool = False
    is_constant: bool = False
    infinite: int = 0
    first_infinite: int | None = None
    numbers: NumberTexts | None = None
    date_example: str | None = None
    counts_rows: bool = False
    tells: float | None = None


@dataclass(frozen=True)
class Twins:
    """How many of the testing rows that were compared have a row of training or validation equal in all but the key."""

    found: int
    compared: int


@dataclass(frozen=True)
class TableFacts:
    """The rows of one generation: how many, how many of them were looked at one by one, and each column.

    `classes` counts the points of each class on all sides. `left_out` names columns of the input that are in no table.
    """

    job: DatasetJob
    task: Task
    rows: int
    sampled: int
    columns: tuple[ColumnFacts, ...]
    classes: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    twins: Twins | None = None

    @property
    def features(self) -> tuple[ColumnFacts, ...]:
        """The columns that are for learning."""
        return tuple(each for each in self.columns if each.column.role == "Feature")

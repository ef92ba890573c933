"""What must hold of the rows that are read, or the dataset step is refused."""

from typing import Annotated, ClassVar, Literal

from penstock.api.scalars import PERCENT, ColumnName, Decimal, Share
from penstock.api.schema import Rule, Value, field
from penstock_jobs.contract.remark_codes import RemarkCode


class ExpectedRange(Value, frozen=True, kw_only=True):
    """The numbers that a column may have, ends included."""

    low: Annotated[Decimal, field('The least, as `"0"`.')] | None = None
    high: Annotated[Decimal, field('The greatest, as `"120"`.')] | None = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.low) || has(self.high)", "A range has an end at least; give low, high or both."),
    )


class ExpectedRows(Value, frozen=True, kw_only=True):
    """How many rows are read."""

    minimum: Annotated[int, field("So many at least.", ge=1)] | None = None
    decrease: (
        Annotated[Share, field("How many fewer than at the generation before they may be, as a share of those: `20%`.")]
        | None
    ) = None
    increase: (
        Annotated[
            str,
            field(
                "How many more than at the generation before they may be, in per cent of those: `150%`.",
                max_length=12,
                pattern=PERCENT,
            ),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.minimum) || has(self.decrease) || has(self.increase)",
            "Nothing is expected of the number of rows; give minimum, decrease or increase.",
        ),
    )


class Expectation(Value, frozen=True, kw_only=True):
    """One thing that must hold: no such remark, or a bound. Where it does not, the tables stay as they were."""

    remark: (
        Annotated[
            RemarkCode, field("The code of a remark that must not be made; with `column`, not about that column.")
        ]
        | None
    ) = None
    severity: Annotated[Literal["Refuse"], field("What becomes of the step: it is refused.")] = "Refuse"
    column: Annotated[ColumnName, field("The column that is meant.")] | None = None
    nulls: Annotated[Share, field("In how many of the rows the column may have no value, as `5%`.")] | None = None
    range: Annotated[ExpectedRange, field("The numbers that the column may have.")] | None = None
    rows: Annotated[ExpectedRows, field("How many rows are read.")] | None = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.remark), has(self.nulls), has(self.range), has(self.rows)].filter(given, given).size() == 1",
            "Each entry expects one thing; give exactly one of remark, nulls, range and rows.",
        ),
        Rule(
            "!(has(self.nulls) || has(self.range)) || has(self.column)",
            "Nulls and a range are of a column; name it.",
            field=".column",
        ),
        Rule(
            "!has(self.rows) || !has(self.column)",
            "The number of rows is of no column; remove column.",
            field=".column",
        ),
    )

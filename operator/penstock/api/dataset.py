"""The dataset step: what is read, and which points are kept for testing."""

from typing import Annotated, ClassVar, Literal

from penstock.api.addresses import FIRST_OF_ADDRESS, PART_OF_SEGMENT, stays_in_place
from penstock.api.credentials import SecretReference
from penstock.api.expectations import Expectation
from penstock.api.scalars import (
    ALL_OR_NOTHING,
    DATE,
    DATE_FORMAT,
    HTTP,
    INPUT_NAME,
    INPUT_URI,
    NO_TIME,
    ColumnName,
    Duration,
    Share,
)
from penstock.api.schema import Rule, Value, field

Task = Literal["Classification", "Regression"]
ColumnType = Literal["Integer", "Float", "Boolean", "String", "Timestamp", "Date"]


class ColumnTypeOf(Value, frozen=True, kw_only=True):
    """The type that a column is read as."""

    column: Annotated[ColumnName, field("The column.")]
    type: Annotated[ColumnType, field("Its type, whatever its text looks like.")]


class Input(Value, frozen=True, kw_only=True):
    """A table that is read: a file, a folder, or all the files that a glob names, of one format."""

    name: Annotated[
        str,
        field(
            "The name of the table, unique in the list; an SQL query knows it by this name.",
            min_length=1,
            max_length=63,
            pattern=INPUT_NAME,
        ),
    ]
    uri: Annotated[
        str,
        field(
            "Where it is: `s3://bucket/path/*.parquet`, `pvc://claim/path`, or a relative path: beneath the storage of "
            "the Pipeline on a cluster, beside the manifest on a laptop, which also knows `file:///path`. `*` stands "
            "for any part of a name, and `{asOf}`, between slashes, for the parameter of that name.",
            min_length=1,
            max_length=1024,
            pattern=INPUT_URI,
        ),
    ]
    format: (
        Annotated[
            Literal["CSV", "JSONLines", "Parquet", "Delta"],
            field("The format of the files. Without it the ending of their names tells."),
        ]
        | None
    ) = None
    delimiter: (
        Annotated[
            str,
            field("What separates the columns of a CSV file. Without it the file tells.", min_length=1, max_length=1),
        ]
        | None
    ) = None
    null_values: Annotated[
        tuple[Annotated[str, field("A text.", max_length=64)], ...],
        field(
            "Texts that mean that the value is missing, besides the empty one, as `NA`; in files of any format.",
            unique=True,
            max_length=32,
        ),
    ] = ()
    date_format: (
        Annotated[
            str,
            field(
                "How dates or moments are written where they are text, in strptime's directives, as `%d.%m.%Y`. "
                "Without it dates are ISO 8601, as `2026-05-31`, or of another form that only one reading fits.",
                min_length=4,
                max_length=64,
                pattern=DATE_FORMAT,
            ),
        ]
        | None
    ) = None
    decimal: (
        Annotated[
            Literal[".", ","], field("The mark before the fraction of a number that is text. Without it a point.")
        ]
        | None
    ) = None
    thousands: (
        Annotated[
            Literal[".", ",", " ", "'", "_", "\u00a0", "\u202f"],
            field("The mark between each three digits of a number that is text, as in `1.234,5`. Without it none."),
        ]
        | None
    ) = None
    types: Annotated[
        tuple[ColumnTypeOf, ...],
        field(
            "The types of columns that their text does not tell rightly, as a postal code that is no number; in files "
            "of any format.",
            keys=("column",),
            max_length=512,
        ),
    ] = ()
    version: (
        Annotated[
            int,
            field(
                "The version of a Delta table to read. Without it the newest is read, and recorded by the run.", ge=0
            ),
        ]
        | None
    ) = None
    endpoint: (
        Annotated[str, field("The address of the S3 server, where it is not Amazon's.", max_length=512, pattern=HTTP)]
        | None
    ) = None
    region: Annotated[str, field("The region, where the server has several.", min_length=1, max_length=63)] | None = (
        None
    )
    credentials: (
        Annotated[
            SecretReference,
            field("The Secret with which it is read; only jobs that read it, or look for its files, get it."),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        # A bare path is relative to the manifest's folder on a laptop, whose user may go up; the operator refuses it.
        stays_in_place("uri", "!self.uri.contains('://')"),
        Rule(
            f"!self.uri.matches('{PART_OF_SEGMENT}')",
            "A parameter is a whole segment of the address, between slashes, as s3://lake/{asOf}/rows.csv; name the "
            "folder so, or choose rows by it in dataset.query.",
            field=".uri",
        ),
        Rule(
            f"!self.uri.matches('{FIRST_OF_ADDRESS}')",
            "A parameter cannot be a bucket, a claim or a host; write which one it is.",
            field=".uri",
        ),
        Rule(
            "!has(self.version) || (has(self.format) && self.format == 'Delta')",
            "Only a Delta table has versions; set format to Delta or remove version.",
            field=".version",
        ),
        Rule(
            "!has(self.delimiter) || !has(self.format) || self.format == 'CSV'",
            "Only a CSV file has a delimiter; set format to CSV or remove delimiter.",
            field=".delimiter",
        ),
        Rule(
            "!has(self.dateFormat) || ((self.dateFormat.contains('%Y') || self.dateFormat.contains('%y')) && "
            "(self.dateFormat.contains('%j') || ((self.dateFormat.contains('%d') || self.dateFormat.contains('%-d')) "
            "&& (self.dateFormat.contains('%m') || self.dateFormat.contains('%-m') || "
            "self.dateFormat.contains('%b') || self.dateFormat.contains('%B')))))",
            "A date has a year, a month and a day; write the format of all three, as %d.%m.%Y.",
            field=".dateFormat",
        ),
        Rule(
            "!has(self.thousands) || self.thousands != (has(self.decimal) ? self.decimal : '.')",
            "One mark cannot be before the fraction and between the thousands; name two.",
            field=".thousands",
        ),
        Rule(
            "!has(self.delimiter) || !(has(self.decimal) && self.decimal == self.delimiter) && "
            "!(has(self.thousands) && self.thousands == self.delimiter)",
            "A mark in numbers cannot separate the columns too; set delimiter, decimal and thousands to marks that "
            "differ.",
            field=".delimiter",
        ),
        Rule(
            "self.uri.startsWith('s3://') || !(has(self.endpoint) || has(self.region) || has(self.credentials))",
            "An endpoint, a region and credentials are for s3:// inputs; remove them.",
        ),
    )


class Target(Value, frozen=True, kw_only=True):
    """The column to predict."""

    column: Annotated[ColumnName, field("The column. A point whose target is missing is refused.")]
    positive: (
        Annotated[
            int | str,
            field(
                'Of two classes the one that scores, thresholds and probabilities are about, as `"yes"`. Write a '
                "truth "
                'value in quotes: `"true"`.',
                text={"maxLength": 256},
            ),
        ]
        | None
    ) = None


class GroupSplit(Value, frozen=True, kw_only=True):
    """The columns that make a group."""

    columns: Annotated[
        tuple[ColumnName, ...],
        field(
            "Points that are equal in these columns stay together: on one side, all of them. A point that has no value "
            "in any of them is a group of its own.",
            unique=True,
            min_length=1,
            max_length=16,
        ),
    ]


class TimeSplit(Value, frozen=True, kw_only=True):
    """Where time divides training, validation and testing: a fixed `cutoff`, or a `window` that moves with the data."""

    column: Annotated[ColumnName, field("The column that holds the time of a point: a timestamp or a date.")]
    cutoff: (
        Annotated[
            str,
            field(
                "Points from this moment on are for testing, as `2026-01-01` or `2026-01-01T00:00:00Z`.",
                max_length=40,
                pattern=DATE,
            ),
        ]
        | None
    ) = None
    window: (
        Annotated[
            Duration,
            field(
                "Points of the last so long, counted back from the newest, are for testing, as `30d`. When the "
                "window "
                "moves on, older testing points are retired: no Model is tested on them any more."
            ),
        ]
        | None
    ) = None
    gap: Annotated[
        Duration,
        field("How much time is left out between training and validation, and between validation and testing."),
    ] = "0s"
    retired: Annotated[
        Literal["Train", "Leave"],
        field(
            "What becomes of testing points that a later cutoff or the window leaves behind. They stay in the testing "
            "table, and no Model is tested on them any more. `Train`: they are training or validation material from "
            "then on, so that a nightly run learns from what is new. `Leave`: nobody uses them."
        ),
    ] = "Train"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.cutoff) != has(self.window)",
            "Time divides at a fixed cutoff or by a moving window; give exactly one of the two.",
        ),
        Rule(
            f"!has(self.window) || !self.window.matches('{NO_TIME}')",
            "A window of no length leaves nothing for testing; write one as 30d.",
            field=".window",
        ),
    )


class Split(Value, frozen=True, kw_only=True):
    """Which points are kept for testing. The split is a function of a point's key: generating again never moves one."""

    testing: Annotated[
        Share,
        field(
            "The share of the points that go to the testing set, as `20%`. It is met in expectation, not exactly. "
            "With strategy `Time` it has no meaning."
        ),
    ] = "20%"
    strategy: Annotated[
        Literal["Key", "Group", "Stratified", "Time"],
        field(
            "`Key`: by a hash of the point's key. `Group`: by a hash of its group, which stays together. "
            "`Stratified`: each class has its quota, filled in the order of the hash; it depends on the history of "
            "generations. `Time`: what is newer is for testing."
        ),
    ] = "Key"
    group: Annotated[GroupSplit, field("What a group is; for strategy `Group`.")] | None = None
    time: Annotated[TimeSplit, field("Where time divides; for strategy `Time`.")] | None = None
    salt: Annotated[
        str,
        field(
            "What the hash is salted with. Another salt is another split: points of the old testing set would be "
            "trained on, so it can only change together with a reset.",
            min_length=1,
            max_length=64,
        ),
    ] = "penstock"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.strategy == 'Group') == has(self.group)",
            "Strategy Group needs group.columns, and no other strategy has a group; set both or neither.",
            field=".group",
        ),
        Rule(
            "(self.strategy == 'Time') == has(self.time)",
            "Strategy Time needs time.column and a cutoff or window, and no other strategy has a time; set both or "
            "neither.",
            field=".time",
        ),
        Rule(
            f"self.strategy == 'Time' || !self.testing.matches('{ALL_OR_NOTHING}')",
            "This leaves a side without any point; write a share between them, as 20%.",
            field=".testing",
        ),
    )


class Dataset(Value, frozen=True, kw_only=True):
    """What is read, what is predicted, and which points are kept for testing."""

    inputs: Annotated[
        tuple[Input, ...],
        field("The tables that are read. Several need a query.", keys=("name",), min_length=1, max_length=32),
    ]
    query: (
        Annotated[
            str,
            field(
                "SQL (DuckDB's) that makes one table of the inputs. It must give the same rows each time: only "
                "functions that DuckDB calls consistent are allowed, and the inputs by their names; a key is then "
                "required. `:asOf` is the parameter of that name, as a bound variable.",
                min_length=1,
                max_length=32768,
            ),
        ]
        | None
    ) = None
    target: Annotated[Target, field("What is predicted.")]
    task: (
        Annotated[
            Task,
            field("What kind of prediction it is. Required where the target does not tell, as with few integers."),
        ]
        | None
    ) = None
    key: Annotated[
        tuple[ColumnName, ...],
        field(
            "The columns that identify a point, none of them from a window function; a row without a value in any of "
            "them is refused. Without a key a point is identified by all its columns but the target, which cannot be "
            "where there are floating-point columns or a query.",
            unique=True,
            max_length=16,
        ),
    ] = ()
    weight: (
        Annotated[ColumnName, field("The column that says how much a point counts, in training and in scores.")] | None
    ) = None
    split: Annotated[Split, field("Which points are kept for testing.")] = Split()
    updates: Annotated[
        Literal["Freeze", "Refresh"],
        field(
            "What happens when the row of a testing point has changed in the input: `Freeze` keeps the first one, "
            "`Refresh` appends a revision, of which readers take the last. Its side never changes."
        ),
    ] = "Freeze"
    minimum_class_count: Annotated[
        int,
        field(
            "The fewest points of each class that training, validation and testing must each have; with fewer, the "
            "step is refused.",
            ge=1,
            le=1000000,
        ),
    ] = 1

    expect: Annotated[
        tuple[Expectation, ...],
        field(
            "What must hold of the rows that are read: no remark of a kind, or a bound on a column's values or on the "
            "number of rows. Where something does not hold the step is refused, and the tables stay as they were.",
            max_length=256,
        ),
    ] = ()

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.inputs.size() == 1 || has(self.query)",
            "Several inputs need a query that makes one table of them; add query or keep one input.",
            field=".query",
        ),
        Rule(
            "!has(self.query) || (has(self.key) && self.key.size() > 0)",
            "With a query the points need a key; name the columns that identify a row of its result.",
            field=".key",
        ),
        Rule(
            "!has(self.key) || !(self.target.column in self.key)",
            "The target cannot be part of the key; take it out of the key.",
            field=".key",
        ),
        Rule(
            "!has(self.weight) || self.weight != self.target.column",
            "The target cannot be the weight as well; name another column.",
            field=".weight",
        ),
        Rule(
            "!(has(self.split) && has(self.split.group)) || !(self.target.column in self.split.group.columns)",
            "The target cannot be part of the group; take it out of split.group.columns.",
            field=".split",
        ),
        Rule(
            "!has(self.task) || self.task == 'Classification' || !has(self.split) || self.split.strategy != "
            "'Stratified'",
            "Strategy Stratified gives each class its quota, and a regression has no classes; take another strategy.",
            field=".split",
        ),
        Rule(
            "!has(self.task) || self.task == 'Classification' || !has(self.target.positive)",
            "A regression has no positive class; remove target.positive.",
            field=".target",
        ),
    )

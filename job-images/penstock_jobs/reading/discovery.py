"""What the columns of text are: found out once, at the first generation, or for a column that comes later.

A sample says what each column can be. The whole is read as that; where a value does not fit, and where the sample had
no value, or two readings of it, the whole is asked. What then has two readings still is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import ColumnReading, ColumnType
from penstock_jobs.reading import expressions as sql
from penstock_jobs.reading.raw import RawTable
from penstock_jobs.tables.columns import quote_identifier

SAMPLE_ROWS = 4_096

# The forms of dates and moments beside ISO 8601 that are known by their looks: the year in four digits.
_YEAR_LAST = r"\d{1,2}[./-]\d{1,2}[./-]\d{4}"
_YEAR_FIRST = r"\d{4}[./-]\d{1,2}[./-]\d{1,2}"
_CLOCK = r"(?: \d{1,2}:\d\d(?::\d\d)?)?"
_ORDERS = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d")
_TIMES = ("", " %H:%M", " %H:%M:%S")
_FORMATS = tuple(order.format(mark) + time for order in _ORDERS for mark in "./-" for time in _TIMES)


@dataclass(frozen=True)
class Findings:
    """How each column is read, and which of them stand on a sample alone."""

    columns: tuple[ColumnReading, ...]
    sampled: tuple[str, ...] = ()


def discover(
    connection: duckdb.DuckDBPyConnection,
    table: RawTable,
    given: Mapping[str, ColumnType],
    date_format: str | None,
    *,
    whole: bool = False,
) -> Findings:
    """Return how each column of a table of text is read.

    Args:
        connection: where the table is read.
        table: CSV or JSON lines; the columns that its rules know are read as they say.
        given: the types that the manifest gives columns.
        date_format: the form of dates that the manifest gives the input.
        whole: ask all rows, not the sample.
    """
    found: dict[str, ColumnReading] = {}
    unknown: list[str] = []
    for name, stored in table.stored.items():
        known, kind = table.reading.column(name), given.get(name)
        if stored != "JSON" and stored != "VARCHAR":
            found[name] = ColumnReading(name=name, nested=stored)
        elif known is not None and known.type is not None and kind in (None, known.type):
            found[name] = known
        elif kind is not None and kind not in ("Date", "Timestamp"):
            found[name] = ColumnReading(name=name, type=kind)
        else:
            unknown.append(name)
    if unknown:
        rows = table.relation if whole else f"(SELECT * FROM {table.relation} LIMIT {SAMPLE_ROWS})"
        question = _Question(connection, table, rows, whole, date_format)
        found.update(question.answer({name: given.get(name) for name in unknown}))
    columns = tuple(found[name] for name in table.stored)
    return Findings(columns, () if whole else tuple(unknown))


@dataclass(frozen=True)
class _Question:
    """Rows that are asked what the columns are."""

    connection: duckdb.DuckDBPyConnection
    table: RawTable
    rows: str
    whole: bool
    date_format: str | None

    def answer(self, columns: Mapping[str, ColumnType | None]) -> dict[str, ColumnReading]:
        """Return how the columns are read; those of which the manifest gives a type are dates or moments."""
        looks = self._looks(list(columns))
        answers: dict[str, ColumnReading] = {}
        again: list[str] = []
        for name, kind in columns.items():
            found = self._reading(name, kind, looks[name])
            if found is None:
                again.append(name)
            else:
                answers[name] = found
        if again and not self.whole:
            everything = _Question(self.connection, self.table, self.table.relation, True, self.date_format)
            answers.update(everything.answer({name: columns[name] for name in again}))
        elif again:
            answers.update({name: ColumnReading(name=name, type="String") for name in again})
        return answers

    def _reading(self, name: str, kind: ColumnType | None, looks: "_Looks") -> ColumnReading | None:
        """Return how a column is read, None where it has no value to tell by."""
        if not looks.values:
            return None if kind is None or not self.whole else ColumnReading(name=name, type=kind)
        if kind is None and (plain := looks.plain_type()) is not None:
            return ColumnReading(name=name, type=plain, offset=looks.offset and plain == "Timestamp")
        if looks.own_format and self.date_format is not None:
            return _dated(name, kind, self.date_format)
        if looks.iso_moment and kind is not None:
            return ColumnReading(name=name, type=kind, offset=looks.offset and kind == "Timestamp")
        # Strings of JSON are text unless a person says otherwise.
        if looks.like_date and (kind is not None or self.table.stored[name] != "JSON"):
            return self._own_form(name, kind)
        return ColumnReading(name=name, type=kind or "String")

    def _own_form(self, name: str, kind: ColumnType | None) -> ColumnReading | None:
        """Return the one form that all dates of the column have; refuse a column that has several."""
        text = _text(self.table, name)
        tests = ", ".join(f"bool_and(({sql.as_moment(text, form)}) IS NOT NULL)" for form in _FORMATS)
        row = self._fetch(f"SELECT {tests} FROM {self.rows} WHERE {text} IS NOT NULL")
        forms = [form for form, fits in zip(_FORMATS, row, strict=True) if fits]
        if len(forms) > 1 and not self.whole:
            return None
        if len(forms) > 1:
            example = self._fetch(f"SELECT {text} FROM {self.rows} WHERE {text} IS NOT NULL LIMIT 1")[0]
            raise Refused(
                f"{self.table.words}: the dates of the column {name}, as {example}, can be read as {forms[0]} and as "
                f"{forms[1]}; say which it is in `dateFormat` of the input (spec.dataset.inputs), or that the column "
                "is String in its `types`."
            )
        return _dated(name, kind, forms[0]) if forms else ColumnReading(name=name, type=kind or "String")

    def _looks(self, names: Sequence[str]) -> dict[str, "_Looks"]:
        tests = [test for name in names for test in self._tests(name)]
        row = self._fetch(f"SELECT {', '.join(tests)} FROM {self.rows}")
        width = len(tests) // len(names)
        parts = (row[start : start + width] for start in range(0, len(row), width))
        return {name: _Looks(*(bool(each) for each in part)) for name, part in zip(names, parts, strict=True)}

    def _tests(self, name: str) -> Iterable[str]:
        """Return the expressions of the fields of `_Looks`, in their order."""
        rules, text = self.table.reading, _text(self.table, name)
        whole = (
            f"({sql.matches(text, sql.whole_pattern(rules))} AND {sql.as_number(text, 'BIGINT', rules)} IS NOT NULL)"
        )
        number = sql.matches(text, sql.number_pattern(rules))
        flag = sql.matches(text, sql.FLAG)
        date = f"({sql.matches(text, sql.DATE)} AND TRY_CAST({text} AS DATE) IS NOT NULL)"
        moment = f"({sql.matches(text, sql.MOMENT)} AND TRY_CAST({text} AS TIMESTAMPTZ) IS NOT NULL)"
        if self.table.stored[name] == "JSON":
            # A number of JSON is one in any notation, and a string none in any.
            kind = f"json_type({quote_identifier(name)})"
            string = f"{kind} = 'VARCHAR'"
            number = f"{kind} IN ('DOUBLE', 'BIGINT', 'UBIGINT')"
            whole = f"({number} AND {whole})"
            flag = f"{kind} = 'BOOLEAN'"
            date, moment = f"({string} AND {date})", f"({string} AND {moment})"
        own = "false" if self.date_format is None else f"({sql.as_moment(text, self.date_format)}) IS NOT NULL"
        looks = sql.matches(text, f"(?:{_YEAR_LAST}|{_YEAR_FIRST}){_CLOCK}")
        yield f"count({text}) > 0"
        for test in (whole, number, flag, date, moment, own, looks):
            yield f"bool_and({test}) FILTER ({text} IS NOT NULL)"
        yield f"bool_or({number} AND NOT {sql.matches(text, sql.no_number_pattern())})"
        yield f"bool_or({sql.matches(text, sql.MOMENT_WITH_OFFSET)})"

    def _fetch(self, query: str) -> tuple[object, ...]:
        row = self.connection.execute(query).fetchone()
        if row is None:
            raise AssertionError("an aggregate has a row")
        return row


@dataclass(frozen=True)
class _Looks:
    """What all values of a column look like, and (the last two) what at least one does."""

    values: bool
    whole: bool
    number: bool
    flag: bool
    iso_date: bool
    iso_moment: bool
    own_format: bool
    like_date: bool
    some_number: bool
    offset: bool

    def plain_type(self) -> ColumnType | None:
        """Return the type that needs no form to be known."""
        if self.whole:
            return "Integer"
        if self.number and self.some_number:
            return "Float"
        if self.flag:
            return "Boolean"
        if self.own_format:  # before ISO 8601: %Y-%d-%m looks like it
            return None
        if self.iso_date:
            return "Date"
        return "Timestamp" if self.iso_moment else None


def _text(table: RawTable, name: str) -> str:
    column = quote_identifier(name)
    text = f"({column}->>'$')" if table.stored[name] == "JSON" else column
    return sql.without_null_texts(text, table.reading.null_texts)


def _dated(name: str, kind: ColumnType | None, form: str) -> ColumnReading:
    has_time = any(directive in form for directive in ("%H", "%I", "%M", "%S", "%-H", "%-I", "%z"))
    return ColumnReading(name=name, type=kind or ("Timestamp" if has_time else "Date"), date_format=form)

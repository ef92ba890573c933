"""Files as one relation of columns as they are stored: texts of CSV, values of JSON, typed columns of Parquet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import ColumnReading, InputReading
from penstock_jobs.reading import dialect
from penstock_jobs.reading.expressions import Expressions, read_as
from penstock_jobs.reading.values import EXACT_BITS
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.engine import explain_duckdb_errors, path_list

_SCALARS = ("BIGINT", "UBIGINT", "HUGEINT", "DOUBLE", "BOOLEAN")
_NESTED = ("STRUCT", "MAP", "UNION")


@dataclass(frozen=True)
class RawTable:
    """Files that can be read.

    Attributes:
        words: what they are, at the beginning of a sentence.
        relation: the SQL of their rows, columns as they are stored.
        located: the same with the file of each row, where that can be had.
        files: the files.
        stored: the engine's type of each column; JSON for a value of JSON as it stands.
        seen: what the engine takes each column of JSON lines for (`stored` elsewhere).
        reading: the rules that they are read by, the dialect of CSV among them; its columns are those known before.
    """

    words: str
    relation: str
    located: str | None
    files: tuple[Path, ...]
    stored: dict[str, str]
    seen: dict[str, str]
    reading: InputReading

    def read_as(self, column: ColumnReading) -> Expressions:
        """Return how a column of the table is read."""
        return read_as(column, self.reading, quote_identifier(column.name), self.stored[column.name])


def open_text(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], rules: InputReading, words: str
) -> RawTable:
    """Return CSV files or JSON lines as a table, its dialect found out where the rules do not say it."""
    files = tuple(files)
    with explain_duckdb_errors(words):
        if rules.format == "CSV":
            rules = dialect.find_dialect(connection, files, rules, words)
            options = ["union_by_name = true", "all_varchar = true", dialect.WHOLE_FILE, *dialect.options(rules)]
            relation, located = _calls("read_csv", files, options)
            stored = _describe(connection, relation)
            return RawTable(words, relation, located, files, stored, stored, rules)
        options = [_json_format(files[0]), "union_by_name = true"]
        seen = _describe(connection, _calls("read_json", files, options)[0])
        if list(seen) == ["json"]:
            raise Refused(f"{words} does not hold one JSON object a line, which is what is needed.")
        known = {column.name: column.nested for column in rules.columns if column.nested is not None}
        stored = {name: known.get(name) or _kept_type(kind) for name, kind in seen.items()}
        columns = ", ".join(f"{quote_literal(name)}: {quote_literal(kind)}" for name, kind in stored.items())
        relation, located = _calls("read_json", files, [options[0], f"columns = {{{columns}}}"])
        return RawTable(words, relation, located, files, stored, seen, rules)


def open_parquet(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], rules: InputReading, words: str
) -> RawTable:
    """Return Parquet files as a table."""
    relation, located = _calls("read_parquet", files, ["union_by_name = true"])
    return open_relation(connection, relation, rules, words, located, tuple(files))


def open_relation(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    rules: InputReading,
    words: str,
    located: str | None = None,
    files: tuple[Path, ...] = (),
) -> RawTable:
    """Return a relation whose columns have types as a table."""
    with explain_duckdb_errors(words):
        stored = _describe(connection, relation)
    return RawTable(words, relation, located, files, stored, stored, rules)


def select(table: RawTable, columns: Iterable[ColumnReading]) -> str:
    """Return the query of the columns as they are read; it fails with a misfit (`refuse_misfit`)."""
    listed = [f"{table.read_as(column).checked()} AS {quote_identifier(column.name)}" for column in columns]
    return f"SELECT {', '.join(listed)} FROM {table.relation}"


def as_written(table: RawTable, name: str) -> str:
    """Return the column as it is, for who hands it on: texts stay texts, numbers of JSON are numbers."""
    column, seen = quote_identifier(name), table.seen[name]
    if table.stored[name] != "JSON" or seen == "JSON":
        return column
    return f"CAST({column}->>'$' AS {seen})" if seen in _SCALARS else f"({column}->>'$')"


def is_misfit(error: duckdb.Error) -> bool:
    """Return whether a query of `select` failed since a value does not fit its column."""
    return isinstance(error, duckdb.InvalidInputException) and "misfit" in str(error)


def refuse_misfit(connection: duckdb.DuckDBPyConnection, table: RawTable, columns: Sequence[ColumnReading]) -> None:
    """Raise `Refused` with the first value that does not fit its column: where it is, and what would be read."""
    reads = [table.read_as(column) for column in columns]
    shown = [_shown(quote_identifier(column.name), table.stored[column.name]) for column in columns]
    rows = f"(SELECT row_number() OVER () AS _penstock_row, * FROM {table.located or table.relation})"
    bad = " OR ".join(f"NOT ({each.fits})" for each in reads)
    listed = ", ".join((*(each.fits for each in reads), *shown))
    found = connection.execute(f"SELECT _penstock_row, {listed} FROM {rows} WHERE {bad} LIMIT 1").fetchone()
    if found is None:
        return
    fitting, values = found[1 : len(columns) + 1], found[len(columns) + 1 :]
    column, value = next((c, v) for c, fits, v in zip(columns, fitting, values, strict=True) if not fits)
    where = _place(connection, table, rows, int(found[0]))
    raise Refused(f"{table.words}, {where}, column '{column.name}': {_misfit(column, str(value))}.")


def _place(connection: duckdb.DuckDBPyConnection, table: RawTable, rows: str, row: int) -> str:
    """Return where the row is that has this number in all files."""
    if table.located is None:
        return f"row {row}"
    query = (
        f"SELECT _penstock_file, count(*) FROM {rows} WHERE _penstock_row <= {row} GROUP BY ALL "
        "ORDER BY max(_penstock_row) DESC LIMIT 1"
    )
    found = connection.execute(query).fetchone() or ("", row)
    file, number = Path(str(found[0])), int(found[1])
    line = dialect.line_of_row(file, table.reading, number) if table.reading.format == "CSV" else None
    place = f"row {number}" if line is None else f"line {line}"
    return place if len(table.files) == 1 else f"{place} of {file.name}"


def _misfit(column: ColumnReading, value: str) -> str:
    shown = value if len(value) <= 60 else value[:57] + "…"
    if column.date_format is not None:
        return f"'{shown}' is not of the form {column.date_format}, in which its dates are written"
    words = {
        "Integer": "a whole number",
        "Float": "a number",
        "Boolean": "true or false",
        "Date": "a date, as 2026-05-31",
        "Timestamp": "a moment, as 2026-05-31T14:30:00Z",
    }
    if column.type == "Integer" and _is_too_large(value):
        return (
            f"'{shown}' is not exact, for two whole numbers can be that floating-point number; write it as whole "
            "numbers or as text where the file is made (a gap in a column makes floating-point numbers of it)"
        )
    field = "`dateFormat`" if column.type in ("Date", "Timestamp") else "`types`"
    return (
        f"'{shown}' is not {words[column.type or 'Integer']}; mend it, or say in the Pipeline how it is meant ({field} "
        "or `nullValues` of the input)"
    )


def _is_too_large(value: str) -> bool:
    try:
        return abs(float(value)) >= 2 ** EXACT_BITS["FLOAT"] and float(value).is_integer()
    except ValueError:
        return False


def _shown(name: str, stored: str) -> str:
    return f"{name}->>'$'" if stored == "JSON" else f"CAST({name} AS VARCHAR)"


def _calls(function: str, files: Sequence[Path], options: Sequence[str]) -> tuple[str, str]:
    """Return the call of a table function that reads the files, and the same with the file of each row."""
    arguments = ", ".join((path_list(files), *options))
    return f"{function}({arguments})", f"{function}({arguments}, filename = '_penstock_file')"


def _json_format(file: Path) -> str:
    """Return how the objects follow each other: a line each, or all of them in one array."""
    if file.suffix == ".zst":
        return "format = 'newline_delimited'"
    with dialect.open_characters(file) as text:
        beginning = text.read(4096).lstrip()
    return "format = 'array'" if beginning.startswith("[") else "format = 'newline_delimited'"


def _describe(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def _kept_type(seen: str) -> str:
    """Return the type that a column of JSON lines is read with: lists and objects as the engine finds them."""
    return seen if seen.endswith("]") or seen.startswith(_NESTED) else "JSON"

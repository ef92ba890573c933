"""Whether a text file reads as the table it looks like: what the engine would mend in silence is refused here."""

import csv
import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.tables.columns import quote_literal
from penstock_jobs.tables.engine import path_list

# Left to itself the engine takes rows that begin with # for remarks, and lines above the widest part for a title.
WHOLE_FILE = "header = true, comment = '', skip = 0"

_DELIMITERS = (",", ";", "\t", "|")


def check_header(connection: duckdb.DuckDBPyConnection, file: Path, what: str, delimiter: str | None) -> None:
    """Refuse a CSV file whose header names a column twice, or whose rows do not have the header's number of values.

    Args:
        connection: what reads the first line.
        file: a CSV file, compressed or not.
        what: the file in words, at the beginning of a sentence.
        delimiter: between values, where it is known.
    """
    names = _header(connection, file, delimiter)
    known: dict[str, str] = {}
    for name in names:
        if name.lower() in known:
            first = known[name.lower()]
            same = f"'{name}'" if first == name else f"'{first}' and '{name}', which differ in case only"
            raise Refused(f"{what} has two columns named {same}; give each a name of its own.")
        known[name.lower()] = name
    if len(names) == 1 and delimiter is None:
        guess = max(_DELIMITERS, key=names[0].count)
        if guess in names[0]:
            raise Refused(f"{what} does not read as a table: {_explain_ragged(file, guess)}")


def _header(connection: duckdb.DuckDBPyConnection, file: Path, delimiter: str | None) -> list[str]:
    options = "header = false, all_varchar = true, comment = '', skip = 0"
    if delimiter is not None:
        options += f", delim = {quote_literal(delimiter)}"
    query = f"SELECT * FROM read_csv({path_list([file])}, {options}) LIMIT 1"
    row = connection.execute(query).fetchone()
    if row is None:
        raise Refused(f"{file.name} is empty; its first line must name the columns.")
    return [name for name in row if name]


def _explain_ragged(file: Path, delimiter: str) -> str:
    if file.suffix == ".zst":
        return "its rows have different numbers of values, or its `delimiter` must be set."
    with _open_text(file) as text:
        rows = csv.reader(text, delimiter=delimiter)
        width = len(next(rows))
        for row in _skip_empty(rows):
            if len(row) != width:
                return (
                    f"line {rows.line_num} has {_count_words(len(row))} and the first line, "
                    f"which names the columns, has {width}; mend the file."
                )
    return "its values are not told apart; set the `delimiter` of the input."


@contextmanager
def _open_text(file: Path) -> Iterator[TextIO]:
    with (
        gzip.open(file, "rt", encoding="utf-8-sig", errors="replace", newline="")
        if file.suffix == ".gz"
        else file.open(encoding="utf-8-sig", errors="replace", newline="")
    ) as text:
        yield text


def _skip_empty(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    return (row for row in rows if row)


def _count_words(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"

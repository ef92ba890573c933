"""The dialect of CSV files, and whether they read as tables: what the engine would mend in silence is refused here."""

import csv
import gzip
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

import duckdb
import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import InputReading
from penstock_jobs.reading.formats import is_tabbed
from penstock_jobs.tables.columns import quote_literal
from penstock_jobs.tables.engine import path_list

# Left to itself the engine takes rows that begin with # for remarks, and lines above the widest part for a title.
WHOLE_FILE = "header = true, comment = '', skip = 0"

_DELIMITERS = (",", ";", "\t", "|")


def find_dialect(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], rules: InputReading, what: str
) -> InputReading:
    """Return the rules with the dialect of the files; refuse files that are not tables of it.

    What the rules do not say of the dialect yet is found out in the first file.

    Args:
        connection: what reads the files.
        files: CSV files, compressed or not.
        rules: how they are read, as far as it is known.
        what: the files in words, at the beginning of a sentence.
    """
    if rules.delimiter is None:
        check_header(connection, files[0], what, None)
    if rules.delimiter is None or rules.quote is None:
        rules = _sniff(connection, files[0], rules)
    for file in files:
        check_header(connection, file, what, rules)
    if rules.delimiter in (rules.decimal, rules.thousands):
        raise Refused(
            f"{what} has '{rules.delimiter}' between its values and as a mark in its numbers; set `delimiter`, "
            "`decimal` and `thousands` of the input to marks that differ."
        )
    return rules


def options(rules: InputReading) -> list[str]:
    """Return the engine's options for a dialect that is known."""
    marks = (("delim", rules.delimiter), ("quote", rules.quote), ("escape", rules.escape))
    return [f"{name} = {quote_literal(mark)}" for name, mark in marks if mark is not None]


def line_of_row(file: Path, rules: InputReading, row: int) -> int | None:
    """Return the line of a CSV file on which a row, from 1, ends; None where that is not known."""
    if file.suffix == ".zst" or not rules.delimiter:
        return None
    with open_characters(file) as text:
        rows = csv.reader(
            text,
            delimiter=rules.delimiter,
            quotechar=rules.quote or '"',
            quoting=csv.QUOTE_MINIMAL if rules.quote else csv.QUOTE_NONE,
        )
        for _ in islice(_skip_empty(rows), row + 1):
            pass
        return rows.line_num


def _sniff(connection: duckdb.DuckDBPyConnection, file: Path, rules: InputReading) -> InputReading:
    given = rules.delimiter or ("\t" if is_tabbed(file.name) else None)
    delimiter, quote, escape = _sniff_marks(
        connection, file, "" if given is None else f"delim = {quote_literal(given)}"
    )
    if quote is None:
        # No value needed a quotation mark so far. One that comes later is one, unless the marks that are there are not.
        try:
            _, quote, escape = _sniff_marks(connection, file, f"delim = {quote_literal(delimiter)}, quote = '\"'")
        except duckdb.Error:
            return msgspec.structs.replace(rules, delimiter=delimiter, quote="", escape="")
    return msgspec.structs.replace(rules, delimiter=delimiter, quote=quote or '"', escape=escape or quote or '"')


def _sniff_marks(connection: duckdb.DuckDBPyConnection, file: Path, given: str) -> tuple[str, str | None, str | None]:
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        # The sniffer takes * and ? in a path for patterns, and has no way to say that they are none.
        plain = Path(folder, f"sniffed{''.join(file.suffixes[-2:])}")
        plain.symlink_to(file.absolute())
        arguments = ", ".join(filter(None, (quote_literal(str(plain)), WHOLE_FILE, "all_varchar = true", given)))
        row = connection.execute(f"SELECT delimiter, quote, escape FROM sniff_csv({arguments})").fetchone()
    if row is None:
        raise AssertionError("a file is sniffed in one row")
    delimiter, quote, escape = (None if mark == "(empty)" else str(mark) for mark in row)
    return delimiter or ",", quote, escape


def check_header(connection: duckdb.DuckDBPyConnection, file: Path, what: str, known: InputReading | None) -> None:
    """Refuse a CSV file whose header names a column twice, or whose rows do not have the header's number of values.

    Args:
        connection: what reads the first line.
        file: a CSV file, compressed or not.
        what: the file in words, at the beginning of a sentence.
        known: its dialect, where it is known.
    """
    names = _header(connection, file, known)
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            first = seen[name.lower()]
            same = f"'{name}'" if first == name else f"'{first}' and '{name}', which differ in case only"
            raise Refused(f"{what} has two columns named {same}; give each a name of its own.")
        seen[name.lower()] = name
    if len(names) == 1 and known is None:
        guess = max(_DELIMITERS, key=names[0].count)
        if guess in names[0]:
            raise Refused(f"{what} does not read as a table: {_explain_ragged(file, guess)}")


def _header(connection: duckdb.DuckDBPyConnection, file: Path, known: InputReading | None) -> list[str]:
    given = ["header = false", "all_varchar = true", "comment = ''", "skip = 0", *(options(known) if known else [])]
    query = f"SELECT * FROM read_csv({path_list([file])}, {', '.join(given)}) LIMIT 1"
    row = connection.execute(query).fetchone()
    if row is None:
        raise Refused(f"{file.name} is empty; its first line must name the columns.")
    return [name for name in row if name]


def _explain_ragged(file: Path, delimiter: str) -> str:
    if file.suffix == ".zst":
        return "its rows have different numbers of values, or its `delimiter` must be set."
    with open_characters(file) as text:
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
def open_characters(file: Path) -> Iterator[TextIO]:
    """Open a text file, compressed with gzip or not."""
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

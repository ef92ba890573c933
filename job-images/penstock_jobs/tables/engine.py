"""The engine that reads, joins, hashes and writes: DuckDB, within a memory limit, spilling to a scratch folder.

No extension is ever downloaded. What DuckDB says of a user's data becomes `Refused`, of the machine `Unavailable`.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.tables.columns import quote_literal

DEFAULT_MEMORY = 1024 * 2**20
_OVERHEAD = 400 * 2**20
_LEAST = 192 * 2**20
_NARROW = 384 * 2**20


def connect(scratch: Path, memory: int | None, threads: int) -> duckdb.DuckDBPyConnection:
    """Return a connection to an empty database in memory.

    Args:
        scratch: folder for what does not fit in memory.
        memory: what the whole process may use, in bytes; the engine takes less. None: 1 GiB for the engine.
        threads: how many threads the engine uses.
    """
    connection = duckdb.connect(":memory:")
    for statement in (
        _set_memory_limit(_engine_memory(memory)),
        f"SET temp_directory = {quote_literal(str(scratch / 'spill'))}",
        f"SET threads = {threads}",
        "SET autoinstall_known_extensions = false",
        "SET TimeZone = 'UTC'",
        "SET enable_progress_bar = false",
    ):
        connection.execute(statement)
    return connection


@contextmanager
def reduce_memory(connection: duckdb.DuckDBPyConnection, memory: int | None) -> Iterator[None]:
    """Let the engine use a third of its memory meanwhile, or what writing needs.

    Groups and joins of narrow rows grow with the input up to any limit, and are as fast when they spill.

    Args:
        connection: made by `connect`.
        memory: as `connect` was told.
    """
    limit = _engine_memory(memory)
    connection.execute(_set_memory_limit(min(limit, max(_NARROW, limit // 3))))
    try:
        yield
    finally:
        connection.execute(_set_memory_limit(limit))


def fetch_number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return the whole number that a query of one row and column comes to."""
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def parquet_relation(files: Sequence[Path]) -> str:
    """Return the SQL table function that reads the Parquet files as one relation, columns matched by name."""
    return f"read_parquet({path_list(files)}, union_by_name = true)"


def path_list(files: Sequence[Path]) -> str:
    """Return the SQL list of the files' paths, each taken literally (no glob)."""
    return "[" + ", ".join(quote_literal(_escape_glob(str(file))) for file in files) + "]"


@contextmanager
def explain_duckdb_errors(what: str) -> Iterator[None]:
    """Turn what DuckDB raises while it works on `what` into a sentence."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise Unavailable(
            f"There is not enough memory or disk for {what}: {_first_line(error)} Give the dataset job more memory "
            "(`jobs[dataset].resources`), or more room for temporary files."
        ) from error
    except duckdb.ConversionException as error:
        raise Refused(f"{what} holds a value that does not fit its column: {conversion_problem(error)}") from error
    except duckdb.IOException as error:
        if "space left" in str(error):
            raise Unavailable(f"The disk is full while working on {what}: {_first_line(error)}") from error
        raise Refused(f"{what} cannot be read: {_first_line(error)}") from error
    except (duckdb.InvalidInputException, duckdb.BinderException, duckdb.SerializationException) as error:
        if "not utf-8 encoded" in str(error):
            line = re.search(r"CSV Error on Line: (\d+)", str(error))
            where = f", line {line.group(1)}," if line else ""
            raise Refused(f"{what}{where} is not encoded as UTF-8; save it as UTF-8.") from error
        raise Refused(f"{what} cannot be read: {_first_line(error)}") from error


def conversion_problem(error: duckdb.Error) -> str:
    """Return the one sentence in a conversion error of DuckDB that a person needs: where, and which value."""
    text = str(error).removeprefix("Conversion Error: ")
    line = re.search(r"CSV Error on Line: (\d+)", text)
    value = re.search(r'Error when converting column "(.*)"\. (.*)', text)
    if line and value:
        return f"line {line.group(1)}, column '{value.group(1)}': {value.group(2).rstrip('.')}."
    return _first_line(error)


def _engine_memory(memory: int | None) -> int:
    return DEFAULT_MEMORY if memory is None else max(_LEAST, min(memory - _OVERHEAD, memory * 6 // 10))


def _set_memory_limit(limit: int) -> str:
    return f"SET memory_limit = '{limit // 2**20}MiB'"


def _first_line(error: duckdb.Error) -> str:
    line = str(error).strip().splitlines()[0]
    return line if line.endswith(".") else line + "."


def _escape_glob(path: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", path)

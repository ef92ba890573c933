"""The inputs as one relation of the engine: text parsed once, several inputs joined by the query."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.dataset.bound_query import BoundQuery
from penstock_jobs.dataset.query_engine import answer_query
from penstock_jobs.dataset.sources import InputFiles, relation
from penstock_jobs.dataset.whole_numbers import refuse_inexact
from penstock_jobs.tables.columns import DUCKDB_TYPES, quote_identifier, quote_literal
from penstock_jobs.tables.engine import explain_duckdb_errors, path_list
from penstock_jobs.tables.text_table import check_header

ROWS = "loaded"


@dataclass(frozen=True)
class LoadedInputs:
    """What was loaded: the types that text columns were read with, by input.

    `combines_rows` is whether a query may have made a value of several rows.
    """

    input_types: dict[str, dict[str, str]] = field(default_factory=dict)
    combines_rows: bool = False


@dataclass(frozen=True)
class QueryEngine:
    """A connection, and the limits that another one like it needs."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path
    memory: int | None
    threads: int


def load(
    engine: QueryEngine,
    sources: tuple[InputFiles, ...],
    query: BoundQuery | None,
    fixed: Mapping[str, Mapping[str, str]],
) -> LoadedInputs:
    """Make the view `loaded` of the sources (joined by the query where there is one).

    Args:
        engine: where the view is made.
        sources: the inputs, found.
        query: an SQL query over the names of the inputs; required when there are several.
        fixed: the types of text columns by input, as the first generation found them.
    """
    if query is None and len(sources) > 1:
        names = ", ".join(f"'{source.name}'" for source in sources)
        raise Refused(f"There are several inputs ({names}) and no query that joins them; set spec.dataset.query.")
    input_types: dict[str, dict[str, str]] = {}
    relations: dict[str, str] = {}
    for source in sources:
        relations[source.name], types = relation_of(engine, source, fixed.get(source.name, {}))
        if types:
            input_types[source.name] = types
    if query is None:
        engine.connection.execute(f"CREATE VIEW {ROWS} AS SELECT * FROM {relations[sources[0].name]}")
        return LoadedInputs(input_types)
    files = [file for source in sources for file in source.files]
    answer = answer_query(engine, relations, files, query)
    engine.connection.execute(f"CREATE VIEW {ROWS} AS SELECT * FROM read_parquet({path_list([answer.file])})")
    return LoadedInputs(input_types, answer.combines_rows)


def relation_of(engine: QueryEngine, source: InputFiles, fixed: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the SQL of the source's rows, text parsed already, and the types that text columns were read with.

    Args:
        engine: where text is parsed, once, into its scratch folder.
        source: the input, found.
        fixed: the types of its text columns at the first generation.
    """
    if source.is_text:
        return _parse_text(engine, source, {**fixed, **_types_of_manifest(source)})
    return _cast_relation(engine, source), {}


def _types_of_manifest(source: InputFiles) -> dict[str, str]:
    """Return the engine's name of each type that the manifest gives a column."""
    return {name: DUCKDB_TYPES[kind] for name, kind in source.declared.types.items()}


def _cast_relation(engine: QueryEngine, source: InputFiles) -> str:
    read = relation(source, {})
    with explain_duckdb_errors(_input_words(source)):
        found = engine.connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
    present = {str(row[0]): str(row[1]) for row in found}
    declared = _types_of_manifest(source)
    _refuse_unknown(source, declared, set(present))
    if not declared:
        return read
    with explain_duckdb_errors(_input_words(source)):
        _refuse_inexact(engine.connection, source, declared, present)
    casts = ", ".join(
        f"CAST({quote_identifier(name)} AS {kind}) AS {quote_identifier(name)}" for name, kind in declared.items()
    )
    return f"(SELECT * REPLACE ({casts}) FROM {read})"


def _parse_text(engine: QueryEngine, source: InputFiles, known: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    connection = engine.connection
    with explain_duckdb_errors(_input_words(source)):
        if source.format == "CSV":
            for file in source.files:
                check_header(connection, file, _input_words(source), source.delimiter)
        found = connection.execute(f"DESCRIBE SELECT * FROM {relation(source, {})}").fetchall()
    present = {str(row[0]): str(row[1]) for row in found}
    _refuse_unknown(source, _types_of_manifest(source), set(present))
    types = {name: kind for name, kind in known.items() if name in present}
    target = engine.scratch / f"parsed-{source.name}.parquet"
    copy = "COPY (SELECT * FROM {}) TO " + quote_literal(str(target)) + " (FORMAT parquet, COMPRESSION lz4_raw)"
    with explain_duckdb_errors(_input_words(source)):
        _refuse_inexact(connection, source, types, present)
        try:
            connection.execute(copy.format(relation(source, types)))
        except duckdb.ConversionException:
            if set(types) == set(present):
                raise
            connection.execute(copy.format(relation(source, types).replace("sample_size = 200000", "sample_size = -1")))
        read = f"read_parquet({path_list([target])})"
        written = connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
        free = [str(name) for name, kind, *_ in written if kind == "VARCHAR" and name not in types]
        flags = _find_flags(connection, read, free) if source.format == "CSV" else []
    replaced = ", ".join(f"CAST({quote_identifier(name)} AS BOOLEAN) AS {quote_identifier(name)}" for name in flags)
    view = f"(SELECT * REPLACE ({replaced}) FROM {read})" if flags else read
    return view, {**{str(row[0]): str(row[1]) for row in written}, **dict.fromkeys(flags, "BOOLEAN")}


def _refuse_inexact(
    connection: duckdb.DuckDBPyConnection, source: InputFiles, types: Mapping[str, str], present: Mapping[str, str]
) -> None:
    """Refuse floating-point numbers in columns that are read as integers; the engine would round them."""
    for name, kind in types.items():
        if kind == "BIGINT" and present[name] != kind:
            raw = "VARCHAR" if source.format == "CSV" else present[name]  # in a CSV file the text is what is exact
            read = relation(source, {name: raw} if source.format == "CSV" else {})
            refuse_inexact(connection, read, name, raw)


def _find_flags(connection: duckdb.DuckDBPyConnection, read: str, columns: list[str]) -> list[str]:
    """Return those of the text columns that hold nothing but the words true and false."""
    if not columns:
        return []
    tests = ", ".join(f"bool_and(lower({quote_identifier(name)}) IN ('true', 'false'))" for name in columns)
    row = connection.execute(f"SELECT {tests} FROM {read}").fetchone() or ()
    return [name for name, flag in zip(columns, row, strict=True) if flag]


def _refuse_unknown(source: InputFiles, types: Mapping[str, str], present: set[str]) -> None:
    for name in types:
        if name not in present:
            raise Refused(
                f"The input '{source.name}' has no column '{name}', for which spec.dataset.inputs gives a type."
            )


def _input_words(source: InputFiles) -> str:
    return f"The input '{source.name}' ({source.declared.location.uri})"

"""The inputs as one relation of the engine: text parsed once, several inputs joined by the query."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import ColumnReading, InputReading
from penstock_jobs.dataset.bound_query import BoundQuery
from penstock_jobs.dataset.input_rules import RecordedReading, reading_rules, types_of_input
from penstock_jobs.dataset.query_engine import answer_query
from penstock_jobs.dataset.sources import InputFiles
from penstock_jobs.reading.raw import RawTable, open_parquet, open_relation, open_text
from penstock_jobs.reading.reader import cast_typed, parse_text, refuse_absent
from penstock_jobs.tables.engine import path_list

ROWS = "loaded"


@dataclass(frozen=True)
class LoadedInputs:
    """What was loaded: how each input was read, by its name.

    `combines_rows` is whether a query may have made a value of several rows.
    """

    readings: dict[str, InputReading] = field(default_factory=dict)
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
    recorded: Mapping[str, RecordedReading],
) -> LoadedInputs:
    """Make the view `loaded` of the sources (joined by the query where there is one).

    Args:
        engine: where the view is made.
        sources: the inputs, found.
        query: an SQL query over the names of the inputs; required when there are several.
        recorded: how the inputs were read before; none at the first generation.
    """
    if query is None and len(sources) > 1:
        names = ", ".join(f"'{source.name}'" for source in sources)
        raise Refused(f"There are several inputs ({names}) and no query that joins them; set spec.dataset.query.")
    readings: dict[str, InputReading] = {}
    relations: dict[str, str] = {}
    for source in sources:
        relations[source.name], readings[source.name] = relation_of(engine, source, recorded.get(source.name))
    if query is None:
        engine.connection.execute(f"CREATE VIEW {ROWS} AS SELECT * FROM {relations[sources[0].name]}")
        return LoadedInputs(readings)
    files = [file for source in sources for file in source.files]
    answer = answer_query(engine, relations, files, query)
    engine.connection.execute(f"CREATE VIEW {ROWS} AS SELECT * FROM read_parquet({path_list([answer.file])})")
    return LoadedInputs(readings, answer.combines_rows)


def relation_of(engine: QueryEngine, source: InputFiles, recorded: RecordedReading | None) -> tuple[str, InputReading]:
    """Return the SQL of the source's rows, text parsed already, and how they are read.

    Args:
        engine: where text is parsed, once, into its scratch folder.
        source: the input, found.
        recorded: how it was read before.
    """
    rules, given = reading_rules(source, recorded), types_of_input(source, recorded)
    words = f"The input '{source.name}' ({source.declared.location.uri})"
    if not source.is_text:
        table = (
            open_parquet(engine.connection, source.files, rules, words)
            if source.delta is None
            else open_relation(engine.connection, source.delta.relation(), rules, words)
        )
        refuse_absent(table, source.declared.types)
        present = {name: kind for name, kind in given.items() if name in table.stored}
        return cast_typed(engine.connection, table, present), rules
    table = open_text(engine.connection, source.files, rules, words)
    refuse_absent(table, source.declared.types)
    target = engine.scratch / f"parsed-{source.name}.parquet"
    columns = parse_text(engine.connection, table, given, source.declared.date_format, target)
    return f"read_parquet({path_list([target])})", _with_columns(table, columns)


def _with_columns(table: RawTable, columns: tuple[ColumnReading, ...]) -> InputReading:
    """Return how the table is read, from now on; columns that are not there this time are read as before."""
    absent = (column for column in table.reading.columns if column.name not in table.stored)
    return msgspec.structs.replace(table.reading, columns=(*columns, *absent))

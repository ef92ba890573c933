"""Running the query in an engine of its own, which reaches the inputs' files and nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.dataset.bound_query import BoundQuery, refuse_other_names
from penstock_jobs.dataset.query import check_query
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.engine import connect, explain_duckdb_errors

if TYPE_CHECKING:
    from penstock_jobs.dataset.loading import QueryEngine


@dataclass(frozen=True)
class Answer:
    """The file with the rows that a query gave, and whether a value of them may come from several rows."""

    file: Path
    combines_rows: bool


def answer_query(
    engine: "QueryEngine", relations: Mapping[str, str], files: Sequence[Path], query: BoundQuery
) -> Answer:
    """Run the query over the relations.

    Args:
        engine: whose limits hold for the query too.
        relations: the SQL that reads each input, by its name.
        files: the files of the inputs.
        query: what to run.

    Raises:
        Refused: it is not a function of the inputs and the parameters alone, or it fails.
        Unavailable: the machine has no room for it.
    """
    checked = check_query(engine.connection, query.text, tuple(relations))
    # Sums of floating-point numbers, and rows that an ORDER BY finds equal, come out as the threads happen to run.
    threads = 1 if checked.follows_row_order else engine.threads
    target = engine.scratch / "query.parquet"
    with connect(engine.scratch, engine.memory, threads) as connection:
        for name, read in relations.items():
            with explain_duckdb_errors(f"The input '{name}'"):
                connection.execute(f"CREATE VIEW {quote_identifier(name)} AS SELECT * FROM {read}")
        _lock(connection, engine.scratch, files)
        try:
            refuse_other_names(connection, query)
            _run(connection, query, target)
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            with explain_duckdb_errors("the query (spec.dataset.query)"):
                raise
        except duckdb.Error as error:
            sentence = " ".join(str(error).split("\n\nLINE")[0].split())
            raise Refused(f"The query (spec.dataset.query) fails: {sentence.rstrip('.')}.") from error
    return Answer(target, checked.combines_rows)


def _lock(connection: duckdb.DuckDBPyConnection, scratch: Path, files: Sequence[Path]) -> None:
    """Leave the engine nothing to reach but its scratch folder and the files, whatever the query may be."""
    allowed = ", ".join(quote_literal(str(file)) for file in files)
    for statement in (
        f"SET allowed_directories = [{quote_literal(str(scratch))}]",
        f"SET allowed_paths = [{allowed}]",
        "SET python_enable_replacements = false",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(statement)


def _run(connection: duckdb.DuckDBPyConnection, query: BoundQuery, target: Path) -> None:
    text, values = query.text.strip().rstrip(";"), query.values
    _refuse_twins([str(row[0]) for row in connection.execute(f"DESCRIBE {text}", values).fetchall()])
    connection.execute(f"COPY ({text}) TO {quote_literal(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)", values)


def _refuse_twins(names: list[str]) -> None:
    """Refuse two columns of one name: the engine would rename one of them, and it would become a feature."""
    counts = Counter(name.casefold() for name in names)
    twin = next((name for name in names if counts[name.casefold()] > 1), None)
    if twin is not None:
        raise Refused(
            f"The query (spec.dataset.query) gives the column '{twin}' twice; list the columns instead of *, or join "
            "with USING, so that each name is there once."
        )

"""What becomes of the testing points over the generations: new, changed, vanished, retired."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.points import KEPT, KEPT_POINTS, POINTS
from penstock_jobs.dataset.strategies import SideRule
from penstock_jobs.tables.columns import FOLD, GENERATION, GROUP, POINT, RETIRED, REVISION, SIDE, quote_identifier
from penstock_jobs.tables.engine import fetch_number, parquet_relation

SIDED = "sided"
_NEXT = "_penstock_next"


@dataclass(frozen=True)
class PointChanges:
    """How many testing points are new, changed, vanished and retired."""

    new: int
    changed: int
    vanished: int
    retired: int


def make_sides(connection: duckdb.DuckDBPyConnection, sides: SideRule) -> None:
    """Make the view `sided`: the points that testing does not keep, with their side."""
    kept = fetch_number(connection, f"SELECT count(*) FROM {sides.set_apart}")
    others = f"{POINTS} ANTI JOIN {sides.set_apart} USING ({POINT})" if kept else POINTS
    connection.execute(f"CREATE VIEW {SIDED} AS SELECT *, {sides.expression} AS {SIDE} FROM {others}")


def queries_to_write(
    connection: duckdb.DuckDBPyConnection,
    job: DatasetJob,
    generation: int,
    columns: tuple[Column, ...],
    sides: SideRule,
) -> list[str]:
    """Return the queries of the rows to write, with their side: new points, revisions, retirements.

    The columns of the testing table are in the files of all three: constants take no room, and the schema of the other
    two tables does not name them.
    """
    queries = [_select_as_testing(f"SELECT * FROM {SIDED}", generation, "0", "FALSE")]
    if not fetch_number(connection, f"SELECT count(*) FROM {KEPT_POINTS}"):
        return queries
    retiring = f"(NOT kept.{RETIRED} AND {sides.retire})" if sides.retire else "FALSE"
    if job.updates == "Refresh":
        changed = (
            f"SELECT points.*, 'testing' AS {SIDE}, kept.{REVISION} + 1 AS {_NEXT} FROM {POINTS} AS points JOIN "
            f"{KEPT} AS kept USING ({POINT}) "
            f"WHERE {_differs(columns)} AND NOT kept.{RETIRED} AND NOT {retiring}"
        )
        queries.append(_select_as_testing(changed, generation, _NEXT, "FALSE", f"EXCLUDE ({_NEXT})"))
    if sides.retire:
        listed = ", ".join([POINT, GROUP, FOLD, *(quote_identifier(column.name) for column in columns)])
        gone = f"SELECT {listed}, 'testing' AS {SIDE}, {REVISION} + 1 AS {_NEXT} FROM {KEPT} AS kept WHERE {retiring}"
        queries.append(_select_as_testing(gone, generation, _NEXT, "TRUE", f"EXCLUDE ({_NEXT})"))
    return queries


def count_changes(
    connection: duckdb.DuckDBPyConnection,
    job: DatasetJob,
    generation: int,
    columns: tuple[Column, ...],
    testing: tuple[Path, ...],
) -> PointChanges:
    """Count what this generation did, from the files of the testing table as they will be committed."""
    if not testing:
        return PointChanges(0, 0, 0, 0)
    stored = parquet_relation(testing)
    new = fetch_number(
        connection, f"SELECT count(*) FROM {stored} WHERE {GENERATION} = {generation} AND {REVISION} = 0"
    )
    retired = fetch_number(connection, f"SELECT count(DISTINCT {POINT}) FROM {stored} WHERE {RETIRED}")
    vanished = fetch_number(connection, f"SELECT count(*) FROM {KEPT_POINTS} ANTI JOIN {POINTS} USING ({POINT})")
    if job.updates == "Refresh":
        again = f"{GENERATION} = {generation} AND {REVISION} > 0 AND NOT {RETIRED}"
        changed = fetch_number(connection, f"SELECT count(*) FROM {stored} WHERE {again}")
    else:
        changed = fetch_number(
            connection,
            f"SELECT count(*) FROM {POINTS} AS points JOIN {KEPT} AS kept USING ({POINT}) WHERE {_differs(columns)}",
        )
    return PointChanges(new, changed, vanished, retired)


def _differs(columns: tuple[Column, ...]) -> str:
    unlike = (
        f"points.{quote_identifier(column.name)} IS DISTINCT FROM kept.{quote_identifier(column.name)}"
        for column in columns
    )
    return "(" + " OR ".join(unlike) + ")"


def _select_as_testing(query: str, generation: int, revision: str, retired: str, without: str = "") -> str:
    return (
        f"SELECT * {without}, CAST({generation} AS BIGINT) AS {GENERATION}, CAST({revision} AS BIGINT) AS {REVISION}, "
        f"{retired} AS {RETIRED} FROM ({query})"
    )

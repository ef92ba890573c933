"""Different rows under one key: refused, with the columns that would tell them apart."""

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.tables.columns import POINT, PREFIX, quote_identifier


def refuse_conflicts(
    connection: duckdb.DuckDBPyConnection, job: DatasetJob, identity: tuple[Column, ...], rows: str
) -> None:
    """Refuse different rows under one key.

    A group does not make a point of a row: what is kept in testing for good, and what was changed, is told by the key.
    So also where the rows of one key belong together, each needs a key of its own.

    Args:
        connection: the engine.
        job: says what the key, the target and the weight are.
        identity: the columns that identify a point.
        rows: the relation of the different rows of the points that several rows have.
    """
    conflicting = f"SELECT {POINT} FROM {rows} GROUP BY ALL HAVING count(*) > 1"
    found = connection.execute(f"SELECT count(*) FROM ({conflicting})").fetchone()
    conflicts = int(found[0]) if found else 0
    if not conflicts:
        return
    names = ", ".join(quote_identifier(column.name) for column in identity)
    # As texts: Python has moments of the engine only with a package that nothing else needs.
    texts = ", ".join(f"CAST({quote_identifier(column.name)} AS VARCHAR)" for column in identity)
    first = connection.execute(
        f"SELECT {texts} FROM {rows} WHERE {POINT} IN ({conflicting}) ORDER BY {names} LIMIT 1"
    ).fetchone()
    key = ", ".join(
        f"{column.name}={'null' if value is None else value}"
        for column, value in zip(identity, first or (), strict=True)
    )
    many = "1 key has" if conflicts == 1 else f"{conflicts} keys have"
    advice = _advice(job, _telling_columns(connection, job, rows)) if job.key else _WITHOUT_KEY
    raise Refused(f"{many} several different rows, first {key}; {advice}.")


_WITHOUT_KEY = (
    "they differ in the target only, so leave out those that are wrong, or give each row an id where the file is made "
    "and name it in spec.dataset.key"
)


def _telling_columns(connection: duckdb.DuckDBPyConnection, job: DatasetJob, rows: str) -> list[str]:
    """Return the fewest columns found that tell the rows of each key apart; none where no columns do."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    ruled_out = {*job.key, job.target.column, job.weight}
    candidates = [
        str(name)
        for name, kind, *_ in described
        if name not in ruled_out and not str(name).startswith(PREFIX) and kind != "DOUBLE"
    ]

    def tell_apart(names: list[str]) -> bool:
        listed = ", ".join((POINT, *map(quote_identifier, names)))
        query = f"SELECT 1 FROM {rows} GROUP BY {listed} HAVING count(*) > 1 LIMIT 1"
        return connection.execute(query).fetchone() is None

    alone = next((name for name in candidates if tell_apart([name])), None)
    if alone is not None:
        return [alone]
    if not tell_apart(candidates):
        return []
    chosen = candidates
    for name in candidates:
        fewer = [other for other in chosen if other != name]
        if tell_apart(fewer):
            chosen = fewer
    return chosen


def _advice(job: DatasetJob, columns: list[str]) -> str:
    grouped = job.split.strategy == "Group"
    together = (
        ""
        if grouped
        else f"; if the rows of one {' and '.join(job.key)} belong together, also split with strategy Group by that "
        "(spec.dataset.split.group.columns)"
    )
    if not columns:
        return (
            "no column but the target and floating-point ones tells them apart, so make one row of each key in the "
            "query, or give each row an id where the file is made and add it to spec.dataset.key" + together
        )
    shown = " and ".join(f"'{name}'" for name in columns)
    verb = "tells" if len(columns) == 1 else "tell"
    stays = " (the group stays as it is)" if grouped else ""
    return f"add {shown}, which {verb} them apart, to spec.dataset.key{stays}{together}"

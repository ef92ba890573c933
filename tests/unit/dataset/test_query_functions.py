"""Each function of the installed engine is allowed or refused by what the engine says of it, and keeps its answer."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import duckdb
import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.dataset.query import check_query
from penstock_jobs.dataset.query_functions import EXCEPTIONS, TABLE_FUNCTIONS, Functions
from penstock_jobs.tables.columns import quote_identifier
from training_jobs import ROOT

ARGUMENTS = {
    "VARCHAR": "'2026-03-04'",
    "BIGINT": "3",
    "INTEGER": "3",
    "DOUBLE": "2.5",
    "BOOLEAN": "true",
    "DATE": "DATE '2026-03-04'",
    "TIMESTAMP": "TIMESTAMP '2026-03-04 05:06:07'",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ '2026-03-04 05:06:07+00'",
    "INTERVAL": "INTERVAL 3 DAY",
    "BLOB": "'ab'::BLOB",
    "ANY": "7",
    "T": "7",
    "T[]": "[3, 1, 2]",
    "DOUBLE[]": "[3.0, 1.0, 2.0]",
    "VARCHAR[]": "['b', 'a']",
    "JSON": "'[1, 2]'::JSON",
    "UUID": "'2f9e1c76-4f0a-4b6e-9a4e-0d3f8b6f5a11'::UUID",
    "BIT": "'0110'::BIT",
    "TIME": "TIME '05:06:07'",
}
KINDS = ("scalar", "aggregate", "window")
ANSWERS = """
import json, pathlib, sys, tempfile
import duckdb
from penstock_jobs.tables.engine import connect
with tempfile.TemporaryDirectory() as folder, connect(pathlib.Path(folder), None, int(sys.argv[1])) as connection:
    connection.execute("CREATE TABLE rows AS SELECT i AS x FROM range(5) AS r(i)")
    answers = {}
    for call in json.load(sys.stdin):
        try:
            answers[call] = str(connection.execute(f"SELECT {call} FROM rows").fetchall())
        except duckdb.Error:
            answers[call] = None
    json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def overloads(engine: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None, tuple[str | None, ...]]]:
    """Return the name, kind, stability and types of the arguments of all that the engine has to be called."""
    found = engine.execute(
        "SELECT DISTINCT function_name, function_type, stability, parameter_types FROM duckdb_functions() ORDER BY ALL"
    ).fetchall()
    return [(name, kind, stability, tuple(types)) for name, kind, stability, types in found]


def is_refused(engine: duckdb.DuckDBPyConnection, call: str) -> bool:
    try:
        check_query(engine, f"SELECT {call} FROM rows", ("rows",))
    except Refused:
        return True
    return False


def call_of(name: str, kind: str, arguments: tuple[str, ...]) -> str:
    """Return a call that says what order it goes by, where the function is one of several rows."""
    order = " ORDER BY x" if kind == "aggregate" and arguments else ""
    over = " OVER (ORDER BY x)" if kind == "window" else ""
    return f"{quote_identifier(name)}({', '.join(arguments)}{order}){over}"


def test_what_the_engine_calls_anything_but_consistent_is_refused_but_for_the_exceptions(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    functions = Functions(engine)
    judged = {
        (name, len(types), stability)
        for name, kind, stability, types in overloads(engine)
        if kind in KINDS and name not in EXCEPTIONS and not name.startswith("__")
    }
    assert len(judged) > 900
    allowed = {each for each in judged if functions.sentence(each[0].lower(), each[1]) is None}
    assert allowed == {each for each in judged if each[2] == "CONSISTENT"}


def test_each_exception_is_one_that_the_engine_has_and_judges_otherwise(engine: duckdb.DuckDBPyConnection) -> None:
    functions = Functions(engine)
    for name, own in EXCEPTIONS.items():
        assert functions.facts(name).kinds
        assert (functions.facts(name).sentence is None) is (own.sentence is not None)


def test_a_macro_is_allowed_where_all_that_is_behind_it_is(engine: duckdb.DuckDBPyConnection) -> None:
    functions = Functions(engine)
    macros = {name: functions.facts(name).macros for name in functions.names if functions.facts(name).macros}
    refused = {
        name
        for name, found in macros.items()
        if any(is_refused(engine, call_of(name, "aggregate", ("x",) * len(macro.parameters))) for macro in found)
    }
    clocks = ("current_timestamp", "current_database", "current_query", "current_schema", "sleep_ms")
    words = (*clocks, "duckdb_", "pragma_", "string_agg(", "json_group_array(", "list(x)")
    assert refused == {name for name, found in macros.items() if any(w in m.body for m in found for w in words)}


def test_what_follows_the_order_of_rows_is_found_by_asking_the_engine(engine: duckdb.DuckDBPyConnection) -> None:
    functions = Functions(engine)
    found = {name for name in functions.names if any(functions.follows_row_order(name, n) for n in (1, 2, 3))}
    first = {"any_value", "arbitrary", "first", "last"}
    several = {"array_agg", "group_concat", "list", "listagg", "string_agg"}
    assert found == first | several | {"approx_top_k", "lttb", "mode"}


def test_no_table_function_reads_anything(engine: duckdb.DuckDBPyConnection) -> None:
    kinds = ("table", "table_macro")
    names = {name for name, kind, _, _ in overloads(engine) if kind in kinds}
    assert names > TABLE_FUNCTIONS
    for name in names:
        query = f"SELECT * FROM {quote_identifier(name)}([1, 2])"
        if name in TABLE_FUNCTIONS:
            check_query(engine, query, ("rows",))
        else:
            with pytest.raises(Refused, match=rf"reads by {name}\(\).*inputs"):
                check_query(engine, query, ("rows",))


def test_each_allowed_function_gives_one_answer_at_any_moment_in_any_zone_on_any_number_of_threads(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    functions = Functions(engine)
    calls = []
    for name, kind, _, types in overloads(engine):
        arguments = tuple(ARGUMENTS.get(str(each).upper(), "") for each in types)
        if kind in KINDS and all(arguments) and functions.sentence(name.lower(), len(types)) is None:
            calls.append(call_of(name, kind, arguments))
    one = answers(calls, 1, "UTC", "C")
    two = answers(calls, 4, "Asia/Kathmandu", "de_DE.UTF-8")
    answered = [call for call in calls if one[call] is not None]
    assert len(answered) > 500
    assert [(call, one[call], two[call]) for call in calls if one[call] != two[call]] == []


def answers(calls: list[str], threads: int, zone: str, locale: str) -> dict[str, str | None]:
    """Return what a process of its own, with this zone and locale, makes of the calls; None where one fails."""
    ended = subprocess.run(
        [sys.executable, "-c", ANSWERS, str(threads)],
        input=json.dumps(calls).encode(),
        capture_output=True,
        check=True,
        env={**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": str(ROOT / "job-images")},
    )
    found: dict[str, str | None] = json.loads(ended.stdout)
    return found

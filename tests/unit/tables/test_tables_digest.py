"""The digest of a table is defined without the engine that computes it: by bytes that anybody can write down."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.result import Column, ColumnType
from penstock_jobs.tables.columns import DUCKDB_TYPES
from penstock_jobs.tables.digest import RowSums, digest, row_hash, sums_of
from unit.tables.digest_by_hand import Value, digest_of_rows, encode_row

COLUMNS = (
    Column(name="whole", type="Integer"),
    Column(name="real", type="Float"),
    Column(name="flag", type="Boolean"),
    Column(name="text", type="String"),
    Column(name="moment", type="Timestamp"),
    Column(name="day", type="Date"),
)
ROW = st.fixed_dictionaries(
    {
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "real": st.none() | st.floats(),
        "flag": st.none() | st.booleans(),
        "text": st.none() | st.text(max_size=20),
        "moment": st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
        "day": st.none() | st.dates(),
    }
)

# Written down once, by hand: a change of any of these changes the digest of every table that there is.
ENCODED = [
    ("Integer", None, "01"),
    ("Integer", 0, "028000000000000000"),
    ("Integer", -3, "027ffffffffffffffd"),
    ("Integer", 2**63 - 1, "02ffffffffffffffff"),
    ("Float", 1.5, "02bff8000000000000"),
    ("Float", -1.5, "024007ffffffffffff"),
    ("Float", 0.0, "028000000000000000"),
    ("Float", -0.0, "028000000000000000"),
    ("Float", float("inf"), "02fffffffffffffffe"),
    ("Float", float("-inf"), "020000000000000000"),
    ("Boolean", True, "0201"),
    ("Boolean", False, "0200"),
    ("String", "", "0200"),
    ("String", "a\0\u00eb", "026201c4ac00"),
    ("Timestamp", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "0280000000000f4240"),
    ("Date", date(1969, 12, 31), "027fffffff"),
]
TABLE: tuple[dict[str, Value], ...] = (
    {"whole": 1, "real": 0.1, "flag": True, "text": "Zo\u00eb", "moment": datetime(2026, 1, 1), "day": None},
    {"whole": None, "real": -2.5, "flag": False, "text": None, "moment": None, "day": date(2026, 1, 31)},
)
DIGEST = "sha256:fe713bf5bbd898f645f359bc3d1a04de44f1828e9a335ef0888608ca5ace87c3"


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        listed = ", ".join(f"{column.name} {DUCKDB_TYPES[column.type]}" for column in COLUMNS)
        connection.execute(f"CREATE TABLE rows ({listed})")
        yield connection


def in_engine(engine: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Value]]) -> str:
    engine.execute("DELETE FROM rows")
    for row in rows:
        engine.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", [row[column.name] for column in COLUMNS])
    hashes = f"(SELECT {row_hash(COLUMNS)} AS hash FROM rows)"
    [found] = engine.execute(f"SELECT {sums_of('hash')} FROM {hashes}").fetchall()
    return digest(COLUMNS, RowSums(*map(int, found)))


def alike(one: object, other: object) -> bool:
    """Whether both are equal, or both NaN."""
    return one == other or (one != one and other != other)


@pytest.mark.parametrize(("kind", "value", "expected"), ENCODED)
def test_a_value_has_the_bytes_it_always_had(kind: ColumnType, value: Value, expected: str) -> None:
    assert encode_row((Column(name="x", type=kind),), {"x": value}).hex() == expected


def test_a_table_has_the_digest_it_always_had(engine: duckdb.DuckDBPyConnection) -> None:
    assert digest_of_rows(COLUMNS, TABLE) == DIGEST
    assert in_engine(engine, TABLE) == DIGEST


@given(rows=st.lists(ROW, max_size=3))
@settings(max_examples=150, deadline=None)
def test_the_engine_and_the_definition_give_the_same_digest(
    engine: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Value]]
) -> None:
    assert in_engine(engine, rows) == digest_of_rows(COLUMNS, rows)


@pytest.mark.parametrize("names", [("flag",), ("day",), ("day", "flag"), ("flag", "text"), ("whole",)])
def test_rows_of_few_bytes_have_digests_too(engine: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> None:
    columns = tuple(column for column in COLUMNS if column.name in names)
    in_engine(engine, TABLE)
    hashes = f"(SELECT {row_hash(columns)} AS hash FROM rows)"
    [found] = engine.execute(f"SELECT {sums_of('hash')} FROM {hashes}").fetchall()

    assert digest(columns, RowSums(*map(int, found))) == digest_of_rows(columns, TABLE)


@given(rows=st.lists(ROW, min_size=2, max_size=4), data=st.data())
@settings(max_examples=50)
def test_the_order_of_rows_and_columns_does_not_matter(
    rows: Sequence[Mapping[str, Value]], data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(rows))
    assert digest_of_rows(tuple(reversed(COLUMNS)), mixed) == digest_of_rows(COLUMNS, rows)


@given(first=ROW, second=ROW)
@settings(max_examples=100)
def test_rows_that_differ_have_different_bytes(first: dict[str, Value], second: dict[str, Value]) -> None:
    same = encode_row(COLUMNS, first) == encode_row(COLUMNS, second)
    assert same == all(alike(first[name], second[name]) for name in first)

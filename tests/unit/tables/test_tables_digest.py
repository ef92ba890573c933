"""The digest of a table is defined without the engine that computes it: by a page that anybody can follow."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.result import Column
from penstock_jobs.tables import row_hash
from penstock_jobs.tables.columns import DUCKDB_TYPES
from penstock_jobs.tables.digest import RowSum, digest, sum_of_rows
from unit.tables.split_page import Value, by_page, digest_by_page, digest_on_page, rows_under

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
TABLE: tuple[dict[str, Value], ...] = (
    {
        "whole": 1,
        "real": 0.1,
        "flag": True,
        "text": "Zo\u00eb",
        "moment": datetime(2026, 1, 1, tzinfo=UTC),
        "day": None,
    },
    {"whole": None, "real": -2.5, "flag": False, "text": None, "moment": None, "day": date(2026, 1, 31)},
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        listed = ", ".join(f"{column.name} {DUCKDB_TYPES[column.type]}" for column in COLUMNS)
        connection.execute(f"CREATE TABLE rows ({listed})")
        yield connection


def in_engine(
    engine: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Value]], columns: Sequence[Column] = COLUMNS
) -> str:
    engine.execute("DELETE FROM rows")
    for row in rows:
        engine.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", [row.get(column.name) for column in COLUMNS])
    [found] = engine.execute(f"SELECT {sum_of_rows(columns)} FROM rows").fetchall()
    return digest(columns, RowSum(*map(int, found)))


def alike(one: object, other: object) -> bool:
    """Whether both are equal, or both NaN."""
    return one == other or (one != one and other != other)


@pytest.mark.parametrize("row", rows_under("| type | value | hash |"))
def test_a_value_has_the_hash_on_the_page(row: list[Any]) -> None:
    kind, value, expected = row

    assert row_hash.hash_value(value) == expected
    assert by_page("hash_value")(kind, value) == expected


def test_the_table_on_the_page_has_the_digest_on_the_page(engine: duckdb.DuckDBPyConnection) -> None:
    names = ["day", "flag", "real", "text", "whole"]
    rows = [dict(zip(names, row, strict=True)) for row in rows_under("| day | flag |")]
    columns = [column for column in COLUMNS if column.name in names]

    assert in_engine(engine, rows, columns) == digest_on_page()
    assert digest_by_page(columns, rows) == digest_on_page()


@given(rows=st.lists(ROW, max_size=3))
@settings(max_examples=150, deadline=None)
def test_the_engine_and_the_page_give_the_same_digest(
    engine: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Value]]
) -> None:
    assert in_engine(engine, rows) == digest_by_page(COLUMNS, rows)


@pytest.mark.parametrize("names", [("flag",), ("day",), ("day", "flag"), ("flag", "text"), ("whole",)])
def test_rows_of_few_columns_have_digests_too(engine: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> None:
    columns = tuple(column for column in COLUMNS if column.name in names)

    assert in_engine(engine, TABLE, columns) == digest_by_page(columns, TABLE)


@given(rows=st.lists(ROW, min_size=2, max_size=4), data=st.data())
@settings(max_examples=50)
def test_the_order_of_rows_and_columns_does_not_matter(
    rows: Sequence[Mapping[str, Value]], data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(rows))
    assert digest_by_page(tuple(reversed(COLUMNS)), mixed) == digest_by_page(COLUMNS, rows)


@given(first=ROW, second=ROW)
@settings(max_examples=100)
def test_rows_that_differ_have_different_hashes(first: dict[str, Value], second: dict[str, Value]) -> None:
    one, other = (row_hash.hash_row(row[column.name] for column in COLUMNS) for row in (first, second))
    assert (one == other) == all(alike(first[name], second[name]) for name in first)


def test_values_that_change_places_change_the_digest() -> None:
    swapped = [{**TABLE[0], "text": None}, {**TABLE[1], "text": TABLE[0]["text"]}]

    assert digest_by_page(COLUMNS, swapped) != digest_by_page(COLUMNS, TABLE)


def test_an_engine_that_hashes_otherwise_is_refused(
    engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    row_hash.require_hash(engine)
    monkeypatch.setattr(row_hash, "_KNOWN", "SELECT hash(1::BIGINT)")

    with pytest.raises(row_hash.OtherHash, match=r"hashes values otherwise than DuckDB 2\.0"):
        row_hash.require_hash(engine)

"""The identity of a point and its draws: the same in Python and in the engine, and the same for ever."""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Literal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.result import Column
from penstock_jobs.dataset.draw import RANGE, draw, threshold
from penstock_jobs.dataset.encoding import Value, encode_row, encode_value, identity
from penstock_jobs.dataset.expressions import (
    below_expression,
    draw_expression,
    fold_below_expression,
    fold_expression,
    identity_expression,
)

COLUMNS = (
    Column(name="i", type="Integer"),
    Column(name="s", type="String"),
    Column(name="b", type="Boolean"),
    Column(name="t", type="Timestamp"),
    Column(name="d", type="Date"),
)
TYPES = "i BIGINT, s VARCHAR, b BOOLEAN, t TIMESTAMP WITH TIME ZONE, d DATE"
# Characters assigned long ago: a normalisation of what Unicode has added since differs with the age of the library.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cn", "Cs"], max_codepoint=0x2FFF), max_size=12)
MOMENT = st.datetimes(datetime(1600, 1, 1), datetime(2400, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | TEXT,
    st.none() | st.booleans(),
    st.none() | MOMENT,
    st.none() | st.dates(date(1600, 1, 1), date(2400, 1, 1)),
)

# Written down once, by hand: a change of any of these moves every point of everybody's testing set.
ENCODED = [
    (None, b"n0:"),
    (True, b"b1:1"),
    (False, b"b1:0"),
    (0, b"i1:0"),
    (-17, b"i3:-17"),
    (2**63 - 1, b"i19:9223372036854775807"),
    ("", b"s0:"),
    ("Zoe\u0308", b"s4:Zo\xc3\xab"),
    (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), b"t7:1000000"),
    (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), b"t2:-1"),
    (date(1970, 1, 2), b"d1:1"),
]
IDENTITIES = [
    ((1,), "d3a71d4b02832f8db5a2d65d20c3f9be"),
    (("1",), "02d89ebcb177dc8f85885e01c659c8de"),
    ((None,), "888ace83f9e7d5934959490c4ff2cc24"),
    (("a", "b"), "3c73bf28fbaa16272b5fc5984ddb5b3a"),
    ((2026, "Zo\u00eb", True, None), "ed7545338a6d8a0b5be43dfad1021576"),
]
DRAWS = [
    ("testing", "penstock", 1, 1786227023915711631),
    ("validation", "penstock", 1, 8380644776519727225),
    ("testing", "penstock", 2, 10015830460613431337),
    ("testing", "\u00fc", 1, 935936639414269397),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE one ({TYPES})")
        yield connection


def one_value(engine: duckdb.DuckDBPyConnection, query: str) -> object:
    [(value,)] = engine.execute(query).fetchall()
    return value


def in_engine(engine: duckdb.DuckDBPyConnection, row: Sequence[Value], expression: str) -> object:
    engine.execute("DELETE FROM one")
    engine.execute("INSERT INTO one VALUES (?, ?, ?, ?, ?)", list(row))
    return one_value(engine, f"SELECT {expression} FROM one")


@given(row=ROW)
@settings(max_examples=300, deadline=None)
def test_python_and_the_engine_give_a_row_the_same_identity(
    engine: duckdb.DuckDBPyConnection, row: Sequence[Value]
) -> None:
    assert in_engine(engine, row, identity_expression(COLUMNS)) == identity(row)


@given(one=ROW, other=ROW)
def test_two_rows_share_an_encoding_only_where_they_are_the_same(one: Sequence[Value], other: Sequence[Value]) -> None:
    def same(left: Sequence[Value], right: Sequence[Value]) -> bool:
        left, right = (
            [unicodedata.normalize("NFC", v) if isinstance(v, str) else v for v in row] for row in (left, right)
        )
        return left == right

    assert (encode_row(one) == encode_row(other)) == same(one, other)


def test_neighbouring_values_cannot_run_into_each_other() -> None:
    assert encode_row(["a", "bc"]) != encode_row(["ab", "c"])
    assert encode_row(["1"]) != encode_row([1])
    assert encode_row([True]) != encode_row([1])
    assert encode_row([None]) != encode_row([""])


@pytest.mark.parametrize(("value", "encoded"), ENCODED)
def test_the_encoding_never_changes(value: Value, encoded: bytes) -> None:
    assert encode_value(value) == encoded


@pytest.mark.parametrize(("values", "expected"), IDENTITIES)
def test_an_identity_never_changes(values: Sequence[Value], expected: str) -> None:
    assert identity(values).hex() == expected


@pytest.mark.parametrize(("purpose", "salt", "epoch", "expected"), DRAWS)
def test_the_draw_of_key_1_never_changes(
    purpose: Literal["testing", "validation"], salt: str, epoch: int, expected: int
) -> None:
    assert draw(purpose, salt, epoch, identity([1])) == expected


@given(point=st.binary(min_size=16, max_size=16), salt=TEXT, epoch=st.integers(1, 10**6))
@settings(max_examples=200, deadline=None)
def test_python_and_the_engine_draw_the_same(
    engine: duckdb.DuckDBPyConnection, point: bytes, salt: str, epoch: int
) -> None:
    blob = f"unhex('{point.hex()}')"
    purposes: tuple[Literal["testing", "validation"], ...] = ("testing", "validation")
    for purpose in purposes:
        drawn = one_value(engine, f"SELECT {draw_expression(purpose, salt, epoch, blob)}")
        assert drawn == draw(purpose, salt, epoch, point)
    stored = one_value(engine, f"SELECT {fold_expression(salt, epoch, blob)}")
    assert stored == draw("validation", salt, epoch, point) - 2**63


@given(drawn=st.integers(0, RANGE - 1), share=st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_a_draw_is_compared_with_a_share_exactly(engine: duckdb.DuckDBPyConnection, drawn: int, share: float) -> None:
    expected = Fraction(drawn, RANGE) < Fraction(repr(share)) and drawn < threshold(share)
    hashed = f"'{drawn * RANGE + 12345}'::UHUGEINT"
    assert one_value(engine, f"SELECT {below_expression(hashed, share)}") == expected
    assert one_value(engine, f"SELECT {fold_below_expression(f'({drawn - 2**63})::BIGINT', share)}") == expected


def test_a_share_of_nothing_takes_none_and_a_share_of_all_takes_all() -> None:
    assert threshold(0.0) == 0
    assert threshold(1.0) == RANGE
    assert threshold(0.5) == RANGE // 2

"""The identity of a point and its draws: the same in Python, in the engine and on the page, and the same for ever."""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.result import Column
from penstock_jobs.dataset.draw import Purpose, draw, threshold
from penstock_jobs.dataset.encoding import Value, identity
from penstock_jobs.dataset.expressions import (
    below_expression,
    draw_expression,
    fold_below_expression,
    fold_expression,
    identity_expression,
)
from penstock_jobs.tables.row_hash import RANGE
from unit.tables.split_page import by_page, rows_under, type_of

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
WHOLE = st.integers(-(2**63), 2**63 - 1)
ROW = st.tuples(
    st.none() | WHOLE,
    st.none() | TEXT,
    st.none() | st.booleans(),
    st.none() | MOMENT,
    st.none() | st.dates(date(1600, 1, 1), date(2400, 1, 1)),
)
POINT = st.integers(-(2**63), 2**63 - 1)
PURPOSES: tuple[Purpose, ...] = ("testing", "validation")

# Of docs/reference/split.md. A change of any of these moves every point of everybody's testing set.
IDENTITIES = rows_under("| key | identity |")
DRAWS = rows_under("| salt | epoch |")


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


def by_definition(row: Sequence[Value]) -> object:
    return by_page("identity")([column.type for column in COLUMNS], row)


@given(row=ROW)
@settings(max_examples=300, deadline=None)
def test_python_the_engine_and_the_page_give_a_row_the_same_identity(
    engine: duckdb.DuckDBPyConnection, row: Sequence[Value]
) -> None:
    assert in_engine(engine, row, identity_expression(COLUMNS)) == identity(row) == by_definition(row)


@given(one=ROW, other=ROW)
def test_two_rows_have_the_same_identity_only_where_they_are_the_same(
    one: Sequence[Value], other: Sequence[Value]
) -> None:
    def same(left: Sequence[Value], right: Sequence[Value]) -> bool:
        left, right = (
            [unicodedata.normalize("NFC", v) if isinstance(v, str) else v for v in row] for row in (left, right)
        )
        return left == right

    assert (identity(one) == identity(other)) == same(one, other)


@given(one=WHOLE, other=WHOLE)
def test_two_numbers_never_have_the_same_identity(one: int, other: int) -> None:
    assert (identity([one]) == identity([other])) == (one == other)


def test_neighbouring_values_cannot_run_into_each_other() -> None:
    assert identity(["a", "bc"]) != identity(["ab", "c"])
    assert identity(["a", "b"]) != identity(["b", "a"])
    assert identity([1, 2]) != identity([2, 1])
    assert identity([None]) != identity([""])
    assert identity([None, 1]) != identity([1, None])


def test_texts_of_one_pattern_have_identities_of_their_own() -> None:
    codes = [f"site-{a:03d}/line-{b:03d}." for a in range(100) for b in range(100)]

    assert len({identity([code]) for code in codes}) == len(codes)


@pytest.mark.parametrize("row", IDENTITIES)
def test_the_identities_and_draws_on_the_page_are_those_of_python_and_of_the_code_on_the_page(row: list[Any]) -> None:
    key, *expected = row
    kinds = [type_of(value) for value in key]

    assert [identity(key), *(draw(purpose, "penstock", 1, identity(key)) for purpose in PURPOSES)] == expected
    point = by_page("identity")(kinds, key)
    assert [point, *(by_page("draw")(purpose, "penstock", 1, point) for purpose in PURPOSES)] == expected


@pytest.mark.parametrize(("salt", "epoch", "expected"), DRAWS)
def test_the_draw_of_key_1_never_changes(salt: str, epoch: int, expected: int) -> None:
    assert draw("testing", salt, epoch, identity([1])) == expected
    assert by_page("draw")("testing", salt, epoch, identity([1])) == expected


@given(point=POINT, salt=TEXT, epoch=st.integers(1, 10**6))
@settings(max_examples=200, deadline=None)
def test_python_the_engine_and_the_page_draw_the_same(
    engine: duckdb.DuckDBPyConnection, point: int, salt: str, epoch: int
) -> None:
    stored = f"CAST({point} AS BIGINT)"
    for purpose in PURPOSES:
        drawn = one_value(engine, f"SELECT {draw_expression(purpose, salt, epoch, stored)}")
        assert drawn == draw(purpose, salt, epoch, point) == by_page("draw")(purpose, salt, epoch, point)
    fold = one_value(engine, f"SELECT {fold_expression(salt, epoch, stored)}")
    assert fold == draw("validation", salt, epoch, point) - 2**63


@given(drawn=st.integers(0, RANGE - 1), share=st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_a_draw_is_compared_with_a_share_exactly(engine: duckdb.DuckDBPyConnection, drawn: int, share: float) -> None:
    expected = Fraction(drawn, RANGE) < Fraction(repr(share)) and drawn < threshold(share)
    assert one_value(engine, f"SELECT {below_expression(f'{drawn}::UBIGINT', share)}") == expected
    assert one_value(engine, f"SELECT {fold_below_expression(f'({drawn - 2**63})::BIGINT', share)}") == expected
    assert by_page("is_below")(drawn, share) == expected


def test_a_share_of_nothing_takes_none_and_a_share_of_all_takes_all() -> None:
    assert threshold(0.0) == 0
    assert threshold(1.0) == RANGE
    assert threshold(0.5) == RANGE // 2


@pytest.mark.parametrize("step", [1, 1000, 86_400_000_000, 2**32])
def test_the_draws_of_keys_in_a_row_are_uniform_and_those_of_two_purposes_independent(
    engine: duckdb.DuckDBPyConnection, step: int
) -> None:
    point = identity_expression((Column(name="i", type="Integer"),))
    testing, validation = (f"{draw_expression(purpose, 'penstock', 1, 'point')} >> 60" for purpose in PURPOSES)
    counts = engine.execute(
        f"SELECT count(*) FROM (SELECT {point} AS point FROM (SELECT k * {step} AS i FROM range(200000) t(k))) "
        f"GROUP BY {testing}, {validation}"
    ).fetchall()
    expected = 200_000 / 256
    chi_square = sum((count - expected) ** 2 / expected for (count,) in counts)

    assert len(counts) == 256
    assert 255 - 5 * 22.6 < chi_square < 255 + 5 * 22.6  # five standard deviations

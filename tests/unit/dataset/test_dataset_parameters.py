"""Parameters are bound variables of the query: no value is ever part of its text, whatever is in it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import ParameterType, ParameterValue, write_value
from penstock_jobs.contract.query_parameters import names_in_query, replace_names
from penstock_jobs.dataset.bound_query import bind_parameters
from unit.dataset.dataset_making import digests, make_dataset, rows
from unit.jobs.test_parameter_values import VALUES

AS_OF = "SELECT * FROM rows WHERE day <= :asOf"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENGINE = duckdb.connect(config={"threads": 1})
ENGINE.execute("SET TimeZone = 'UTC'")
INJECTIONS = (
    "'; DROP TABLE rows; --",
    "' OR '1' = '1",
    "1); COPY rows TO '/tmp/x'; --",
    "$asOf",
    ":word",
    "\\'; SELECT 1",
    "$$; SELECT 1; $$",
    "/*",
)


def of_text(name: str, value: str, kind: ParameterType = "String") -> ParameterValue:
    return ParameterValue(name=name, type=kind, value=value)


def answer(query: str, *parameters: ParameterValue) -> Any:
    """Return the one value that the query gives."""
    bound = bind_parameters(query, parameters)
    assert bound is not None
    row = ENGINE.execute(bound.text, bound.values).fetchone()
    assert row is not None
    return row[0]


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=256) | st.sampled_from(INJECTIONS))
def test_a_text_is_only_ever_a_value(text: str) -> None:
    assert answer("SELECT :word", of_text("word", text)) == text


@given(VALUES)
def test_a_value_of_any_type_reaches_the_query_as_one_of_that_type(typed: tuple[ParameterType, Any]) -> None:
    kind, value = typed
    parameter = of_text("x", write_value(value), kind)
    engine = {
        "String": "VARCHAR",
        "Integer": "BIGINT",
        "Number": "DOUBLE",
        "Boolean": "BOOLEAN",
        "Date": "DATE",
        "Timestamp": "TIMESTAMP WITH TIME ZONE",
    }

    assert answer("SELECT typeof(:x)", parameter) == engine[kind]
    if isinstance(value, datetime):
        assert answer("SELECT epoch_us(:x)", parameter) == (value - EPOCH) // timedelta(microseconds=1)
    else:
        assert answer("SELECT :x", parameter) == (float(value) if kind == "Number" else value)


def test_the_rows_are_those_that_the_parameter_asks_for(tmp_path: Path) -> None:
    few, many = (
        make_dataset(tmp_path / day, rows(200), query=AS_OF, parameters=(of_text("asOf", day, "Date"),))
        for day in ("2026-02-20", "2026-06-20")
    )

    assert (few.rows_read, many.rows_read) == (48, 160)
    assert few.parameters == (of_text("asOf", "2026-02-20", "Date"),)


def test_the_same_parameters_give_the_same_digests_and_others_give_others(tmp_path: Path) -> None:
    first, again, other = (
        make_dataset(tmp_path / name, rows(200), query=AS_OF, parameters=(of_text("asOf", day, "Date"),))
        for name, day in (("a", "2026-02-20"), ("b", "2026-02-20"), ("c", "2026-02-21"))
    )

    assert digests(first) == digests(again)
    assert digests(first) != digests(other)


@pytest.mark.parametrize("text", INJECTIONS)
def test_an_attempt_to_break_out_of_the_query_finds_no_row(tmp_path: Path, text: str) -> None:
    query = "SELECT * FROM rows WHERE word = :word OR id >= 100"
    made = make_dataset(tmp_path, rows(200), query=query, parameters=(of_text("word", text),))

    assert made.rows_read == 100


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT :a, :b, :a", ("a", "b")),
        ("SELECT * FROM rows WHERE x IN (:a, :b) AND y BETWEEN :c AND :d LIMIT :e", ("a", "b", "c", "d", "e")),
        ("SELECT ':a', \":b\", $$ :c $$, $t$ :d $t$, E'\\':e' -- :f\n, /* :g /* :h */ :i */ :j", ("j",)),
        ("SELECT x::a, x[1:b], x[:c], {'k':d}, e:f", ()),
        ("SELECT {'k': :a}, [:b, :c], x[(:d)], list_transform(l, lambda v:v + :e)", ("a", "b", "c", "d", "e")),
        ("SELECT CASE WHEN :a THEN :b ELSE :c END, -:d, :e::INTEGER", ("a", "b", "c", "d", "e")),
        ("SELECT day AT TIME ZONE :zone, EXTRACT(year FROM :moment), ARRAY[:a]", ("zone", "moment", "a")),
    ],
)
def test_a_colon_is_a_parameters_only_where_a_value_begins(query: str, names: tuple[str, ...]) -> None:
    assert names_in_query(query) == names


@pytest.mark.parametrize(
    "query",
    [
        "SELECT [1, 2, 3][1:n] FROM (SELECT 2 AS n)",
        "SELECT [1, 2, 3][:n] FROM (SELECT 2 AS n)",
        "SELECT {'k':n} FROM (SELECT 2 AS n)",
        "SELECT total:n FROM (SELECT 2 AS n)",
        "SELECT list_transform([1, 2], lambda v:v + 1)",
    ],
)
def test_what_a_colon_means_to_the_engine_is_left_as_it_is(query: str) -> None:
    assert replace_names(query, lambda name: f"<{name}>") == query
    ENGINE.execute(query)


@given(
    st.lists(
        st.sampled_from(
            [
                "SELECT",
                ":a",
                "'",
                '"',
                "$$",
                "$t$",
                "--",
                "/*",
                "*/",
                "\n",
                " ",
                "E'",
                "\\",
                "(",
                ")",
                "[",
                "]",
                ",",
                "x",
            ]
        ),
        max_size=20,
    ).map("".join)
)
def test_where_the_engine_sees_a_text_or_a_comment_there_is_no_parameter(query: str) -> None:
    """The engine's own lexer says where each token begins; what begins with a colon there is alone a parameter."""
    try:
        tokens = duckdb.tokenize(query)
    except duckdb.Error:
        return
    begins = {start for start, _ in tokens}
    marked = replace_names(query, lambda name: f"\x00{name}\x00")
    place, offset = marked.find("\x00"), 0
    while place >= 0:
        assert place - offset in begins, query
        offset += 1
        place = marked.find("\x00", marked.find("\x00", place + 1) + 1)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT * FROM rows WHERE day <= :until", "uses :until, and the run has no such parameter"),
        ("SELECT * FROM rows WHERE day <= $asOf", r"has the variable \$asOf of the engine"),
        ("SELECT * FROM rows WHERE day <= ?", r"has the variable \? of the engine"),
    ],
)
def test_a_variable_that_is_no_parameter_of_the_run_is_refused(tmp_path: Path, query: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        make_dataset(tmp_path, rows(50), query=query, parameters=(of_text("asOf", "2026-02-20", "Date"),))

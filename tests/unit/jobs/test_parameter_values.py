"""A parameter's value has one text, whoever writes it, and means the same value to whoever reads it."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.parameters import ParameterType, Value, canonical_text, read_value, write_value

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
OF_TYPE: dict[ParameterType, st.SearchStrategy[Value]] = {
    "String": st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=256),
    "Integer": st.integers(-(2**63), 2**63 - 1),
    "Number": st.decimals(-(10**17), 10**17, allow_nan=False, places=9),
    "Boolean": st.booleans(),
    "Date": st.dates(),
    "Timestamp": st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES),
}
VALUES = st.sampled_from(sorted(OF_TYPE)).flatmap(lambda kind: st.tuples(st.just(kind), OF_TYPE[kind]))


@given(VALUES)
def test_any_value_of_any_type_is_read_back_from_its_text(typed: tuple[ParameterType, Value]) -> None:
    kind, value = typed
    assert read_value(kind, write_value(value)) == value


@given(VALUES)
def test_the_canonical_text_of_a_canonical_text_is_itself(typed: tuple[ParameterType, Value]) -> None:
    kind, value = typed
    assert canonical_text(kind, write_value(value)) == write_value(value)


@pytest.mark.parametrize(
    ("kind", "texts", "canonical"),
    [
        ("Integer", ["7", "+7", "007"], "7"),
        ("Number", ["1.5", "+1.50", "01.5"], "1.5"),
        ("Number", ["0", "-0", "0.00"], "0"),
        ("Number", ["100", "100.0"], "100"),
        ("Timestamp", ["2026-11-07T03:00:00Z", "2026-11-07t04:00:00.000+01:00"], "2026-11-07T03:00:00Z"),
        ("String", [" a "], " a "),
    ],
)
def test_texts_of_one_value_have_one_canonical_text(kind: ParameterType, texts: list[str], canonical: str) -> None:
    assert {canonical_text(kind, text) for text in texts} == {canonical}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("String", "two\nlines"),
        ("String", "a\x00b"),
        ("String", "\ud800"),
        ("Integer", "1.0"),
        ("Integer", "9223372036854775808"),
        ("Integer", ""),
        ("Integer", "7\n"),
        ("Integer", "٣"),
        ("Number", "1e3"),
        ("Number", "nan"),
        ("Boolean", "True"),
        ("Boolean", "1"),
        ("Date", "2026-02-30"),
        ("Date", "20261107"),
        ("Date", "2026-11-07T00:00:00Z"),
        ("Timestamp", "2026-11-07"),
        ("Timestamp", "2026-11-07T03:00:00"),
        ("Timestamp", "2026-11-07T03:00:00.1234567Z"),
        ("Timestamp", "0001-01-01T00:00:00+01:00"),
    ],
)
def test_a_text_of_another_type_is_refused(kind: ParameterType, text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not an? "):
        read_value(kind, text)


def test_each_type_is_read_as_its_own() -> None:
    assert read_value("Number", "0.10") == Decimal("0.1")
    assert read_value("Date", "2026-11-07") == date(2026, 11, 7)
    assert read_value("Timestamp", "2026-11-07T03:00:00Z") == datetime(2026, 11, 7, 3, tzinfo=UTC)
    assert read_value("Boolean", "false") is False

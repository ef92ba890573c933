"""Text in quotes that is a Python literal is that literal; nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.manifests import plain_value
from penstock.api.values import read_value, write_value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.0", 1.0),
        ("None", None),
        ("(64, 32)", (64, 32)),
        ("True", True),
        ("'1.0'", "1.0"),
        ("sqrt", "sqrt"),
        ("true", "true"),
        ("1e-3", 0.001),
        ("", ""),
        ("__import__('os')", "__import__('os')"),
        (3, 3),
        (0.5, 0.5),
        (True, True),
    ],
)
def test_a_literal_in_quotes_is_that_literal(written: bool | float | str, meant: object) -> None:
    value = read_value(written)
    assert value == meant
    assert type(value) is type(meant)


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=50)
)


@given(scalars | st.tuples(scalars, scalars))
def test_a_value_written_is_the_value_read(value: float | tuple[float, float] | None) -> None:
    read = read_value(write_value(value))
    assert read == value
    assert type(read) is type(value)


@given(st.text(max_size=200))
def test_no_text_whatever_is_run_or_brings_it_down(text: str) -> None:
    read_value(text)


def test_text_that_nests_without_end_is_text() -> None:
    assert read_value("(" * 900) == "(" * 900


def test_a_number_beyond_64_bits_is_a_float_wherever_it_is_read() -> None:
    from_file = plain_value("1e19")
    from_server = 10000000000000000000  # what Go writes for 1e19, and Python reads as an integer
    for value in (from_file, from_server):
        assert (type(read_value(value)), read_value(value)) == (float, 1e19)
    assert read_value("10000000000000000000") == 10**19
    assert isinstance(read_value("10000000000000000000"), int)

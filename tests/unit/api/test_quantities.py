"""Amounts in a manifest are read exactly, or refused with a sentence that names the field."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.quantities import read_bytes, read_duration, read_number, read_quantity, read_share
from penstock.api.scalars import DECIMAL, DURATION, QUANTITY, SHARE
from penstock_jobs.contract.errors import Refused


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h", 3600), ("1h30m", 5400), ("30d", 2592000), ("2w", 1209600), ("500ms", 0.5)]
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert read_duration(text, "timeout") == seconds


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        (4, "4"),
        ("4", "4"),
        ("500m", "0.5"),
        ("2Gi", "2147483648"),
        ("10G", "10000000000"),
        ("1e3", "1000"),
        ("1.5Ki", "1536"),
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(quantity: int | str, amount: str) -> None:
    assert read_quantity(quantity, "cpu") == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "share"), [("20%", 0.2), ("0.2", 0.2), (".2", 0.2), ("100%", 1), ("0", 0), ("2.5%", 0.025)]
)
def test_a_share_is_a_percentage_or_a_number(text: str, share: float) -> None:
    assert read_share(text, "testing") == share


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (read_duration, "1 hour", "f is '1 hour', which is no duration; write one as 90s, 1h30m or 30d."),
        (read_duration, "", "f is '', which is no duration; write one as 90s, 1h30m or 30d."),
        (read_duration, "h", "f is 'h', which is no duration; write one as 90s, 1h30m or 30d."),
        (read_quantity, "2GB", "f is '2GB', which is no quantity; write one as 2, 500m, 2Gi or 10G."),
        (read_quantity, "-1", "f is '-1', which is no quantity; write one as 2, 500m, 2Gi or 10G."),
        (read_bytes, "1m", "f is '1m', which is less than one byte; write an amount as 2Gi."),
        (read_share, "120%", "f is '120%', and a share is between 0% and 100%; write one as 20%."),
        (read_share, "a fifth", "f is 'a fifth', which is not a share; write one as 20% or, in quotes, as \"0.2\"."),
        (read_number, "high", "f is 'high', which is not a number; write one in quotes, as \"0.8\"."),
        (read_number, "nan", "f is 'nan', which is not a number; write one in quotes, as \"0.8\"."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_field_and_an_example(
    read: Callable[[str, str], object], text: str, sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(text, "f")
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("pattern", "read"),
    [(DURATION, read_duration), (QUANTITY, read_quantity), (SHARE, read_share), (DECIMAL, read_number)],
)
def test_whatever_the_schema_lets_through_can_be_read(pattern: str, read: Callable[[str, str], float]) -> None:
    @given(st.from_regex(pattern.replace("$", r"\Z"), alphabet=st.characters(codec="ascii")))
    def readable(text: str) -> None:
        assert read(text, "f") >= 0 or pattern == DECIMAL

    readable()

"""JSON as the API server writes it itself: an immutable field is compared to the byte."""

import json

from hypothesis import given
from hypothesis import strategies as st

from penstock.kubernetes.connection import encode

TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(TREES)
def test_whatever_is_written_is_read_back(tree: object) -> None:
    assert json.loads(encode(tree)) == tree


@given(st.dictionaries(st.text(max_size=8), st.integers(0, 9), max_size=8))
def test_keys_are_in_the_order_of_their_bytes(tree: dict[str, int]) -> None:
    keys = [key.encode() for key in json.loads(encode(tree))]

    assert keys == sorted(keys)


def test_what_gos_encoder_escapes_is_escaped() -> None:
    assert encode({"b": "<a>&é\u2028", "a": 1}) == '{"a":1,"b":"\\u003ca\\u003e\\u0026é\\u2028"}'.encode()

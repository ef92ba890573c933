"""Objects kept small."""

import json

from hypothesis import given
from hypothesis import strategies as st

from penstock.act.packing import Packing, unpack


@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(max_size=20_000)), max_size=8))
def test_what_was_packed_comes_out_as_it_was_whatever_was_packed_before_and_after(
    contents: list[tuple[str, bytes]],
) -> None:
    packing = Packing()
    packed = [packing.pack(kind, content) for kind, content in contents]

    assert [unpack(*each) for each in packed] == [content for _, content in contents]


def test_the_second_of_two_that_are_much_alike_takes_next_to_nothing() -> None:
    packing = Packing()
    conditions = [{"type": f"Type{number}", "status": "True", "message": f"sentence {number}"} for number in range(20)]
    first, second = (json.dumps({"name": name, "conditions": conditions}).encode() for name in ("one", "two"))
    packing.pack("Pod", first)

    assert len(packing.pack("Pod", second)[0]) < len(second) / 20

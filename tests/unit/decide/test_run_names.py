"""A run gets the name that was wished for, or with an index; its object a name whose children's names still fit."""

import re

from hypothesis import given
from hypothesis import strategies as st

from penstock.api.scalars import SUBDOMAIN
from penstock.decide.execution_name import first_free
from penstock.decide.names import LONGEST, run_name

wishes = st.from_regex(r"[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,50}[a-zA-Z0-9])?", fullmatch=True)
pipelines = st.from_regex(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?", fullmatch=True)


def test_a_name_that_is_taken_gets_an_index() -> None:
    assert first_free("test", set()) == ("test", 1)
    assert first_free("test", {"test"}) == ("test_2", 2)
    assert first_free("test", {"test", "test_2", "test_4"}) == ("test_3", 3)


@given(wishes, st.integers(1, 20))
def test_runs_that_wish_for_one_name_never_share_it(wish: str, number: int) -> None:
    taken: set[str] = set()
    for index in range(1, number + 1):
        name, given_index = first_free(wish, taken)
        assert name not in taken
        assert given_index == index
        taken.add(name)


@given(pipelines, wishes)
def test_the_name_of_a_runs_object_is_one_that_kubernetes_takes_and_fits(pipeline: str, execution: str) -> None:
    name = run_name(pipeline, execution, ())
    assert len(name) <= LONGEST
    assert re.fullmatch(SUBDOMAIN, name)
    assert name == run_name(pipeline, execution, ())


@given(pipelines, wishes, wishes)
def test_two_runs_never_get_one_object(pipeline: str, one: str, other: str) -> None:
    first = run_name(pipeline, one, ())
    assert one == other or run_name(pipeline, other, {first}) != first

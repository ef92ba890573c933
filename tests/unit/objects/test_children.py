"""Names, labels and owners of children: the same each time, and never those of another owner's."""

import re

from hypothesis import given
from hypothesis import strategies as st

from penstock.decide.objects.children import Owner, child_name, labels, owner_reference, volume_name

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?)?", fullmatch=True)
owners = st.builds(Owner, namespace=st.just("team"), name=names, uid=st.uuids().map(str), pipeline=names)
parts = st.sampled_from(["dataset", "source", "training", "testing", "testing-again", "results", "revision"])
words = st.text("ab-", min_size=1, max_size=5) | st.text(min_size=1, max_size=70)
attempts = st.integers(1, 12)


@given(owners, parts, attempts)
def test_a_name_is_a_dns_label_that_leaves_room_for_those_of_pods(owner: Owner, part: str, attempt: int) -> None:
    name = child_name(owner, part, attempt)

    assert LABEL.fullmatch(name)
    assert len(name) <= 52


@given(owners, parts, attempts)
def test_a_name_is_the_same_each_time(owner: Owner, part: str, attempt: int) -> None:
    assert child_name(owner, part, attempt) == child_name(owner, part, attempt)


@given(st.lists(st.tuples(owners, parts, attempts, attempts), unique=True, min_size=2, max_size=20))
def test_no_two_children_have_one_name(children: list[tuple[Owner, str, int, int]]) -> None:
    identities = {(owner.uid, *others) for owner, *others in children}

    assert len({child_name(*child) for child in children}) >= len(identities)


@given(owners, owners, parts)
def test_an_object_made_again_under_an_old_name_never_meets_the_old_children(old: Owner, new: Owner, part: str) -> None:
    again = Owner(namespace=old.namespace, name=old.name, uid=new.uid, pipeline=old.pipeline)

    assert (child_name(again, part) == child_name(old, part)) == (old.uid == new.uid)


@given(owners, parts, attempts)
def test_labels_are_values_that_the_api_server_takes(owner: Owner, part: str, attempt: int) -> None:
    assert all(VALUE.fullmatch(value) and len(value) <= 63 for value in labels(owner, part, attempt).values())


def test_an_owner_holds_up_no_deletion() -> None:
    reference = owner_reference(Owner("team", "churn-1", "0f", "churn"))

    assert "blockOwnerDeletion" not in reference
    assert reference["controller"] is True


@given(st.lists(st.tuples(words, words), unique=True, max_size=9))
def test_names_of_volumes_are_labels_and_never_alike(volumes: list[tuple[str, str]]) -> None:
    made = [volume_name("credentials", *volume) for volume in volumes]

    assert all(LABEL.fullmatch(name) and len(name) <= 63 for name in made)
    assert len(set(made)) == len(made)

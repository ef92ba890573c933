"""How many runs of a Trigger wait: never fewer than there are for long, and never more for ever."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from penstock.kubernetes.kinds import Object
from penstock.receiver.follow import PendingRuns

NAMES = some.sampled_from("abc")


def make_run(name: str, *, suspend: bool = True, cancel: bool = False) -> Object:
    owner = {"kind": "Trigger", "name": "arrivals", "uid": "t", "controller": True}
    metadata = {"namespace": "team", "name": name, "ownerReferences": [owner]}
    return {"metadata": metadata, "spec": {"suspend": suspend, "cancel": cancel}}


def test_a_run_that_began_before_its_own_answer_came_is_not_counted_for_ever() -> None:
    pending = PendingRuns()

    assert pending.reserve(make_run("a"))
    pending.put(make_run("a"))
    pending.remove(make_run("a"))  # it began, and only now the answer to its creation comes

    assert pending.count("t") == 0


def test_a_run_is_counted_from_before_it_is_made_until_it_begins() -> None:
    pending = PendingRuns()

    counts = [pending.reserve(make_run("a")) and pending.count("t")]
    pending.put(make_run("a"))
    counts.append(pending.count("t"))
    pending.put(make_run("a", suspend=False))
    assert [*counts, pending.count("t")] == [1, 1, 0]


def test_a_run_that_only_says_that_a_trigger_made_it_is_not_counted() -> None:
    pending = PendingRuns()

    pending.put({"metadata": {"namespace": "team", "name": "a"}, "spec": {"suspend": True, "trigger": {"uid": "t"}}})

    assert pending.count("t") == 0


def test_a_second_delivery_takes_no_place_and_gives_none_back() -> None:
    pending = PendingRuns()
    pending.put(make_run("a"))

    assert not pending.reserve(make_run("a"))
    assert pending.count("t") == 1


def test_a_run_that_was_not_made_gives_its_place_back() -> None:
    pending = PendingRuns()
    assert pending.reserve(make_run("a"))

    pending.release(make_run("a"))

    assert (pending.count("t"), len(pending)) == (0, 0)


@given(some.lists(some.tuples(some.sampled_from(["put", "begin", "cancel", "remove", "reserve", "release"]), NAMES)))
def test_after_a_new_list_exactly_those_in_it_are_counted(steps: list[tuple[str, str]]) -> None:
    pending = PendingRuns()
    does: dict[str, Any] = {
        "put": lambda name: pending.put(make_run(name)),
        "begin": lambda name: pending.put(make_run(name, suspend=False)),
        "cancel": lambda name: pending.put(make_run(name, cancel=True)),
        "remove": lambda name: pending.remove(make_run(name)),
        "reserve": lambda name: pending.reserve(make_run(name)),
        "release": lambda name: pending.release(make_run(name)),
    }
    for step, name in steps:
        does[step](name)
        assert 0 <= pending.count("t") == len(pending) <= 3

    pending.replace(None, [make_run("x"), make_run("y", suspend=False)])
    assert pending.count("t") == 1

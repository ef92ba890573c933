"""The first process starts programs in order, and tells a program that died from one that is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testcluster.machine.programs_of_the_cluster import Program
from testcluster.machine.supervisor import TRIES, SupervisorState
from testcluster.sentences import Lacking

FAILED = 1 << 8  # a wait status of exit code 1

STORE = Program("store", ("store",), ready_at="http://")
SERVER = Program("server", ("server",), ("store",), "http://")
TASK = Program("task", ("task",), ("server",), task=True)


def state() -> SupervisorState:
    return SupervisorState({each.name: each for each in (STORE, SERVER, TASK)})


def names(programs: list[Program]) -> list[str]:
    return [program.name for program in programs]


def test_a_program_starts_once_what_it_needs_is_ready() -> None:
    now = state()
    assert names(now.startable_programs()) == ["store"]
    now.running[1] = "store"
    assert names(now.startable_programs()) == []
    now.ready.add("store")
    assert names(now.startable_programs()) == ["server"]


def test_a_program_that_died_after_it_was_ready_starts_again_and_again() -> None:
    now = state()
    now.ready |= {"store", "server"}
    for pid in range(1, 5 * TRIES):
        now.running = {pid: "store", 1000: "server", 1001: "task"}
        now.note_end(pid, 9)
        assert names(now.startable_programs()) == ["store"]


def test_a_program_that_is_never_ready_is_given_up_with_its_name() -> None:
    now = state()
    for pid in range(1, TRIES):
        now.running[pid] = "store"
        now.note_end(pid, FAILED)
    now.running[TRIES] = "store"
    with pytest.raises(Lacking, match=f"^store ended {TRIES} times before it was ready$"):
        now.note_end(TRIES, FAILED)


def test_a_task_that_is_done_is_ready_and_not_started_again() -> None:
    now = state()
    now.ready |= {"store", "server"}
    now.running = {1: "store", 2: "server", 3: "task"}
    now.note_end(3, 0)
    assert "task" in now.ready
    assert names(now.startable_programs()) == []


@given(st.integers(min_value=2, max_value=1 << 22))
def test_processes_that_were_left_to_it_are_buried_without_a_word(pid: int) -> None:
    now = state()
    now.running = {1: "store"}
    now.note_end(pid, FAILED)
    assert now.running == {1: "store"}
    assert now.deaths == {}

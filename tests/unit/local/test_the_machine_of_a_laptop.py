"""A laptop as a cluster of one: what becomes of processes, and of runs that nobody works on."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.api.run import PipelineRun
from penstock.decide.run.leaving import interrupted, superseded
from penstock.local.execution import Work
from penstock.local.locks import hold_lock
from unit.decide_run import examples_of_runs as examples
from unit.local.two_worlds import RUN, Case, End, LaptopWorld

HANGS = End(hangs=True)
NOW = "2026-03-01T12:00:00Z"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LaptopWorld]:
    """A run whose training hangs at first, and is not tried again."""
    once = {"jobs": [{"name": "training", "retries": {"limit": 0}}]}
    world = LaptopWorld(Case({"training": [HANGS]}, pipeline=once), tmp_path)
    yield world
    world.kubelet.close()


def until_at_work(world: LaptopWorld, part: str, work: Work | None = None) -> None:
    """Go on until the process of the part has begun, and will hang."""
    work = work or world.work
    for _ in range(40):
        while work.turn():
            pass
        if part in {each.part for each in work.jobs.kubelet.containers}:
            while not (world.folder / f"{part}.tries").exists():
                work.jobs.kubelet.wait(0.02)
            return
        assert work.jobs.kubelet.at_work, f"{part} does not begin"
        work.jobs.kubelet.wait(20.0)
    raise AssertionError(part)


def status(world: LaptopWorld, run: str = RUN) -> dict[str, Any]:
    found = world.objects.find("PipelineRun", run)
    assert found is not None
    return dict(found["status"])


def step(world: LaptopWorld, name: str, run: str = RUN) -> dict[str, Any]:
    return next(each for each in status(world, run)["steps"] if each["name"] == name)


def test_a_job_that_went_with_its_command_is_started_again_and_costs_no_try(world: LaptopWorld) -> None:
    until_at_work(world, "training")
    left = world.kubelet
    world.work = world.command()  # as after `kill -9`: nobody has said how the process ended
    with closing(left):
        ended = world.to_end()

    assert [each["state"] for each in ended["steps"]] == ["Succeeded"] * 4
    assert step(world, "training")["jobName"] == "churn-1-training-" + step(world, "training")["jobName"][-10:]


def test_a_job_that_is_stopped_with_its_command_costs_no_try(world: LaptopWorld) -> None:
    until_at_work(world, "training")
    world.kubelet.close()
    world.work = world.command()

    assert [each["state"] for each in world.to_end()["steps"]] == ["Succeeded"] * 4


def test_the_time_in_which_nobody_works_on_a_run_is_not_its_jobs(tmp_path: Path) -> None:
    limited = {"jobs": [{"name": "training", "timeout": "10s", "retries": {"limit": 0}}]}
    world = LaptopWorld(Case({"training": [HANGS]}, pipeline=limited), tmp_path)
    until_at_work(world, "training")
    world.kubelet.close()
    world.advance_clock(10**6)
    world.work = world.command()

    assert world.to_end()["conditions"][0]["status"] == "True"


def second_run(world: LaptopWorld) -> Work:
    created = "2026-03-01T12:00:01Z"
    world.objects.create(examples.run("churn-2", uid="11111111-9d1e-4b7a-8a55-6f1f5b6d2c11", created=created))
    return world.command("churn-2")


def test_a_run_that_another_process_works_on_is_waited_for(tmp_path: Path) -> None:
    world = LaptopWorld(Case({"dataset": [HANGS, HANGS]}), tmp_path)
    with closing(world.kubelet), hold_lock(world.objects.home.run_lock(examples.RUN_UID)):
        until_at_work(world, "dataset")
        other = second_run(world)
        while other.turn():
            pass

        assert step(world, "dataset", "churn-2")["reason"] == "EarlierRun"
        assert not other.jobs.kubelet.at_work


def test_a_run_that_nobody_works_on_makes_no_other_wait(tmp_path: Path) -> None:
    world = LaptopWorld(Case({"dataset": [HANGS, HANGS]}), tmp_path)
    until_at_work(world, "dataset")
    world.kubelet.close()
    other = second_run(world)
    with closing(other.jobs.kubelet):
        until_at_work(world, "dataset", other)

    assert step(world, "dataset")["state"] == "Running"  # as it was left


def test_no_two_processes_write_the_tables_of_a_pipeline_at_once(world: LaptopWorld) -> None:
    with hold_lock(world.objects.home.lock("dataset-churn")):
        while world.work.turn():
            pass
        assert not world.kubelet.at_work
    until_at_work(world, "dataset")


def running(world: LaptopWorld) -> PipelineRun:
    return msgspec.convert(world.objects.find("PipelineRun", RUN), PipelineRun)


def test_a_run_that_is_left_says_so_and_what_it_was_at_is_to_be_done(world: LaptopWorld) -> None:
    until_at_work(world, "training")
    left = interrupted(running(world), "It was stopped by SIGINT.", NOW).status

    assert left is not None
    assert [each.state for each in left.steps] == ["Succeeded", "Pending", "Pending", "Pending"]
    assert (left.conditions[0].status, left.conditions[0].reason) == ("Unknown", "Interrupted")
    assert left.completion_time is None


def test_a_run_that_another_one_replaces_has_ended_in_each_of_its_steps(world: LaptopWorld) -> None:
    until_at_work(world, "training")
    ended = superseded(running(world), NOW).status

    assert ended is not None
    assert [each.state for each in ended.steps] == ["Succeeded", "Cancelled", "Cancelled", "Cancelled"]
    assert (ended.conditions[0].status, ended.conditions[0].reason) == ("False", "Superseded")
    assert ended.completion_time == NOW

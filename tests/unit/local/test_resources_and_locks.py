"""The laptop as a tiny API server: resources as files, changed one at a time, and locks that die with their holders."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline, PipelineSpec, PipelineStatus
from penstock.local.home import Home, find_home
from penstock.local.locks import hold_lock, is_free, try_lock
from penstock.local.resources import Resources
from penstock.local.resume import apply_pipeline
from penstock_jobs.contract.errors import Refused

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    return Resources(Home(tmp_path), clock=lambda: NOON, new_uid=lambda: "uid-1")


def pipeline(name: str = "churn", description: str = "first") -> Pipeline:
    return Pipeline(
        api_version="penstock.dev/v1alpha1",
        kind="Pipeline",
        metadata=ObjectMeta(name=name),
        spec=PipelineSpec(description=description),
    )


def test_a_new_resource_gets_the_metadata_that_a_server_gives(resources: Resources) -> None:
    created = resources.create(pipeline())

    assert created.metadata.uid == "uid-1"
    assert created.metadata.generation == 1
    assert created.metadata.creation_timestamp == "2026-01-01T12:00:00Z"
    assert resources.get(Pipeline, "churn") == created


def test_the_generation_counts_the_changes_of_the_spec_alone(resources: Resources) -> None:
    apply_pipeline(resources, pipeline(), "/folder")
    apply_pipeline(resources, pipeline(), "/folder")
    changed = apply_pipeline(resources, pipeline(description="second"), "/folder")
    status = PipelineStatus(models=3)
    noted = resources.change(Pipeline, "churn", lambda before: msgspec.structs.replace(before, status=status))

    assert changed.metadata.generation == 2
    assert noted.metadata.generation == 2
    assert noted.metadata.uid == "uid-1"


def test_changes_by_many_at_once_are_all_kept(resources: Resources) -> None:
    resources.create(pipeline())

    def count(before: Pipeline) -> Pipeline:
        models = before.status.models or 0 if before.status else 0
        return msgspec.structs.replace(before, status=PipelineStatus(models=models + 1))

    threads = [threading.Thread(target=lambda: resources.change(Pipeline, "churn", count)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = resources.get(Pipeline, "churn").status
    assert kept is not None
    assert kept.models == 20


def test_what_is_not_there_is_refused_with_what_is(resources: Resources) -> None:
    resources.create(pipeline())

    with pytest.raises(Refused, match=r"There is no Pipeline chrun .*; there are churn"):
        resources.get(Pipeline, "chrun")


@pytest.mark.parametrize("name", ["../outside", "a/b", ".hidden", "", "A"])
def test_no_name_leads_out_of_the_folder(resources: Resources, name: str) -> None:
    assert resources.find(Pipeline, name) is None
    with pytest.raises(Refused):
        resources.create(pipeline(name))


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with hold_lock(path):
        with try_lock(path) as second:
            assert second is None
        assert not is_free(path)
    assert is_free(path)


def test_a_lock_goes_with_a_killed_holder_and_is_inherited_by_its_child(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    child = "import sys; print('held', flush=True); sys.stdin.read()"
    with hold_lock(path) as descriptor:
        process = subprocess.Popen(
            [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[descriptor]
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
    inherited = not is_free(path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    assert inherited
    assert is_free(path)


def test_the_home_is_the_option_then_the_variable_then_the_platforms(tmp_path: Path) -> None:
    variable = {"PENSTOCK_HOME": str(tmp_path / "variable")}

    assert find_home(tmp_path / "option", variable).root == tmp_path / "option"
    assert find_home(None, variable).root == tmp_path / "variable"
    assert find_home(None, {}).root.name == "penstock"

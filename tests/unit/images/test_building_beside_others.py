"""Several processes build at once: each image once, and what killed builds left goes only when nobody builds."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from penstock_images import locks

DEADLINE = 20.0


@pytest.fixture
def cleaned() -> list[str]:
    return []


def building(folder: Path, name: str, cleaned: list[str], said: Callable[[str], None] = lambda _: None) -> Any:
    return locks.lock_image(folder, name, lambda: cleaned.append(name), said)


def test_who_builds_alone_cleans_first(tmp_path: Path, cleaned: list[str]) -> None:
    with building(tmp_path, "jobs", cleaned):
        assert cleaned == ["jobs"]


def test_another_image_is_built_beside_and_nothing_is_cleaned_under_the_first(
    tmp_path: Path, cleaned: list[str]
) -> None:
    with building(tmp_path, "torch", cleaned), building(tmp_path, "jobs", cleaned):
        assert cleaned == ["torch"]


def test_the_same_image_is_waited_for(tmp_path: Path, cleaned: list[str]) -> None:
    waits, had = Event(), Event()

    def other() -> None:
        with building(tmp_path, "jobs", cleaned, lambda _: waits.set()):
            had.set()

    thread = Thread(target=other)
    with building(tmp_path, "jobs", cleaned):
        thread.start()
        assert waits.wait(DEADLINE)
        assert not had.is_set()
    thread.join(DEADLINE)
    assert had.is_set()


def test_the_lock_of_a_killed_build_goes_on_with_the_engine_that_it_started(tmp_path: Path, cleaned: list[str]) -> None:
    with building(tmp_path, "jobs", cleaned):
        engine = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    with building(tmp_path, "serving", cleaned):
        assert cleaned == ["jobs"]  # somebody is still building
    engine.communicate()
    with building(tmp_path, "operator", cleaned):
        assert cleaned == ["jobs", "operator"]

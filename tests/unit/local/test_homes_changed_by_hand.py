"""One field of one file of a finished home is of another type, or gone: a sentence says so, and nothing is lost."""

import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import cli
from penstock.api.decoding import CannotBeRead
from penstock.local.home import Home
from penstock.local.mapping import LocalMapping
from penstock.local.object_files import read_object
from penstock.local.objects import Objects
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.reconcile import Reconciler
from penstock.local.site import Laptop
from penstock_jobs.contract.errors import JobError
from unit.local.two_worlds import RUN, Case, LaptopWorld
from unit.local.watched_home import trigger

Step = str | int
GONE = object()
ACTS = 16  # of `commands` and `reconciles`
OTHERS: tuple[Any, ...] = (None, True, 7, -1.5, "x", "", [], [1], {}, {"a": 1}, GONE)


@dataclass(frozen=True)
class FinishedHome:
    """A home whose run has ended and whose Model is served, with a Trigger that has fired; and its Model's name."""

    root: Path
    model: str
    now: datetime

    @property
    def files(self) -> list[Path]:
        """The files of its objects."""
        found = [*self.root.glob("resources/*/*.json"), *self.root.glob("runs/*/objects/*/*.json")]
        return sorted(path.relative_to(self.root) for path in found)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedHome:
    world = LaptopWorld(Case(), tmp_path_factory.mktemp("world"))
    world.to_end()
    made = trigger(historyLimits={"succeeded": 1, "failed": 1}, failureLimit=3)
    world.objects.create(json.loads(msgspec.json.encode(made)))
    for _ in range(3):
        world.advance_clock(4000)
        reconciler = world.work.reconciler
        while reconciler.pipeline("churn").wrote or reconciler.trigger("hourly").wrote:
            pass
    (model,) = world.objects.names("Model")
    return FinishedHome(world.objects.home.root, model, world.moment + timedelta(hours=1))


def paths_in(value: Any, above: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    below: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in below:
        yield (*above, step)
        yield from paths_in(each, (*above, step))


def with_other(value: Any, path: tuple[Step, ...], other: Any) -> Any:
    """Return a copy of the value in which what is at the path is another, or gone."""
    made = json.loads(json.dumps(value))
    within = made
    for step in path[:-1]:
        within = within[step]
    if other is GONE:
        del within[path[-1]]
    else:
        within[path[-1]] = other
    return made


def commands(home: Path, model: str) -> list[Callable[[], object]]:
    """Return what people ask of a home."""
    asked = [
        ["pipelines"],
        ["runs"],
        ["describe", RUN],
        ["describe", RUN, "--output", "json"],
        ["logs", RUN],
        ["report", RUN],
        ["models"],
        ["triggers"],
        ["describe", "trg/hourly"],
        ["triggers", "next", "hourly"],
        ["deploy", model],
        ["deploy", "churn", "--unpin"],
    ]
    return [partial(cli.main, [*words, "--home", str(home)]) for words in asked]


def reconciles(home: Path, now: datetime) -> list[Callable[[], object]]:
    """Return what `penstock run` and `penstock watch` do to a home beside their jobs."""
    objects, mapped = Objects(Home(home), clock=lambda: now), LocalMapping(home / "local.yaml")
    reconciler = Reconciler(Observer(objects, Laptop(LaptopPlaces(objects.home, mapped, home))))
    return [
        lambda: reconciler.run(RUN),
        lambda: reconciler.pipeline("churn"),
        lambda: reconciler.trigger("hourly"),
        lambda: reconciler.records("churn"),
    ]


def outcome(act: Callable[[], object]) -> tuple[int, str]:
    """Return the exit code of what is asked, and what it says on standard error."""
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        try:
            act()
        except SystemExit as ended:
            return int(str(ended.code)), said.getvalue()
        except JobError as error:
            return 2, f"penstock: {error}\n"
    return 0, said.getvalue()


def check(finished: FinishedHome, home: Path, file: Path, content: bytes, numbers: Sequence[int]) -> None:
    """Check what becomes of a copy of the home in which that file has this content; `numbers` say what is asked."""
    shutil.copytree(finished.root, home)
    (home / file).write_bytes(content)
    acts = (*commands(home, finished.model), *reconciles(home, finished.now))
    for number in numbers:
        code, said = outcome(acts[number])

        assert code in (0, 2), said
        assert all(line.startswith("penstock: ") for line in said.splitlines()), said
    if not is_readable(home / file):
        assert (home / file).read_bytes() == content
        assert [each for each in finished.files if not (home / each).exists()] == []


def is_readable(file: Path) -> bool:
    try:
        read_object(file)
    except CannotBeRead:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sets(st.integers(0, ACTS - 1), min_size=4, max_size=4))
def test_nothing_raises_anything_but_a_sentence_and_what_cannot_be_read_stays(
    finished: FinishedHome, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, numbers: set[int]
) -> None:
    file = data.draw(st.sampled_from(finished.files))
    found = json.loads((finished.root / file).read_bytes())
    path = data.draw(st.sampled_from(list(paths_in(found))))
    content = json.dumps(with_other(found, path, data.draw(st.sampled_from(OTHERS)))).encode()
    folder = tmp_path_factory.mktemp("copy")

    check(finished, folder / "home", file, content, sorted(numbers))

    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("kind", "path", "other"),
    [
        ("services", "spec.ports", "x"),
        ("services", "spec.selector", [1]),
        ("deployments", "metadata.labels", None),
        ("deployments", "metadata.ownerReferences", 7),
        ("models", "metadata.labels", None),
        ("pipelineruns", "spec.trigger", 7),
        ("pipelineruns", "metadata.creationTimestamp", "x"),
        ("pipelineruns", "metadata.finalizers", "x"),
        ("controllerrevisions", "data.uid", GONE),
    ],
)
def test_what_was_once_a_traceback_is_a_sentence(
    finished: FinishedHome, tmp_path: Path, kind: str, path: str, other: Any
) -> None:
    *_, file = (each for each in finished.files if each.parts[:2] == ("resources", kind))
    content = json.dumps(with_other(json.loads((finished.root / file).read_bytes()), tuple(path.split(".")), other))

    check(finished, tmp_path / "home", file, content.encode(), range(ACTS))

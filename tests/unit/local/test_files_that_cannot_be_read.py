"""A file of a home that holds no object: it is in nobody's way but of whoever asks for it, and stays as it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import cli
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.decide.cleaning.reconcile import decide as decide_record
from penstock.decide.decision import Delete, Patch, Write
from penstock.decide.objects.children import PIPELINE
from penstock.decide.pipeline.reconcile import decide
from penstock.local.home import Home
from penstock.local.objects import Object, Objects
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused
from unit.decide_run import examples_of_runs as examples
from unit.local.two_worlds import Case, LaptopWorld

CONTENTS = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b"7",
    b"null",
    b"{}",
    b"[" * 100_000,
    b'{"kind": "Pipeline", "metadata": []}',
    b'{"kind": "Pipeline", "metadata": {"name": "broken", "uid": "1"}}',
    b'{"kind": "Pipeline", "metadata": {"name": "churn", "uid": "1"}, "spec": {}}',
    b'{"kind": "Pipeline", "metadata": {"name": "broken"}, "spec": {}}',
]


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    made = Resources(Home(tmp_path))
    made.objects.create(examples.pipeline(storage=None))
    return made


def broken(home: Path, kind: str = "Pipeline", content: bytes = b"{", name: str = "broken") -> Path:
    path = home / "resources" / f"{kind.lower()}s" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content[:40].decode(errors="replace") or "empty")
def test_it_is_passed_over_in_a_list_and_told_of_once_by_its_file(
    resources: Resources, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = broken(resources.home.root, content=content)

    listed = [resources.list(Pipeline), resources.list(Pipeline)]

    assert [[each.metadata.name for each in found] for found in listed] == [["churn"], ["churn"]]
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"penstock: {path} cannot be read: ")
    assert "mend that file, or move it out of its folder." in sentence


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["kind", "metadata", "name", "uid", "spec", "status", "labels", "jobs", "origin"]),
                inner,
            )
            | st.lists(inner)
        ),
    )
)
def test_no_file_whatever_it_holds_stops_a_list(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    home = tmp_path_factory.mktemp("home")
    for kind in ("Pipeline", "PipelineRun", "Model"):
        broken(home, kind, json.dumps(content).encode())
    resources = Resources(Home(home))

    assert [resources.list(Pipeline), resources.list(PipelineRun), resources.list(Model)] == [[], [], []]


def test_who_asks_for_it_by_its_name_is_refused_with_the_file(resources: Resources) -> None:
    path = broken(resources.home.root)

    with pytest.raises(Refused, match=f"{path} cannot be read: .* It is left as it is; mend that file"):
        resources.get(Pipeline, "broken")


@pytest.mark.parametrize(
    "act",
    [
        lambda objects: objects.create(examples.pipeline(storage=None) | {"metadata": {"name": "broken"}}),
        lambda objects: objects.apply(examples.pipeline(storage=None) | {"metadata": {"name": "broken"}}),
        lambda objects: objects.change("Pipeline", "broken", lambda there: {**there, "spec": {}}),
        lambda objects: objects.remove("Pipeline", "broken"),
    ],
    ids=["create", "apply", "change", "remove"],
)
def test_it_is_never_written_again(resources: Resources, act: Callable[[Objects], object]) -> None:
    path = broken(resources.home.root)

    with pytest.raises(Refused):
        act(resources.objects)

    assert path.read_bytes() == b"{"


def test_a_patch_that_something_else_brings_along_leaves_it_as_it_is(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    path = broken(resources.home.root)

    assert not resources.objects.patch(Patch("penstock.dev/v1alpha1", "Pipeline", "", "broken", "", {"spec": {}}))
    assert path.read_bytes() == b"{"
    assert str(path) in capsys.readouterr().err


def test_the_command_that_lists_its_kind_ends_well_with_a_line_on_standard_error(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    home = resources.home.root
    path = broken(home)

    with pytest.raises(SystemExit) as exit_:
        cli.main(["pipelines", "--home", str(home)])

    printed = capsys.readouterr()
    assert exit_.value.code == 0
    assert "churn" in printed.out
    assert [line.split(" cannot be read")[0] for line in printed.err.splitlines()] == [f"penstock: {path}"]


def test_what_can_be_read_as_an_object_and_not_as_its_kind_is_told_of_too(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    found = msgspec.json.decode(msgspec.json.encode(examples.pipeline()))
    found["metadata"] |= {"name": "broken", "uid": "1"}
    broken(resources.home.root, content=msgspec.json.encode({**found, "spec": {**found["spec"], "dataset": 7}}))

    assert [each.metadata.name for each in resources.list(Pipeline)] == ["churn"]
    assert "Pipeline broken (generation 1) cannot be read: spec.dataset " in capsys.readouterr().err


def test_no_version_of_a_table_goes_while_a_model_may_have_been_made_of_it(tmp_path: Path) -> None:
    world = LaptopWorld(Case(), tmp_path)
    broken(world.objects.home.root, "Model")
    world.to_end()

    (asked,) = (tmp_path / "home" / "runs").glob("*/specifications/dataset.json")
    assert json.loads(asked.read_bytes())["keepVersions"] == 31536000000.0


@pytest.mark.parametrize("kind", ["Pipeline", "PipelineRun"])
def test_no_model_goes_while_a_pipeline_or_run_may_refer_to_it(tmp_path: Path, kind: str) -> None:
    world = LaptopWorld(Case(), tmp_path)
    world.to_end()
    objects, observer = world.objects, world.work.reconciler.observer
    objects.change("Pipeline", "churn", lambda there: {**there, "spec": {**there["spec"], "retention": {"models": 1}}})
    (model, *_) = objects.all_of("Model")
    labels = {name: value for name, value in model["metadata"]["labels"].items() if name == PIPELINE}
    spec = {**model["spec"], "creationTime": "2020-01-01T00:00:00Z"}
    objects.create({**model, "metadata": {"name": "old", "labels": labels}, "spec": spec, "status": {}})

    def deletions() -> list[str]:
        pipeline = objects.find("Pipeline", "churn")
        assert pipeline is not None
        written = decide(observer.pipeline(pipeline), examples.BEGINNING).writes
        return [each.name for each in written if isinstance(each, Delete) and each.kind == "Model"]

    before = deletions()
    broken(objects.home.root, kind)

    assert (before, deletions()) == (["old"], [])


def test_a_served_model_that_cannot_be_read_does_not_stop_its_pipeline(tmp_path: Path) -> None:
    world = LaptopWorld(Case(), tmp_path)
    world.to_end()
    served = world.objects.find("Pipeline", "churn")["status"]["servedModel"]["name"]  # type: ignore[index]
    path = broken(world.objects.home.root, "Model", name=served)

    while world.work.reconciler.pipeline("churn").wrote:
        pass

    pipeline = world.objects.find("Pipeline", "churn")
    assert pipeline is not None
    (ready,) = (each for each in pipeline["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "Invalid")
    assert path.read_bytes() == b"{"


def with_recorded_model(folder: Path) -> tuple[LaptopWorld, str, Object]:
    """Return a home with a Model whose files go with it, its name, and the record of its files."""
    world = LaptopWorld(Case(), folder)
    world.to_end()
    name = str(world.objects.all_of("Model")[0]["metadata"]["name"])
    world.objects.change("Model", name, lambda there: {**there, "spec": {**there["spec"], "deletionPolicy": "Delete"}})
    while world.work.reconciler.pipeline("churn").wrote:
        pass
    (record,) = (each for each in world.work.reconciler.observer.records() if each["data"]["kind"] == "Model")
    return world, name, record


def cleaning_of(world: LaptopWorld, record: Object) -> tuple[Write, ...]:
    return decide_record(world.work.reconciler.observer.record(record), examples.BEGINNING).writes


def test_the_files_of_a_model_that_was_deleted_stay_while_another_one_may_have_them(tmp_path: Path) -> None:
    world, name, record = with_recorded_model(tmp_path)
    world.objects.remove("Model", name)
    before = cleaning_of(world, record)
    broken(world.objects.home.root, "Model")

    assert (before != (), cleaning_of(world, record)) == (True, ())


def test_the_files_of_a_model_that_is_there_and_cannot_be_read_stay(tmp_path: Path) -> None:
    world, name, record = with_recorded_model(tmp_path)
    broken(world.objects.home.root, "Model", name=name)

    assert cleaning_of(world, record) == ()

"""Two runs of a laptop beside each other, also where something of one of them is gone or damaged."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.laboratory_of_runs import ProjectFolder, sentences

VALUES = "training.algorithms.linear.parameters.C.values"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    laboratory = ProjectFolder(tmp_path_factory.mktemp("compared"))
    laboratory.write(testing__resamples=200)
    for changes in ([], ["--set", f'{VALUES}=["1.0"]']):
        ended = laboratory.run("--name", "test", *changes)
        assert ended.returncode == 0, ended.stderr
    return laboratory


@pytest.fixture
def kept(made: ProjectFolder) -> Any:
    """Give the home to a test that damages it, and mend it afterwards."""
    files = {path: path.read_bytes() for path in made.home.rglob("*.json") if "storage" not in path.parts}
    yield made
    for path, content in files.items():
        path.write_bytes(content)


def document(laboratory: ProjectFolder, *names: str) -> Any:
    answer = laboratory.run_penstock("compare", *names, "-o", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def child(laboratory: ProjectFolder, kind: str, ending: str) -> Path:
    """Return the file of an object that the run `test_2` made for itself."""
    run = json.loads((laboratory.home / "resources/pipelineruns/small-test-2.json").read_text())
    folder = laboratory.home / "runs" / str(run["metadata"]["uid"]) / "objects" / kind
    [found] = folder.glob(f"*{ending}*")
    return found


def test_two_runs_of_a_pipeline_are_beside_each_other(made: ProjectFolder) -> None:
    found = document(made, "test", "test_2")

    assert found["gaps"] == []
    assert found["spec"] == [{"path": VALUES, "first": ["0.1", "1.0", "10.0"], "second": ["1.0"]}]
    assert [each["training"]["total"] for each in found["runs"]] == [4, 2]
    assert {each["name"]: each["equal"] for each in found["tables"]} == {
        "training": True,
        "validation": True,
        "testing": True,
    }
    assert found["validation"]["comparable"]
    assert not found["testing"]["comparable"]  # each dataset job writes a version
    assert found["runs"][0]["deployment"]["verdict"] == "First"
    assert found["runs"][1]["best"]["parameters"]["C"] == "1.0"


def test_names_of_objects_and_of_executions_mean_the_same_runs(made: ProjectFolder) -> None:
    assert document(made, "small-test", "small/test_2") == document(made, "test", "test_2")


def test_a_run_is_like_itself(made: ProjectFolder) -> None:
    found = document(made, "test", "test")

    assert found["runs"][0] == found["runs"][1]
    assert found["spec"] == found["request"] == []


def test_a_name_that_is_not_there_is_refused_in_the_words_of_describe(made: ProjectFolder) -> None:
    compared, described = made.run_penstock("compare", "test", "tset"), made.run_penstock("describe", "tset")

    assert compared.returncode == described.returncode == 2
    assert sentences(compared.stderr) == sentences(described.stderr) != []


def test_the_page_is_written_beside_what_is_printed(made: ProjectFolder, tmp_path: Path) -> None:
    page = tmp_path / "compared.html"

    answer = made.run_penstock("compare", "test", "test_2", "--html", str(page), "-o", "yaml")

    assert yaml.safe_load(answer.stdout) == document(made, "test", "test_2")
    assert f"The page is in {page}." in " ".join(answer.stderr.split())
    assert VALUES in page.read_text()


def test_a_page_that_cannot_be_written_is_one_sentence(made: ProjectFolder) -> None:
    answer = made.run_penstock("compare", "test", "test_2", "--html", "/dev/null/compared.html")

    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1


def test_without_a_snapshot_all_else_is_compared(kept: ProjectFolder) -> None:
    child(kept, "controllerrevisions", "-revision-").unlink()

    found = document(kept, "test", "test_2")

    assert found["gaps"] == ["The snapshot of test_2 is gone, so what its Pipeline was is not compared."]
    assert found["spec"] is None
    assert found["runs"][1]["training"]["total"] == 2


def test_a_run_whose_status_was_lost_is_told_by_its_results(kept: ProjectFolder) -> None:
    before = document(kept, "test", "test_2")
    path = kept.home / "resources/pipelineruns/small-test-2.json"
    run = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in run.items() if name != "status"}))

    found = document(kept, "test", "small-test-2")

    assert found["gaps"] == ["The status of small-test-2 is lost; what its snapshot and its results hold is compared."]
    for name in ("dataset", "training", "testing", "best"):
        assert found["runs"][1][name] == before["runs"][1][name]


@pytest.mark.parametrize(("kind", "ending"), [("controllerrevisions", "-revision-"), ("configmaps", "-results-")])
def test_what_cannot_be_read_is_told_with_its_file(kept: ProjectFolder, kind: str, ending: str) -> None:
    path = child(kept, kind, ending)
    path.write_text("{")

    [gap] = document(kept, "test", "test_2")["gaps"]

    assert str(path) in gap

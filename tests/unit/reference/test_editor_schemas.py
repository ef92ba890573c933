"""The schemas for editors take what is right and refuse what is misspelt, as a validator of JSON Schema reads them."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bad_manifests import BAD, Bad
from editor_schemas import SCHEMAS, editor_mistakes
from penstock.api.manifests import read_manifests
from penstock_command import ROOT

EXAMPLES = sorted([*(ROOT / "examples").glob("*.yaml"), ROOT / "examples/own-operations/pipeline.yaml"])
MANIFESTS = sorted((ROOT / "tests/unit/api/manifests").glob("*.yaml"))

Path_ = tuple[str | int, ...]


def documents(path: Path) -> list[Any]:
    return [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each]


def fields(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield where each field of Penstock's own stands: not what labels and pods of Kubernetes have."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name)
            if name not in ("podTemplate", "nodeSelector", "labels", "annotations", "value", "values", "parameters"):
                yield from fields(each, (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from fields(each, (*path, index))


def misspelt(document: Any, path: Path_) -> Any:
    made = copy.deepcopy(document)
    above = made
    for part in path[:-1]:
        above = above[part]
    above[f"{path[-1]}x"] = above.pop(path[-1])
    return made


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_by_the_draft_that_it_names(kind: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[kind])
    assert SCHEMAS[kind]["$schema"] == Draft7Validator.META_SCHEMA["$schema"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_names_its_schema_in_its_first_line(path: Path) -> None:
    marker, _, schema = path.read_text("utf-8").splitlines()[0].partition("$schema=")
    assert marker == "# yaml-language-server: "
    [document] = documents(path)
    assert (path.parent / schema).resolve() == ROOT / f"docs/schemas/{document['kind'].lower()}.json"


@pytest.mark.parametrize("path", [*EXAMPLES, *MANIFESTS], ids=lambda path: path.name)
def test_what_the_api_server_takes_has_no_mistake(path: Path) -> None:
    assert [editor_mistakes(document) for document in documents(path)] == [[] for _ in documents(path)]


@pytest.mark.parametrize("path", [*EXAMPLES, *MANIFESTS], ids=lambda path: path.name)
def test_a_misspelt_field_is_a_mistake_wherever_it_stands(path: Path) -> None:
    for document in documents(path):
        for field in fields(document):
            if field != ("kind",):
                assert editor_mistakes(misspelt(document, field)), field


@pytest.mark.parametrize("bad", [bad for bad in BAD if bad.by in ("schema", "server")], ids=str)
def test_an_editor_sees_what_the_api_server_refuses_by_its_schema(bad: Bad) -> None:
    good = (ROOT / f"tests/unit/api/manifests/{bad.of}.yaml").read_text("utf-8")
    [kind] = {each.value["kind"] for each in read_manifests(good)}
    [document, *_] = read_manifests(good.replace(bad.old, bad.new, 1))

    assert bool(editor_mistakes(document.value, kind)) is not says_what_json_schema_cannot(bad)


def says_what_json_schema_cannot(bad: Bad) -> bool:
    """Return whether it is about the keys of a list, or about a null, which the API server takes for nothing."""
    is_about_keys = any(sentence.endswith("of an item before it; give it another name.") for _, sentence in bad.found)
    return is_about_keys or "value: ~" in bad.new


def test_a_field_is_described_has_its_values_and_its_default() -> None:
    split = SCHEMAS["Pipeline"]["properties"]["spec"]["properties"]["dataset"]["properties"]["split"]["properties"]
    assert split["testing"]["default"] == "20%"
    assert split["strategy"]["enum"] == ["Key", "Group", "Stratified", "Time"]
    assert "hash" in split["strategy"]["description"]
    assert "write one as 20%" in split["testing"]["patternErrorMessage"]


def test_defaults_of_items_are_there_too() -> None:
    spec = SCHEMAS["PipelineRun"]["properties"]["spec"]["properties"]
    assert spec["jobs"]["items"]["properties"]["retries"]["properties"]["limit"]["default"] == 2

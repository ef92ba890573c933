"""The CRDs are what the types say, and what the API server and `kubectl explain` want."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.api.crd import main
from penstock.api.definitions import KINDS, LONGEST_FOR_CLIENT_SIDE_APPLY, KindDefinition, crd, object_schema, text
from penstock.api.structural import annotation_schema

FOLDER = Path(__file__).parents[3] / "crds"


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema below this one, with its path."""
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from nodes(each, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}[]")


ALL = [(kind.name + path, node) for kind in KINDS for path, node in nodes(object_schema(kind))]
OURS = [(path, node) for path, node in ALL if not path.endswith((".apiVersion", ".kind")) and ".metadata" not in path]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_files_are_those_that_the_types_generate(kind: KindDefinition) -> None:
    assert (FOLDER / f"{kind.plural}.yaml").read_text("utf-8") == text(kind), "run `make generated`"


def test_there_is_a_file_for_each_kind_and_no_other(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.glob("*.yaml")}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_crd_is_small_enough_for_client_side_apply(kind: KindDefinition) -> None:
    assert len(text(kind).encode()) < LONGEST_FOR_CLIENT_SIDE_APPLY


def test_every_field_is_described_in_a_sentence() -> None:
    for path, node in OURS:
        if path.endswith("[]") and node.get("type") != "object":
            continue  # the list says what its items are
        assert node.get("description", "").rstrip().endswith((".", "`", ")")), path


def test_every_text_list_and_map_is_bounded() -> None:
    for path, node in OURS:
        match node.get("type"):
            case "string":
                assert {"maxLength", "enum"} & node.keys(), path
            case "array":
                assert "maxItems" in node, path
            case "object" if "additionalProperties" in node:
                assert "maxProperties" in node, path


def most(schema: dict[str, Any]) -> int:
    """Return the most characters that a value of the schema can have as JSON, in round figures."""
    match schema.get("type"):
        case "string":
            return 2 + max([len(each) for each in schema.get("enum", ())] or [schema["maxLength"]])
        case "array" if schema.get("x-kubernetes-list-map-keys") == ["name"]:
            return most_of_items(schema)
        case "array":
            return 2 + schema["maxItems"] * (1 + most(schema["items"]))
        case "object":
            return 2 + sum(len(name) + 4 + most(each) for name, each in schema["properties"].items())
        case "integer" if "maximum" in schema:
            return len(str(schema["maximum"]))
    return 20


def most_of_items(schema: dict[str, Any]) -> int:
    """The same of a list; of a part that rules allow to one item only, once."""
    once = {
        rule.get("fieldPath", ".").removeprefix(".") for rule in schema["items"].get("x-kubernetes-validations", ())
    }
    parts = {name: len(name) + 4 + most(each) for name, each in schema["items"]["properties"].items()}
    alone = sum(size for name, size in parts.items() if name in once)
    return 2 + alone + schema["maxItems"] * (3 + sum(parts.values()) - alone)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_status_can_grow_over_32_kib(kind: KindDefinition) -> None:
    assert most(object_schema(kind)["properties"]["status"]) < 32 * 1024


def test_nothing_is_said_that_a_structural_schema_cannot_say() -> None:
    for path, node in ALL:
        assert not {"$ref", "anyOf", "allOf", "not", "nullable"} & node.keys(), path
        assert "type" in node or "x-kubernetes-int-or-string" in node or unknown(node), path
        assert node.get("additionalProperties") is not False, path


def test_unknown_fields_are_kept_only_where_another_api_or_any_value_is_meant() -> None:
    kept = {path.split(".")[-1] for path, node in ALL if unknown(node)}
    assert kept == {"podTemplate", "value", "values[]"}


def test_no_field_is_a_floating_point_number() -> None:
    assert "number" not in {node.get("type") for _, node in ALL}


def test_lists_whose_items_have_names_are_maps_by_these_names() -> None:
    for path, node in OURS:
        if node.get("type") == "array" and "name" in node["items"].get("properties", {}):
            if "features" in path or "validationScores" in path or "History" in path:
                continue  # their order is their meaning
            assert node["x-kubernetes-list-map-keys"] == ["name"], path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_conditions_and_observed_generation_are_as_the_api_conventions_say(kind: KindDefinition) -> None:
    status = object_schema(kind)["properties"]["status"]["properties"]
    assert status["observedGeneration"]["type"] == "integer"
    assert status["conditions"]["x-kubernetes-list-map-keys"] == ["type"]
    assert set(status["conditions"]["items"]["properties"]) == {
        "type",
        "status",
        "reason",
        "message",
        "lastTransitionTime",
        "observedGeneration",
    }


def test_short_names_category_and_subresource_are_those_of_the_contract() -> None:
    names = {crd(kind)["spec"]["names"]["shortNames"][0] for kind in KINDS}
    assert names == {"pl", "plr", "trg", "mdl"}
    for kind in KINDS:
        spec = crd(kind)["spec"]
        assert spec["names"]["categories"] == ["penstock"]
        assert spec["versions"][0]["subresources"] == {"status": {}}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_column_shows_a_field_that_is_there(kind: KindDefinition) -> None:
    paths = {path.removeprefix(kind.name) for path, _ in ALL if path.startswith(kind.name)}
    for column in kind.columns:
        plain = column.path.split("[?")[0].replace("[0]", "[]")
        assert plain in paths or plain.startswith(".metadata"), column


def test_a_model_is_immutable_but_for_what_happens_to_its_files() -> None:
    [kind] = [each for each in KINDS if each.name == "Model"]
    assert mutable(kind) == {"deletionPolicy"}


def test_a_run_is_immutable_but_for_suspend_and_cancel() -> None:
    [kind] = [each for each in KINDS if each.name == "PipelineRun"]
    assert mutable(kind) == {"suspend", "cancel"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_user_is_answered_with_a_regular_expression(kind: KindDefinition) -> None:
    published = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    asked = {
        path: node["pattern"] for path, node in nodes(object_schema(kind)["properties"]["spec"]) if "pattern" in node
    }
    answered = dict(nodes(published["properties"]["spec"]))
    assert asked
    for path in asked:
        assert "pattern" not in answered[path], path
        assert any(" is not " in rule["message"] for rule in answered[path]["x-kubernetes-validations"]), path


def test_every_rule_has_a_sentence_and_speaks_of_a_field_that_is_there() -> None:
    for path, node in ALL:
        for rule in node.get("x-kubernetes-validations", ()):
            assert rule["message"].endswith("."), path
            beneath = node
            for field in filter(None, rule.get("fieldPath", "").split(".")):
                assert field in beneath["properties"], (path, field)
                beneath = beneath["properties"][field]


def test_a_type_that_no_structural_schema_can_say_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot say"):
        annotation_schema(float)


def test_the_yaml_reads_back_as_the_document() -> None:
    for kind in KINDS:
        assert yaml.safe_load(text(kind)) == crd(kind)


def unknown(node: dict[str, Any]) -> bool:
    return bool(node.get("x-kubernetes-preserve-unknown-fields", False))


def mutable(kind: KindDefinition) -> set[str]:
    spec = object_schema(kind)["properties"]["spec"]
    held = {
        rule["fieldPath"].removeprefix(".")
        for rule in spec["x-kubernetes-validations"]
        if rule["rule"].startswith("has(self.") and "oldSelf" in rule["rule"]
    }
    return set(spec["properties"]) - held

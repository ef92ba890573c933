"""What a run may change of its Pipeline is one list of leaves; all that is not on it is no run's to change."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.act.chart_overrides import text
from penstock.api.definitions import KINDS, described_schema
from penstock.api.field_tree import FieldNode, field_tree, find_field, find_kind, walk
from penstock.api.jobs import OverridableSettings
from penstock.api.override_rights import Right, listed_leaves, path_pattern, right_of, right_of_leaf
from penstock.api.run import PipelineRunSpec
from penstock.api.scalars import DOTTED_PATH, GIT_URL, HTTP, IMAGE, INPUT_URI
from penstock.api.trigger import TriggerSpec
from penstock_command import ROOT

PIPELINE = field_tree(find_kind("Pipeline"))
SPEC = find_field(PIPELINE, "spec")
NODES = [node for node in walk(SPEC) if node is not SPEC]
LEAVES = [node for node in NODES if not node.fields]
RIGHTS: tuple[Right, ...] = ("Run", "Pipeline")
OF_CODE = [node for node in LEAVES if node.schema.get("pattern") in (DOTTED_PATH, GIT_URL, HTTP, IMAGE, INPUT_URI)]
NAME_SECRETS = ("credentials", "secretName", "imagePullSecrets", "serviceAccountName", "podTemplate")
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


def path_of(node: FieldNode) -> str:
    return node.path.removeprefix("spec.")


def leaves_beneath(node: FieldNode) -> list[str]:
    return [path_of(each) for each in walk(node) if not each.fields]


def has_a_path(node: FieldNode) -> bool:
    """Return whether an override can have the field's path: items are named by a key, where they have one."""
    parts = path_of(node).split(".")
    lists = [".".join(parts[: place + 1]) for place, part in enumerate(parts) if part.endswith("[]")]
    return all(find_field(PIPELINE, f"spec.{each}").schema.get("x-kubernetes-list-map-keys") for each in lists)


@st.composite
def path_through(draw: st.DrawFn, node: FieldNode) -> str:
    """Draw a path of an override of the field: with any names of items."""
    parts = []
    for part in path_of(node).split("."):
        parts.append(part.removesuffix("[]"))
        if part == "jobs[]":
            parts.append(draw(st.sampled_from(("dataset", "training", "testing"))))
        elif part.endswith("[]"):
            parts.append(draw(NAMES.filter(lambda name: name != "module")))
    return ".".join(parts)


def strictest(leaves: list[str]) -> Right | None:
    found = {right_of_leaf(each) for each in leaves}
    return None if None in found else "Pipeline" if "Pipeline" in found else "Run"


@pytest.mark.parametrize("node", LEAVES, ids=path_of)
def test_each_leaf_of_a_pipeline_is_in_one_class_and_in_no_other(node: FieldNode) -> None:
    classes = [right for right in RIGHTS if path_of(node) in listed_leaves(right)]

    assert len(classes) <= 1
    assert right_of_leaf(path_of(node)) == (classes[0] if classes else None)


@pytest.mark.parametrize("right", RIGHTS)
def test_whatever_is_listed_is_a_leaf_of_a_pipeline(right: Right) -> None:
    assert listed_leaves(right) <= {path_of(node) for node in LEAVES}


@given(data=st.data(), node=st.sampled_from(NODES))
def test_a_path_is_changed_by_the_strictest_right_of_the_leaves_beneath_it(
    data: st.DataObject, node: FieldNode
) -> None:
    path = data.draw(path_through(node))

    assert right_of(path) == (strictest(leaves_beneath(node)) if has_a_path(node) else None)


@given(data=st.data(), node=st.sampled_from(NODES), more=NAMES)
def test_a_field_that_nobody_listed_is_no_runs_to_change(data: st.DataObject, node: FieldNode, more: str) -> None:
    known = {each.name for each in node.fields}
    is_named = "x-kubernetes-list-map-keys" in node.schema or "additionalProperties" in node.schema
    if more not in known and not is_named:
        assert right_of(f"{data.draw(path_through(node))}.{more}") is None


@pytest.mark.parametrize("node", OF_CODE, ids=path_of)
def test_no_leaf_that_names_code_an_address_or_an_image_is_changed_by_whoever_may_make_a_run(node: FieldNode) -> None:
    assert right_of_leaf(path_of(node)) != "Run"


@pytest.mark.parametrize("node", [node for node in NODES if node.name in NAME_SECRETS], ids=path_of)
def test_what_names_a_secret_or_an_identity_is_no_runs_to_change(node: FieldNode) -> None:
    assert right_of(path_of(node).replace("jobs[]", "jobs.training").replace("[]", ".a")) is None


@pytest.mark.parametrize(
    "path",
    [
        "jobs.dataset.env",
        "jobs.training.env.PYTHONPATH",
        "jobs.training.env.PYTHONPATH.value",
        "jobs.training.image",
        "jobs.testing.nodeSelector.zone",
        "jobs.testing.tolerations",
        "jobs.dataset.priorityClassName",
        "dataset.inputs.customers.uri",
        "dataset.inputs.customers.endpoint",
        "dataset.query",
        "source.git.revision",
        "training.algorithms.forest",
        "training.algorithms.forest.estimator",
        "training.algorithms.net.parameters.module.value",
        "training.algorithms.net.parameters.module",
        "training.algorithms.net.parameters.C.name",
        "training.preprocessing.transformer",
        "testing.scoring.cost.function",
    ],
)
def test_code_addresses_and_places_are_for_who_may_update_the_pipeline(path: str) -> None:
    assert right_of(path) == "Pipeline"


@given(name=NAMES)
def test_the_value_of_any_hyper_parameter_but_a_module_is_for_whoever_may_make_a_run(name: str) -> None:
    expected = "Pipeline" if name == "module" else "Run"

    assert right_of(f"training.algorithms.net.parameters.{name}.value") == expected
    assert right_of(f"training.algorithms.net.parameters.{name}.range.low") == expected


def test_what_a_run_may_say_of_a_job_its_overrides_may_too() -> None:
    for name in OverridableSettings.__struct_encode_fields__:
        assert right_of(f"jobs.training.{name}") == "Run"
    assert right_of("jobs.deployment.timeout") is None


@pytest.mark.parametrize("spec", [PipelineRunSpec, TriggerSpec])
def test_the_crd_refuses_what_no_run_may_change(spec: type[Any]) -> None:
    (kind,) = (each for each in KINDS if each.struct.__name__ == spec.__name__.removesuffix("Spec"))
    tree = described_schema(kind)["properties"]["spec"]["properties"]
    items = (tree.get("overrides") or tree["run"]["properties"]["overrides"])["items"]

    (rule,) = items["x-kubernetes-validations"]
    assert rule["rule"] == f"self.path.matches('{path_pattern(*RIGHTS)}')"
    assert rule["fieldPath"] == ".path"


@given(data=st.data(), node=st.sampled_from(NODES), right=st.sampled_from([("Run",), RIGHTS]))
def test_cel_reads_the_pattern_as_python_does(data: st.DataObject, node: FieldNode, right: tuple[Right, ...]) -> None:
    import cel

    path = data.draw(path_through(node) | NAMES)
    rule = f"path.matches('{path_pattern(*right)}')"

    assert cel.evaluate(rule, {"path": path}) == (right_of(path) in right)


def test_the_pattern_needs_nothing_that_the_engine_of_the_api_server_lacks() -> None:
    assert not re.search(r"\(\?|\\|'", path_pattern(*RIGHTS))


def test_the_file_of_the_chart_is_made_from_the_list() -> None:
    assert (ROOT / "helm/penstock/files/overrides.yaml").read_text("utf-8") == text(), "run `make generated`"

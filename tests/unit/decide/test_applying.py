"""What a manifest makes of an object that is there: as kubectl apply does it, with the same annotation."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.decide.commands.apply import LAST_APPLIED, to_create, to_patch

Object = dict[str, Any]

_leaves = st.one_of(
    st.booleans(), st.integers(0, 2), st.sampled_from(["a", "b"]), st.lists(st.integers(0, 1), max_size=2)
)
_names = st.sampled_from("wxyz")
_specs = st.dictionaries(_names, st.one_of(_leaves, st.dictionaries(_names, _leaves, max_size=3)), max_size=4)


def manifest(spec: Object, **metadata: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Kind", "metadata": {"name": "one", **metadata}, "spec": spec}


def merged(there: Any, patch: Any) -> Any:
    """Return what the API server makes of a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(there) if isinstance(there, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def applied(there: Object, new: Object) -> Object:
    result: Object = merged(copy.deepcopy(there), to_patch(new, there))
    return result


@given(first=_specs, second=_specs)
def test_what_was_applied_last_is_all_that_there_is(first: Object, second: Object) -> None:
    there = applied(to_create(manifest(first)), manifest(second))

    assert json.dumps(there["spec"], sort_keys=True) == json.dumps(second, sort_keys=True)


@given(first=_specs, second=_specs)
def test_applying_again_changes_nothing(first: Object, second: Object) -> None:
    there = applied(to_create(manifest(first)), manifest(second))

    assert to_patch(manifest(second), there) == {}


@given(first=_specs, second=_specs)
def test_a_field_that_another_has_set_stays(first: Object, second: Object) -> None:
    there = to_create(manifest(first))
    there["spec"]["theirs"] = {"at": 1}

    assert applied(there, manifest(second))["spec"]["theirs"] == {"at": 1}


def test_what_kubectl_wrote_into_its_annotation_is_understood() -> None:
    said = manifest({"a": 1}, annotations={}, namespace="team")
    there = manifest({"a": 1, "theirs": 2}, annotations={LAST_APPLIED: json.dumps(said) + "\n"}, uid="u")

    assert to_patch(manifest({"a": 1}), there) == {}
    assert to_patch(manifest({}), there)["spec"] == {"a": None}


def test_a_field_that_the_manifest_says_from_now_on_goes_with_it_later() -> None:
    there = to_create(manifest({"a": 1}))
    there["spec"]["b"] = 2  # by another
    there = applied(there, manifest({"a": 1, "b": 2}))

    assert applied(there, manifest({"a": 1}))["spec"] == {"a": 1}


def test_labels_and_annotations_are_applied_too_and_those_of_others_stay() -> None:
    there = to_create(manifest({}, labels={"mine": "1"}))
    there["metadata"]["labels"]["theirs"] = "1"

    metadata = applied(there, manifest({}, annotations={"why": "because"}))["metadata"]

    assert metadata["labels"] == {"theirs": "1"}
    assert metadata["annotations"]["why"] == "because"


def test_an_object_that_says_so_already_is_left_alone_whoever_made_it() -> None:
    assert to_patch(manifest({"a": 1}), manifest({"a": 1})) == {}


def test_what_only_the_server_says_is_not_sent() -> None:
    made = to_create(manifest({"a": None}, uid="u", resourceVersion="1"))

    assert set(made["metadata"]) == {"name", "annotations"}
    assert to_patch(manifest({"a": None}), manifest({})) == {}

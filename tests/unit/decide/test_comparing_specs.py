"""Two specs compared leaf by leaf, by the paths that an override would name."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from penstock.api.overrides import with_overrides
from penstock.api.pipeline import Pipeline, PipelineSpec
from penstock.api.run import Override, PipelineRun
from penstock.decide.commands.compare_specs import (
    NOT_SHOWN,
    FieldDifference,
    request_differences,
    shown_value,
    spec_differences,
)
from unit.decide_run import examples_of_runs

FOREST = {
    "name": "forest",
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "parameters": [{"name": "max_depth", "values": ["None", 4, 8]}],
}
LINEAR = {"name": "linear", "estimator": "sklearn.linear_model.LogisticRegression"}
SECRET = "hunter2-not-to-be-told"


def spec(algorithms: Any = (FOREST,), **changes: Any) -> PipelineSpec:
    training = {"scoring": {"name": "roc_auc"}, "algorithms": list(algorithms)}
    made = examples_of_runs.pipeline(**{"training": training} | changes)
    return msgspec.convert(made, Pipeline).spec


def forest(**parameter: Any) -> dict[str, Any]:
    return {**copy.deepcopy(FOREST), "parameters": [{"name": "max_depth", **parameter}]}


values = st.one_of(
    st.integers(-3, 3), st.sampled_from(["None", "1.0", "sqrt"]), st.booleans(), st.floats(0, 2, allow_nan=False)
)
parameters = st.builds(
    lambda name, field: {"name": name, **field},
    st.sampled_from(["max_depth", "n_estimators", "C"]),
    st.one_of(
        st.builds(lambda each: {"value": each}, values),
        st.builds(lambda each: {"values": each}, st.lists(values, min_size=1, max_size=3)),
    ),
)
algorithms = st.builds(
    lambda name, found: {"name": name, "estimator": f"mine.{name}", "parameters": found},
    st.sampled_from(["forest", "linear", "bayes"]),
    st.lists(parameters, max_size=2, unique_by=lambda each: str(each["name"])),
)
jobs = st.builds(
    lambda name, env, selector: {"name": name, "env": env, "nodeSelector": selector},
    st.sampled_from(["dataset", "training"]),
    st.lists(st.builds(lambda name: {"name": name, "value": SECRET}, st.sampled_from("AB")), max_size=1),
    st.dictionaries(st.sampled_from(["disk", "zone"]), st.sampled_from(["fast", "slow"])),
)
specs = st.builds(
    spec,
    algorithms=st.lists(algorithms, min_size=1, max_size=3, unique_by=lambda each: str(each["name"])),
    jobs=st.lists(jobs, max_size=2, unique_by=lambda each: str(each["name"])),
    testing=st.fixed_dictionaries({}, optional={"minimumPoints": st.integers(1, 3), "segments": st.just(["age"])}),
)


@given(one=specs)
def test_a_spec_never_differs_from_itself(one: PipelineSpec) -> None:
    assert spec_differences(one, one) == ()


@given(one=specs, other=specs)
def test_specs_that_differ_are_always_said_to(one: PipelineSpec, other: PipelineSpec) -> None:
    assert (spec_differences(one, other) == ()) == (msgspec.json.encode(one) == msgspec.json.encode(other))


@given(one=specs, other=specs)
def test_the_two_swapped_give_the_same_fields_with_their_values_swapped(one: PipelineSpec, other: PipelineSpec) -> None:
    swapped = tuple(FieldDifference(each.path, each.second, each.first) for each in spec_differences(one, other))
    assert repr(spec_differences(other, one)) == repr(swapped)


@given(one=specs, other=specs)
def test_the_value_of_a_variable_is_never_told(one: PipelineSpec, other: PipelineSpec) -> None:
    assert SECRET not in repr(spec_differences(one, other))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.algorithms.forest.parameters.max_depth.values", ["None", 4]),
        ("training.keep", 2),
        ("dataset.split.testing", "30%"),
        ("jobs.training.resources.requests.cpu", "2"),
    ],
)
def test_a_field_goes_by_the_path_of_the_override_that_sets_it(path: str, value: Any) -> None:
    before = msgspec.convert(examples_of_runs.pipeline(), Pipeline)
    before = msgspec.structs.replace(before, spec=spec())
    after = with_overrides(before, (Override(path=path, value=value),))

    assert [(each.path, each.second) for each in spec_differences(before.spec, after.spec)] == [(path, value)]


def test_an_item_that_only_one_has_is_told_leaf_by_leaf() -> None:
    assert spec_differences(spec([FOREST, LINEAR]), spec([FOREST])) == (
        FieldDifference("training.algorithms.linear.estimator", LINEAR["estimator"], UNSET),
    )


def test_items_in_another_order_differ_by_their_order() -> None:
    assert spec_differences(spec([FOREST, LINEAR]), spec([LINEAR, FOREST])) == (
        FieldDifference("training.algorithms", ["forest", "linear"], ["linear", "forest"]),
    )


def test_an_integer_is_another_value_than_true() -> None:
    one, other = spec([forest(value=1)]), spec([forest(value=True)])

    [found] = spec_differences(one, other)

    assert (found.first, found.second) == (1, True)


def test_a_default_that_is_written_out_is_no_difference() -> None:
    assert spec_differences(spec(logs={}), spec(logs={"level": "INFO"})) == ()


def test_a_variable_with_another_value_differs_and_no_value_is_told() -> None:
    one, other = (
        spec(jobs=[{"name": "training", "env": [{"name": "A", "value": value}]}]) for value in (SECRET, "other")
    )

    assert spec_differences(one, other) == (FieldDifference("jobs.training.env.A.value", NOT_SHOWN, NOT_SHOWN),)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("jobs.training.env.A.value", SECRET),
        ("jobs.training.env.A", {"value": SECRET}),
        ("jobs.training.env", [{"name": "A", "value": SECRET}]),
        ("jobs.training", {"env": [{"name": "A", "value": SECRET}]}),
        ("jobs.training.podTemplate.spec.containers", [{"name": "side", "env": [{"name": "A", "value": SECRET}]}]),
    ],
)
def test_wherever_a_variable_is_set_its_value_is_not_told(path: str, value: Any) -> None:
    assert SECRET not in repr(shown_value(path, value))


def test_an_algorithm_may_be_called_as_the_environment_is() -> None:
    assert shown_value("training.algorithms.env.parameters.C.value", "1.0") == "1.0"


def test_what_runs_ask_for_beside_their_pipeline_is_compared_but_not_their_names() -> None:
    one, other = (
        msgspec.convert(examples_of_runs.run(**asked), PipelineRun)
        for asked in (
            {"executionName": "one", "timeout": "1h", "jobs": [{"name": "dataset", "resetTesting": "may"}]},
            {"executionName": "two", "timeout": "2h", "jobs": [{"name": "dataset"}], "cancel": True},
        )
    )

    assert request_differences(one, other) == (
        FieldDifference("jobs.dataset.resetTesting", "may", UNSET),
        FieldDifference("timeout", "1h", "2h"),
    )

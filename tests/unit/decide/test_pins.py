"""A pin is a field of the Pipeline: `penstock deploy` sets it, and a manifest that names a Model goes before that."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.deployment import Deployment
from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline, PipelineSpec
from penstock.decide.serving import (
    PIN_MANAGER,
    is_same_but_for_pin,
    models_named_by,
    pinned_model,
    require_deployment,
    with_manifest,
    with_pin,
)
from penstock_jobs.contract.errors import Refused

Act = Callable[[Pipeline], Pipeline]
MODELS = st.sampled_from(["a", "b"])


def manifest(model: str | None = None, replicas: int = 1) -> PipelineSpec:
    return PipelineSpec(deployment=Deployment(model=model, replicas=replicas))


def pipeline(spec: PipelineSpec | None = None) -> Pipeline:
    return Pipeline(
        api_version="penstock.dev/v1alpha1",
        kind="Pipeline",
        metadata=ObjectMeta(name="churn", generation=1),
        spec=manifest() if spec is None else spec,
    )


def test_a_manifest_that_names_no_model_leaves_what_was_deployed_by_hand() -> None:
    again = with_manifest(with_pin(pipeline(), "old"), manifest(replicas=3))

    assert pinned_model(again) == "old"
    assert again.spec.deployment == Deployment(model="old", replicas=3)


def test_a_manifest_that_names_a_model_goes_before_what_was_deployed_by_hand() -> None:
    named = with_manifest(with_pin(pipeline(), "old"), manifest("new"))

    assert pinned_model(named) == "new"
    assert pinned_model(with_manifest(named, manifest())) is None


def test_a_model_that_a_manifest_named_goes_when_the_manifest_no_longer_does() -> None:
    assert pinned_model(with_manifest(pipeline(manifest("old")), manifest())) is None


def test_a_pin_that_is_taken_back_leaves_nothing_behind() -> None:
    unpinned = with_pin(with_pin(pipeline(), "old"), None)

    assert unpinned.spec == pipeline().spec
    assert unpinned.metadata.managed_fields == ()


@given(st.lists(st.tuples(st.sampled_from(["deploy", "apply"]), st.none() | MODELS), max_size=12))
def test_who_spoke_last_of_a_model_is_heard_and_an_apply_that_is_silent_takes_back_only_its_own(
    acts: list[tuple[str, str | None]],
) -> None:
    state, by_hand, pinned = pipeline(), False, None
    for act, model in acts:
        if act == "deploy":
            state, by_hand, pinned = with_pin(state, model), model is not None, model
        else:
            state = with_manifest(state, manifest(model))
            by_hand, pinned = (by_hand, pinned) if model is None and by_hand else (False, model)
        assert pinned_model(state) == pinned
        assert [each["manager"] for each in state.metadata.managed_fields] == ([PIN_MANAGER] if by_hand else [])


def test_each_change_of_the_pin_is_another_generation_and_the_same_pin_is_none() -> None:
    once = with_pin(pipeline(), "old")

    assert once.metadata.generation == 2
    assert with_pin(once, "old") == once


def test_a_run_goes_on_under_another_pin_and_not_under_another_manifest() -> None:
    assert is_same_but_for_pin(manifest("old"), manifest())
    assert not is_same_but_for_pin(manifest(), manifest(replicas=2))


def test_an_annotation_pins_nothing() -> None:
    annotations = {"penstock.dev/pinned-model": "old"}
    there = msgspec.structs.replace(pipeline(), metadata=ObjectMeta(name="churn", annotations=annotations))

    assert pinned_model(there) is None
    assert models_named_by(msgspec.to_builtins(there)) == frozenset()


def test_a_pipeline_that_serves_nothing_has_nothing_to_pin() -> None:
    with pytest.raises(Refused, match=r"The Pipeline churn has no spec\.deployment, so it serves nothing; add it\."):
        require_deployment(pipeline(PipelineSpec()))

"""`--set PATH=VALUE` is an override of the run, read as YAML reads it."""

from typing import Any

import pytest

from penstock.api.run import Override, PipelineReference, PipelineRunSpec
from penstock.cli.overriding import with_set
from penstock_jobs.contract.errors import Refused

KEEP = Override(path="training.keep", value=1)
SPEC = PipelineRunSpec(pipeline_ref=PipelineReference(name="churn"), overrides=(KEEP,))


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("training.search.seed=3", 3),
        ("training.algorithms.forest.parameters.max_depth.values=[4, 8]", [4, 8]),
        ("dataset.task=Regression", "Regression"),
        ('training.algorithms.linear.parameters.C.value="1.0"', "1.0"),
        ("training.validation={folds: 5}", {"folds": 5}),
        ("dataset.query=SELECT * FROM rows WHERE age = 3", "SELECT * FROM rows WHERE age = 3"),
        ("deployment.selection=", None),
        ("jobs.training.env=[{name: STAGE, value: test}]", [{"name": "STAGE", "value": "test"}]),
    ],
)
def test_a_value_is_what_a_manifest_of_that_text_has(said: str, value: Any) -> None:
    *_, override = with_set(SPEC, (said,)).overrides

    assert (override.path, override.value) == (said.partition("=")[0], value)


def test_it_takes_the_place_of_one_of_the_manifest() -> None:
    assert with_set(SPEC, ("training.keep=2",)).overrides == (Override(path="training.keep", value=2),)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("training.keep", "--set is training.keep; write a field of the Pipeline and its value, as training.keep=1."),
        ("storage.s3.bucket=mine", "--set storage.s3.bucket: No run may override this field"),
        ("training.kep=1", "--set training.kep has kep, which is an unknown field; did you mean keep?"),
        ("jobs.training.environment=[]", "--set jobs.training.environment has environment, which is env now; write "),
        ("training keep=1", "--set training keep is "),
        ("training.keep={", "--set training.keep has a value that is no YAML"),
    ],
)
def test_what_cannot_be_an_override_is_refused(said: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        with_set(SPEC, (said,))

    assert str(refused.value).startswith(sentence)

"""A Trigger's bound on a score is checked beside the Pipeline of the same file, before a cluster sees either."""

from pathlib import Path

import pytest

from penstock.api.validation import check_text

PIPELINE = (Path(__file__).parent / "manifests" / "pipeline-shortest.yaml").read_text("utf-8")
TRIGGER = """---
apiVersion: penstock.dev/v1alpha1
kind: Trigger
metadata: {name: worse}
spec:
  pipelineRef: {name: wine}
  model: MODEL
"""


def found(model: str, scoring: str) -> list[str]:
    pipeline = PIPELINE.replace("scoring: {name: accuracy}", f"scoring: {scoring}")
    assert "name: wine" in pipeline
    return [each.sentence for each in check_text(pipeline + TRIGGER.replace("MODEL", model), "m.yaml").findings]


@pytest.mark.parametrize(
    ("model", "scoring"),
    [
        ('{scoring: accuracy, minimum: "0.8"}', "{name: accuracy}"),
        ('{scoring: neg_log_loss, maximum: "0.3"}', "{name: neg_log_loss}"),
        ('{scoring: neg_log_loss, minimum: "-0.3"}', "{name: neg_log_loss}"),
        ('{scoring: cost, maximum: "5"}', "{name: cost, function: own.cost, greaterIsBetter: false}"),
    ],
)
def test_a_bound_may_be_a_least_score_or_for_an_error_the_greatest(model: str, scoring: str) -> None:
    assert found(model, scoring) == []


@pytest.mark.parametrize(
    ("model", "scoring", "sentence"),
    [
        (
            '{scoring: acuracy, minimum: "0.8"}',
            "{name: accuracy}",
            "spec.model.scoring is acuracy, which testing of the Pipeline does not use; did you mean accuracy?",
        ),
        (
            '{scoring: roc_auc, minimum: "0.8"}',
            "{name: neg_log_loss}",
            (
                "spec.model.scoring is roc_auc, which testing of the Pipeline does not use; add it to testing.scoring "
                "of the Pipeline."
            ),
        ),
        (
            '{scoring: accuracy, maximum: "0.8"}',
            "{name: accuracy}",
            "spec.model.maximum is for errors, and of accuracy more is better; use minimum.",
        ),
        (
            '{scoring: cost, minimum: "5"}',
            "{name: cost, function: own.cost, greaterIsBetter: false}",
            (
                "spec.model.minimum is 5, and cost is an error: its score, the error with a minus sign, reaches no "
                "positive minimum; write the greatest error to accept as maximum."
            ),
        ),
    ],
)
def test_a_bound_on_the_wrong_side_or_on_no_score_is_refused(model: str, scoring: str, sentence: str) -> None:
    assert found(model, scoring) == [sentence]

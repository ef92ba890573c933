"""The anchor: however many nights are each within the margin, their losses do not add up."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline, PipelineSpec, PipelineStatus
from penstock.decide.selection import select_model
from penstock.decide.serving import anchor_beside_served, models_named_by, served_model, with_pin, with_served
from penstock_jobs.contract import result
from penstock_jobs.contract.result import Comparison, ModelScores, ScoreResult
from penstock_jobs.contract.specification import SelectionSpec

MARGIN = -0.02
RULES = SelectionSpec(scoring="roc_auc", must_improve=True, margin=MARGIN)
NOW = "2026-03-01T12:00:00Z"


def pipeline(status: PipelineStatus | None = None) -> Pipeline:
    from penstock.api.deployment import Deployment

    return Pipeline(
        api_version="penstock.dev/v1alpha1",
        kind="Pipeline",
        metadata=ObjectMeta(name="churn"),
        spec=PipelineSpec(deployment=Deployment()),
        status=status,
    )


def compared(scores: dict[str, float], challenger: str, other: str, width: float) -> Comparison:
    difference = scores[challenger] - scores[other]
    return Comparison(
        challenger=challenger,
        served=other,
        scoring="roc_auc",
        points=500,
        difference=difference,
        low=difference - width,
        high=difference + width,
        confidence=0.95,
    )


def night(there: Pipeline, scores: dict[str, float], challenger: str, width: float) -> Pipeline:
    """Return the Pipeline after the gate has met a challenger."""
    served, anchor = served_model(there), anchor_beside_served(there)
    tested = result.TestingResult(
        testing_version=1,
        epoch=1,
        digest="",
        points=500,
        models=(
            ModelScores(model=challenger, points=500, scores=(ScoreResult(name="roc_auc", value=scores[challenger]),)),
        ),
        report="",
        challenger=challenger,
        comparison=None if served is None else compared(scores, challenger, served, width),
        anchor=None if anchor is None else compared(scores, challenger, anchor, width),
    )
    decision = select_model(tested, RULES, served, anchor=anchor)
    status = there.status or PipelineStatus()
    selected = Pipeline(
        api_version=there.api_version,
        kind=there.kind,
        metadata=there.metadata,
        spec=there.spec,
        status=PipelineStatus(
            served_model=status.served_model, anchor_model=status.anchor_model, selected_model=decision.model
        ),
    )
    return with_served(selected, "run", str(decision.verdict), NOW)


def nights(scores: dict[str, float], width: float) -> Iterator[Pipeline]:
    there = pipeline()
    for challenger in scores:
        there = night(there, scores, challenger, width)
        yield there


def score_served(there: Pipeline, scores: dict[str, float]) -> float:
    return scores[served_model(there) or ""]


def anchor_of(there: Pipeline) -> str:
    assert there.status is not None
    assert there.status.anchor_model is not None
    return there.status.anchor_model


@given(st.lists(st.floats(0.4, 1), min_size=2, max_size=30), st.floats(0, 0.03))
def test_however_many_nights_the_served_score_stays_above_the_anchor_and_the_margin(
    values: list[float], width: float
) -> None:
    scores = {f"m{number}": value for number, value in enumerate(values)}
    best = 0.0
    for there in nights(scores, width):
        anchor = scores[anchor_of(there)]
        assert anchor >= best
        assert score_served(there, scores) >= anchor + MARGIN - 1e-9
        best = anchor


def test_forty_nights_of_a_small_loss_lose_no_more_than_the_margin() -> None:
    scores = {f"m{number:02}": 0.90 - 0.005 * number for number in range(41)}
    history = list(nights(scores, width=0.001))

    assert {anchor_of(there) for there in history} == {"m00"}
    assert score_served(history[-1], scores) == pytest.approx(0.885)


def test_a_model_that_is_better_becomes_the_anchor_and_one_that_is_not_worse_does_not() -> None:
    scores = {"first": 0.80, "refresh": 0.795, "better": 0.85, "worse": 0.84}
    history = list(nights(scores, width=0.002))

    assert [served_model(there) for there in history] == ["first", "refresh", "better", "worse"]
    assert [anchor_of(there) for there in history] == ["first", "first", "better", "better"]


def test_whom_a_person_pins_is_no_anchor() -> None:
    there = night(pipeline(), {"first": 0.8}, "first", 0.0)
    pinned = with_served(with_pin(there, "by-hand"), None, "", NOW)

    assert (served_model(pinned), anchor_of(pinned)) == ("by-hand", "first")


def test_the_anchor_is_kept_as_what_is_served_is() -> None:
    assert models_named_by({"spec": {}, "status": {"anchorModel": "base"}}) == {"base"}

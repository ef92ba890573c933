"""Which Model is served: the gate, its verdicts, and the sentences a person reads."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.decide.selection import select_model
from penstock_jobs.contract import result
from penstock_jobs.contract.result import Comparison, ModelScores, ScoreResult, Verdict
from penstock_jobs.contract.specification import SelectionSpec

VERDICTS = set(get_args(Verdict))


def scored(
    value: float | None = 0.87, comparison: Comparison | None = None, scoring: str = "roc_auc"
) -> result.TestingResult:
    scores = () if value is None else (ScoreResult(name=scoring, value=value),)
    return result.TestingResult(
        testing_version=3,
        epoch=1,
        digest="sha256:0",
        points=500,
        models=(ModelScores(model="new", points=500, scores=scores),),
        report="file:///report.html",
        challenger="new",
        comparison=comparison,
    )


def compared(low: float | None, high: float | None, **changes: Any) -> Comparison:
    values: dict[str, Any] = {
        "challenger": "new",
        "served": "old",
        "scoring": "roc_auc",
        "points": 480,
        "difference": None if low is None or high is None else (low + high) / 2,
        "low": low,
        "high": high,
        "confidence": 0.95,
    }
    return Comparison(**(values | changes))


def rules(**changes: Any) -> SelectionSpec:
    values: dict[str, Any] = {"scoring": "roc_auc", "must_improve": True} | changes
    return SelectionSpec(**values)


@pytest.mark.parametrize(
    ("low", "high", "margin", "verdict", "model"),
    [
        (0.01, 0.05, 0.0, "Improved", "new"),
        (-0.01, 0.05, 0.0, "Undecided", "old"),
        (-0.05, -0.01, 0.0, "NotBetter", "old"),
        (0.0, 0.0, 0.0, "NotBetter", "old"),
        (0.01, 0.05, 0.02, "Undecided", "old"),
        (-0.01, 0.05, -0.02, "NotWorse", "new"),
        (-0.05, -0.03, -0.02, "NotBetter", "old"),
        (0.0, 0.0, -0.02, "NotWorse", "new"),
        (0.01, 0.05, -0.02, "Improved", "new"),
    ],
)
def test_the_lower_bound_of_the_difference_must_be_above_the_margin(
    low: float, high: float, margin: float, verdict: str, model: str
) -> None:
    decision = select_model(scored(comparison=compared(low, high)), rules(margin=margin), served="old")

    assert (decision.verdict, decision.model) == (verdict, model)


@given(
    low=st.floats(-1, 1),
    width=st.floats(0, 1),
    margin=st.floats(-0.5, 0.5),
    must=st.booleans(),
    value=st.floats(0, 1),
    minimum=st.none() | st.floats(0, 1),
)
def test_the_served_model_is_replaced_only_as_the_rules_allow(
    low: float, width: float, margin: float, must: bool, value: float, minimum: float | None
) -> None:
    selection = rules(margin=margin, must_improve=must, minimum=minimum)
    decision = select_model(scored(value, compared(low, low + width)), selection, served="old")

    assert decision.verdict in VERDICTS
    assert decision.reason.endswith(".")
    assert "new" in decision.reason
    if decision.model == "new":
        assert minimum is None or value >= minimum
        assert not must or low > margin
    else:
        assert decision.model == "old"


@given(pinned=st.sampled_from(["old", "new", "other"]), low=st.floats(-1, 1))
def test_a_pinned_model_is_served_whatever_the_scores_say(pinned: str, low: float) -> None:
    decision = select_model(
        scored(comparison=compared(low, low + 0.1)), rules(minimum=0.5), served="old", pinned=pinned
    )

    assert decision.model == pinned
    assert decision.reason.startswith(f"deployment.model pins {pinned}")


def test_a_pin_without_any_test_is_served_and_has_no_verdict() -> None:
    decision = select_model(None, rules(), pinned="old")

    assert (decision.verdict, decision.model) == (None, "old")


def test_with_nothing_served_the_first_model_that_meets_the_minimum_is() -> None:
    decision = select_model(scored(0.87), rules(minimum=0.8))

    assert (decision.verdict, decision.model) == ("First", "new")
    assert decision.reason == "new reached roc_auc 0.87 and is the first Model to be served."


def test_a_model_below_the_minimum_is_not_served_even_when_nothing_is() -> None:
    decision = select_model(scored(0.73), rules(minimum=0.8))

    assert (decision.verdict, decision.model) == ("BelowMinimum", None)
    assert decision.reason == "new reached roc_auc 0.73, below the minimum of 0.8; nothing is served."


def test_an_error_is_shown_as_a_positive_number_and_held_to_a_maximum() -> None:
    selection = SelectionSpec(scoring="neg_mean_absolute_error", maximum=3.0)
    decision = select_model(scored(-3.4, scoring="neg_mean_absolute_error"), selection, served="old")

    assert decision.verdict == "BelowMinimum"
    assert decision.reason == "new reached mean_absolute_error 3.4, above the maximum of 3; old stays."


def test_an_error_of_ones_own_is_held_to_a_maximum_as_those_of_scikit_learn_are() -> None:
    selection = SelectionSpec(scoring="cost", maximum=5.0, greater_is_better=False)

    assert select_model(scored(-5.5, scoring="cost"), selection, served="old").reason == (
        "new reached cost 5.5, above the maximum of 5; old stays."
    )
    assert select_model(scored(-4.5, scoring="cost"), selection).model == "new"


def test_an_improvement_is_told_with_its_numbers() -> None:
    decision = select_model(scored(comparison=compared(0.01, 0.05)), rules(), served="old")

    assert decision.reason == (
        "new scores 0.03 more in roc_auc than old on 480 points that neither was trained on (difference between +0.01 "
        "and +0.05, each end at 95 %): we are 95 % sure that it is better. new is served."
    )


def test_less_of_an_error_is_told_as_less() -> None:
    scoring = "neg_mean_absolute_error"
    selection = SelectionSpec(scoring=scoring, must_improve=True)
    comparison = compared(0.5, 1.5, scoring=scoring)
    decision = select_model(scored(-3.4, comparison, scoring), selection, served="old")

    assert "new scores 1 less in mean_absolute_error than old" in decision.reason
    assert "between -1.5 and -0.5" in decision.reason
    assert decision.model == "new"


def test_models_that_cannot_be_compared_keep_the_served_one_and_say_how_to_go_on() -> None:
    comparison = compared(None, None, reason="Only 12 of the 500 testing points were seen by neither Model.")
    decision = select_model(scored(comparison=comparison), rules(), served="old")

    assert (decision.verdict, decision.model) == ("NotComparable", "old")
    assert decision.reason.startswith("Only 12 of the 500")
    assert "deployment.model: new" in decision.reason


@pytest.mark.parametrize(
    "comparison",
    [None, compared(0.1, 0.2, served="another"), compared(0.1, 0.2, scoring="f1"), compared(0.1, 0.2, confidence=0.9)],
)
def test_scores_that_were_not_made_together_are_not_ranked_but_asked_for(comparison: Comparison | None) -> None:
    decision = select_model(scored(comparison=comparison), rules(), served="old")

    assert (decision.verdict, decision.model) == ("NotComparable", "old")
    assert decision.retest == ("new", "old")


def test_without_must_improve_the_newest_model_is_served_and_the_verdict_stays_honest() -> None:
    decision = select_model(scored(comparison=compared(-0.05, -0.01)), rules(must_improve=False), served="old")

    assert (decision.verdict, decision.model) == ("NotBetter", "new")
    assert "mustImprove is not asked for" in decision.reason


def test_a_model_tested_again_while_it_is_served_changes_nothing() -> None:
    decision = select_model(scored(0.9), rules(), served="new")

    assert (decision.verdict, decision.model, decision.retest) == ("NotBetter", "new", ())


def test_two_models_that_do_not_differ_are_said_to_be_the_same() -> None:
    decision = select_model(scored(comparison=compared(0.0, 0.0)), rules(), served="old")

    assert decision.reason == (
        "new and old have the same roc_auc on 480 points that neither was trained on, however they are drawn again. "
        "old stays."
    )

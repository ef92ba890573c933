"""Which Model is served: the gate, its verdicts, and the sentences a person reads."""

from typing import Any, get_args

import msgspec
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


# --- what is asked of every challenger --------------------------------------------------------------------------------


def result_of(value: float | None = 0.87, **changes: Any) -> result.TestingResult:
    return msgspec.structs.replace(scored(value), **changes)


SERVED = pytest.mark.parametrize("served", [None, "old"])
WITH_OR_WITHOUT_RULES = pytest.mark.parametrize("must", [False, True])


@SERVED
@WITH_OR_WITHOUT_RULES
@pytest.mark.parametrize(
    ("found", "verdict", "sentence"),
    [
        (
            result_of(minimum_points=501),
            "TooFewPoints",
            "new was tested on 500 points, and testing.minimumPoints asks for 501",
        ),
        (result_of(None), "NoScore", "new has no roc_auc on the testing set, so it is not served"),
        (result_of(float("nan")), "NoScore", "new has no roc_auc on the testing set, so it is not served"),
        (result_of(0.48, baseline=0.5), "BelowBaseline", "new reached roc_auc 0.48, no better than a baseline"),
        (result_of(0.5, baseline=0.5), "BelowBaseline", "no better than a baseline that looks at no feature (0.5)"),
    ],
)
def test_what_is_no_basis_for_serving_is_none_for_a_first_model_either(
    found: result.TestingResult, verdict: str, sentence: str, served: str | None, *, must: bool
) -> None:
    comparison = None if served is None else compared(0.1, 0.2)
    decision = select_model(msgspec.structs.replace(found, comparison=comparison), rules(must_improve=must), served)

    assert (decision.verdict, decision.model) == (verdict, served)
    assert sentence in decision.reason
    assert ("old stays" if served else "nothing is served") in decision.reason


@SERVED
def test_as_many_points_as_are_asked_for_and_a_score_above_the_baseline_are_enough(served: str | None) -> None:
    found = result_of(0.51, minimum_points=500, baseline=0.5, comparison=compared(0.1, 0.2))

    assert select_model(found, rules(), served).model == "new"


def test_why_a_score_is_undefined_is_said() -> None:
    why = "r2 is not defined here: Input contains infinity."
    models = (ModelScores(model="new", points=500, scores=(), undefined={"roc_auc": why}),)

    assert select_model(result_of(models=models), rules()).reason.endswith(why)


def test_too_few_points_are_said_before_anything_about_scores() -> None:
    decision = select_model(result_of(0.0, minimum_points=501, baseline=0.5), rules(minimum=0.8))

    assert decision.verdict == "TooFewPoints"


@pytest.mark.parametrize(("ours", "verdict"), [(-3.1, "BelowBaseline"), (-2.9, "First")])
def test_an_error_above_that_of_the_baseline_is_no_better(ours: float, verdict: str) -> None:
    scoring = "neg_mean_absolute_error"
    found = msgspec.structs.replace(scored(ours, scoring=scoring), baseline=-3.0)
    decision = select_model(found, SelectionSpec(scoring=scoring))

    assert decision.verdict == verdict
    assert ("no feature (3)" in decision.reason) == (verdict == "BelowBaseline")


@given(value=st.floats(-1, 1), low=st.floats(-1, 1), margin=st.floats(-0.5, 0.5), must=st.booleans())
def test_a_first_model_is_never_said_to_be_improved(value: float, low: float, margin: float, *, must: bool) -> None:
    decision = select_model(scored(value, compared(low, low + 0.1)), rules(margin=margin, must_improve=must))

    assert decision.verdict == "First"


def test_without_a_gate_there_is_no_verdict() -> None:
    assert select_model(scored(0.9), None).verdict is None
    assert select_model(None, None).verdict is None


# --- a negative margin ------------------------------------------------------------------------------------------------

MARGIN = -0.02


def refreshed(served: tuple[float, float], anchor: tuple[float, float] | None, **changes: Any) -> result.TestingResult:
    """Return tests in which the challenger differs by so much from the served Model, and from the anchor."""
    to_anchor = None if anchor is None else compared(*anchor, served="base")
    return result_of(comparison=compared(*served), anchor=to_anchor, **changes)


@pytest.mark.parametrize(
    ("served", "anchor", "verdict"),
    [
        ((-0.01, 0.01), (-0.01, 0.01), "NotWorse"),
        ((0.01, 0.03), (0.01, 0.03), "Improved"),
        ((0.01, 0.03), (-0.01, 0.01), "NotWorse"),
        ((-0.01, 0.01), (0.01, 0.03), "NotWorse"),
        ((-0.01, 0.01), (-0.03, -0.01), "Undecided"),
        ((-0.01, 0.01), (-0.05, -0.03), "NotBetter"),
        ((-0.05, -0.03), (-0.01, 0.01), "NotBetter"),
        ((0.01, 0.03), (-0.05, -0.03), "NotBetter"),
    ],
)
def test_with_a_negative_margin_neither_the_served_model_nor_the_anchor_may_be_better_by_it(
    served: tuple[float, float], anchor: tuple[float, float], verdict: str
) -> None:
    decision = select_model(refreshed(served, anchor), rules(margin=MARGIN), "old", anchor="base")

    assert decision.verdict == verdict
    assert decision.model == ("new" if verdict in ("Improved", "NotWorse") else "old")
    assert ("not worse by 0.02 or more" in decision.reason) == (verdict == "NotWorse")
    assert ("sure that it is better" in decision.reason) == (verdict == "Improved")


def test_a_loss_since_the_anchor_is_told_with_its_numbers() -> None:
    decision = select_model(refreshed((-0.01, 0.01), (-0.05, -0.03)), rules(margin=MARGIN), "old", anchor="base")

    assert "new scores 0.04 less in roc_auc than base" in decision.reason
    assert decision.reason.endswith("it is worse by 0.02 or more. old stays.")


def test_a_challenger_that_was_not_tested_beside_the_anchor_is_tested_again_with_it() -> None:
    decision = select_model(refreshed((-0.01, 0.01), None), rules(margin=MARGIN), "old", anchor="base")

    assert (decision.verdict, decision.model, decision.retest) == ("NotComparable", "old", ("new", "old", "base"))
    assert "all are tested again" in decision.reason


@pytest.mark.parametrize(
    ("served", "verdict"),
    [((-0.01, 0.01), "NotComparable"), ((0.01, 0.03), "Improved"), ((-0.3, -0.2), "NotComparable")],
)
def test_without_its_anchor_only_a_model_that_is_better_than_the_served_one_gets_through(
    served: tuple[float, float], verdict: str
) -> None:
    gone = compared(None, None, served="base", reason="The anchor base is not compared. It is gone.")
    found = result_of(comparison=compared(*served), anchor=gone)
    decision = select_model(found, rules(margin=MARGIN), "old", anchor="base")

    assert (decision.verdict, decision.model) == (verdict, "new" if verdict == "Improved" else "old")
    assert ("It is gone." in decision.reason) == (verdict == "NotComparable")


@pytest.mark.parametrize("changes", [{"margin": 0.0}, {"must_improve": False, "margin": MARGIN}])
def test_the_anchor_is_asked_for_by_a_negative_margin_alone(changes: dict[str, Any]) -> None:
    decision = select_model(refreshed((0.01, 0.03), None), rules(**changes), "old", anchor="base")

    assert (decision.verdict, decision.model, decision.retest) == ("Improved", "new", ())

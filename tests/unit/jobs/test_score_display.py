"""One home for how a score is shown: its sign, its arrow, its average, and what it depends on."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.model import Model
from penstock.api.scores import ValidationScore
from penstock.cli.output import format_score
from penstock.decide.score_display import display_in
from penstock_jobs.contract.result import ScoreResult
from penstock_jobs.contract.score_display import (
    ScoreDisplay,
    average_words,
    depends_on_positive,
    depends_on_threshold,
    display_of,
)


@given(value=st.floats(-1e6, 1e6), low=st.floats(0, 10), high=st.floats(0, 10), error=st.booleans())
def test_an_error_is_shown_with_its_sign_turned_and_its_ends_in_order(
    value: float, low: float, high: float, error: bool
) -> None:
    shown = ScoreDisplay("some", error)
    ends = shown.ends(value - low, value + high)

    assert shown.value(value) == (-value if error else value)
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0] <= shown.value(value) <= ends[1]


def test_no_error_at_all_is_no_negative_zero() -> None:
    assert str(ScoreDisplay("neg_log_loss", True).value(0.0)) == "0.0"


@pytest.mark.parametrize(
    ("score", "label", "number"),
    [
        (ScoreResult(name="roc_auc", value=0.9), "roc_auc ↑", "0.9000"),
        (ScoreResult(name="neg_log_loss", value=-0.4), "log_loss ↓", "0.4000"),
        (ScoreResult(name="cost", value=-12.5, greater_is_better=False), "cost ↓", "12.5000"),
        (ScoreResult(name="f1", value=0.8, average="macro"), "f1 (macro) ↑", "0.8000"),
    ],
)
def test_a_score_of_a_job_is_shown_by_what_goes_with_it(score: ScoreResult, label: str, number: str) -> None:
    assert format_score(display_of(score), score.value) == (label, number)


def model_of(classes: tuple[str, ...], *scores: ValidationScore) -> Model:
    """Return as much of a Model as its scores are shown by."""
    spec: Any = SimpleNamespace(target=SimpleNamespace(classes=classes), validation_scores=scores)
    found: Any = SimpleNamespace(spec=spec)
    return cast(Model, found)


def test_a_score_of_a_model_is_shown_by_what_the_model_says_and_else_by_its_name() -> None:
    model = model_of(
        ("a", "b", "c"),
        ValidationScore(name="recall", value="0.5", average="weighted"),
        ValidationScore(name="cost", value="-2", greater_is_better=False),
    )

    assert display_in(model, "recall").label == "recall (weighted) ↑"
    assert display_in(model, "cost").label == "cost ↓"
    assert display_in(model, "roc_auc").label == "roc_auc (macro, one-vs-rest) ↑"
    assert display_in(model, "neg_log_loss").label == "log_loss ↓"
    assert display_in(None, "waste", own_errors=("waste",)).label == "waste ↓"
    assert display_in(model_of(("no", "yes")), "f1").label == "f1 ↑"


@pytest.mark.parametrize(
    ("name", "classes", "average", "words"),
    [
        ("accuracy", 3, None, ""),
        ("f1", 2, None, ""),
        ("f1", 3, None, "macro"),
        ("f1", 2, "macro", "macro"),
        ("recall_weighted", 2, None, "weighted"),
        ("roc_auc", 2, None, ""),
        ("roc_auc", 3, None, "macro, one-vs-rest"),
        ("roc_auc_ovo", 3, None, "macro, one-vs-one"),
        ("roc_auc_ovr_weighted", 3, None, "weighted, one-vs-rest"),
        ("average_precision", 4, None, "macro, one-vs-rest"),
        ("neg_log_loss", 3, None, ""),
        ("r2", 0, None, ""),
    ],
)
def test_an_average_over_classes_is_named(name: str, classes: int, average: str | None, words: str) -> None:
    assert average_words(name, classes, average) == words


def test_which_scores_depend_on_the_positive_class_and_on_the_threshold() -> None:
    assert depends_on_positive("f1", 2)
    assert not depends_on_positive("f1_macro", 2)
    assert not depends_on_positive("f1", 3)
    assert not depends_on_positive("roc_auc", 2)
    assert depends_on_threshold("recall_macro")
    assert not depends_on_threshold("neg_log_loss")

"""What the report claims: each sentence is printed where it is true, and not where it would be false."""

import html
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from penstock_jobs.contract import result
from penstock_jobs.contract.gate import apply_gate
from penstock_jobs.contract.result import LeakProof, ModelReference
from penstock_jobs.contract.specification import SelectionSpec
from penstock_jobs.testing import test as run_testing
from penstock_jobs.testing.report.data import proof_of
from penstock_jobs.testing.report.overview import usage_sentence
from unit.decide_run.examples_of_runs import dataset_result
from unit.testing.laboratory import Laboratory

GATE = SelectionSpec(scoring="roc_auc", must_improve=True)
REFRESH = SelectionSpec(scoring="roc_auc", must_improve=True, margin=-0.05)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """A table whose class is told by one of two features."""
    random = np.random.default_rng(3)
    x, noise = random.normal(size=400), random.normal(size=400)
    label = np.where(x + random.normal(size=400) > 0, "yes", "no").astype(object)
    frame = pd.DataFrame({"x": x, "noise": noise, "label": label, "id": np.arange(400)})
    return Laboratory(tmp_path_factory.mktemp("told"), frame, "label", positive="yes")


def page_of(found: result.TestingResult) -> str:
    return html.unescape(Path(found.report.removeprefix("file://")).read_text("utf-8"))


def linear(laboratory: Laboratory, name: str = "new") -> ModelReference:
    return laboratory.model(name, StandardScaler(), LogisticRegression())


# --- the verdict ------------------------------------------------------------------------------------------------------


def test_without_a_gate_there_is_no_verdict_and_nothing_decides(told: Laboratory) -> None:
    page = page_of(run_testing(told.job((linear(told),), ("roc_auc", "f1"))))

    assert 'class="banner' not in page
    assert ">decides<" not in page
    assert "Decided by" not in page


def test_a_first_model_is_first_and_not_improved(told: Laboratory) -> None:
    page = page_of(run_testing(told.job((linear(told),), ("roc_auc",), selection=GATE)))

    assert "<strong>First</strong>" in page
    assert "<strong>Improved</strong>" not in page
    assert ">decides<" in page


def test_the_baseline_of_the_gate_is_scored_on_the_points_of_the_challenger(told: Laboratory) -> None:
    found = run_testing(told.job((linear(told),), ("accuracy",), selection=SelectionSpec(scoring="accuracy")))

    most = told.frames["training"]["label"].mode()[0]
    assert found.baseline == pytest.approx((told.frames["testing"]["label"] == most).mean())
    assert "below the baseline" not in page_of(found).lower()


def test_a_model_that_looks_at_nothing_is_below_the_baseline(told: Laboratory) -> None:
    model = told.model("blind", DummyClassifier(strategy="prior"))
    found = run_testing(told.job((model,), ("roc_auc",), selection=SelectionSpec(scoring="roc_auc")))

    assert apply_gate(found, SelectionSpec(scoring="roc_auc"), None).verdict == "BelowBaseline"
    assert "<strong>Below the baseline</strong>" in page_of(found)


@pytest.mark.parametrize(("minimum", "verdict"), [(10_000, "TooFewPoints"), (20, "First")])
def test_too_few_points_are_told_of_a_first_model(told: Laboratory, minimum: int, verdict: str) -> None:
    found = run_testing(told.job((linear(told),), ("roc_auc",), selection=GATE, minimum_points=minimum))

    assert apply_gate(found, GATE, None).verdict == verdict
    assert ("<strong>Too few points</strong>" in page_of(found)) == (verdict == "TooFewPoints")


# --- the anchor -------------------------------------------------------------------------------------------------------


def test_the_challenger_is_compared_with_the_anchor_on_points_that_neither_saw(told: Laboratory) -> None:
    new, old, base = linear(told), told.model("old", DecisionTreeClassifier(max_depth=1)), linear(told, "base")
    found = run_testing(told.job((new,), ("roc_auc",), served=old, anchor=base, anchor_name="base", selection=REFRESH))

    assert found.anchor is not None
    assert (found.anchor.challenger, found.anchor.served, found.anchor.difference) == ("new", "base", 0.0)
    assert found.comparison is not None
    assert found.comparison.served == "old"
    assert [each.model for each in found.models] == ["new", "old"]


def test_an_anchor_that_is_gone_is_said_and_lets_no_loss_through(told: Laboratory) -> None:
    new, twin = linear(told), linear(told, "twin")
    found = run_testing(told.job((new,), ("roc_auc",), served=twin, anchor_name="base", selection=REFRESH))
    decision = apply_gate(found, REFRESH, "twin", "base")

    assert (decision.verdict, decision.model) == ("NotComparable", "twin")
    assert "base is not compared. It is gone." in decision.reason
    assert decision.reason in page_of(found)
    assert apply_gate(found, REFRESH, "twin").verdict == "NotWorse"


# --- how often the testing set has decided ----------------------------------------------------------------------------


@given(decisions=st.integers(0, 60), points=st.integers(1, 900), data=st.data())
def test_that_nothing_was_decided_before_is_said_where_nothing_was(
    decisions: int, points: int, data: st.DataObject
) -> None:
    before = data.draw(st.none() | st.integers(0, points))
    said = usage_sentence(decisions, before, points)

    assert ("has decided nothing before" in said) == (decisions == 0)
    assert ("no choice flatters" in said.lower()) == (decisions == 0 or before == 0)
    if decisions and before is not None:
        assert f"{before:,} of its {points:,} points" in said


@pytest.mark.parametrize(
    ("generation", "sentence"),
    [
        (0, "from versions that have been used"),
        (-1, "0 of its"),
        (None, "an epoch that has been used to decide 2 times"),
    ],
)
def test_the_points_that_decided_before_are_told_by_their_generation(
    told: Laboratory, generation: int | None, sentence: str
) -> None:
    job = told.job((linear(told),), ("roc_auc",), decisions_so_far=2, decided_generation=generation)
    page, points = page_of(run_testing(job)), len(told.frames["testing"])

    assert sentence in page
    assert (f"{points:,} of its {points:,} points (100.0 %)" in page) == (generation == 0)
    assert "has decided nothing before" not in page


# --- the join of the files --------------------------------------------------------------------------------------------


@given(points=st.integers(0, 2), groups=st.integers(0, 2), grouped=st.booleans())
def test_what_is_on_both_sides_is_said_of_keys_and_groups_and_of_nothing_else(
    points: int, groups: int, *, grouped: bool
) -> None:
    found = LeakProof(points_in_common=points, groups_in_common=groups, compared_training=90, compared_testing=10)
    said = proof_of(found, grouped=grouped)

    assert said.holds == (points == groups == 0)
    assert said.claim.startswith("No key") == said.holds
    assert ("group" in said.claim) == grouped
    assert "leak" not in (said.claim + said.counts).lower()


def test_the_report_says_what_was_compared(told: Laboratory) -> None:
    job = msgspec.structs.replace(told.job((linear(told),), ("roc_auc",)), dataset_result=dataset_result())
    page = page_of(run_testing(job))

    assert "No key is on both sides." in page
    assert "no group" not in page


# --- the dashed line --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("must", "sentence"), [(True, "the margin that must be passed"), (False, "is no difference")])
def test_a_margin_must_be_passed_only_where_the_gate_asks_for_it(
    told: Laboratory, sentence: str, *, must: bool
) -> None:
    old = told.model("old", DecisionTreeClassifier(max_depth=1))
    selection = SelectionSpec(scoring="roc_auc", must_improve=must)
    page = page_of(run_testing(told.job((linear(told),), ("roc_auc",), served=old, selection=selection)))

    assert f"The dashed line is {'the margin' if must else 'no difference'}" in page
    assert sentence in page

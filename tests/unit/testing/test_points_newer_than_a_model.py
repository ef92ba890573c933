"""The served Model is also scored on the testing points that are newer than it, and on no others."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from penstock_jobs.contract import result as results_of_jobs
from penstock_jobs.contract.result import ModelScores
from penstock_jobs.contract.specification import ScoringSpec, SelectionSpec, SplitSpec
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.testing import test as run_testing
from penstock_jobs.testing.comparability import new_mask, unseen_mask
from unit.testing.laboratory import Laboratory
from unit.testing.test_comparability import SHARES, History, lineage, point, split_of
from unit.testing.test_testing_job import breast_cancer

GENERATIONS = st.lists(st.tuples(st.sets(st.integers(0, 60)), SHARES, st.booleans()), min_size=2, max_size=6)


@given(GENERATIONS, st.integers(0, 4), st.booleans())
def test_a_point_is_new_exactly_where_the_model_had_it_in_none_of_its_tables(
    generations: list[tuple[set[int], float, bool]], trained_at: int, readable: bool
) -> None:
    history, origin = History(), lineage()
    known: set[int] = set()
    tested: set[int] = set()
    for place, (numbers, share, reset) in enumerate(generations):
        if reset and place:
            history.reset()
        trained = history.generate(numbers, share)
        if place == min(trained_at, len(generations) - 1):
            tested, known = set(history.entered), trained | set(history.entered)
            origin = lineage(epoch=history.epoch, testing_share=share, generation=history.generation)
    members = sorted(history.entered)
    testing = split_of([point(one) for one in members], [history.entered[one] for one in members], epoch=history.epoch)
    unseen = unseen_mask(testing, origin)

    there = frozenset(point(one) for one in tested) if readable else None
    mask = new_mask(testing, origin, unseen, lambda: there)

    found = {one for one, new in zip(members, mask, strict=True) if new}
    assert not found & known
    if readable or origin.epoch == history.epoch:
        assert found == {one for one, ours in zip(members, unseen, strict=True) if ours} - known


@pytest.fixture
def cancer(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path, breast_cancer().iloc[:400], "target", positive="malignant")


def later_points(laboratory: Laboratory, target: str | None = None, count: int = 169) -> pd.DataFrame:
    """Return rows that nobody had before, below the Model's own share, so that it cannot have seen them."""
    rows = breast_cancer().iloc[400:].assign(id=np.arange(10_000, 10_169))
    later = Laboratory(laboratory.folder / "later", rows, "target", split=SplitSpec(testing=0.3))
    found = later.frames["testing"].iloc[:count]
    return found if target is None else found.assign(target=target)


def with_later(laboratory: Laboratory, *, generation: int = 5, **which: Any) -> pd.DataFrame:
    rows = later_points(laboratory, **which)
    laboratory.tables["testing"] = laboratory.write("testing", rows, generation=generation)
    return rows


def of(result: results_of_jobs.TestingResult, model: str) -> ModelScores:
    return next(each for each in result.models if each.model == model)


def test_the_served_model_has_its_scores_on_new_points_beside_those_on_all(cancer: Laboratory) -> None:
    served = cancer.model("old", StandardScaler(), LogisticRegression())
    rows = with_later(cancer)
    result = run_testing(cancer.job((), ("accuracy", "roc_auc"), served=served))

    scaler, linear = StandardScaler(), LogisticRegression()
    training = cancer.frames["training"]
    linear.fit(scaler.fit_transform(model_frame(training, cancer.features)), training["target"])
    answers = linear.predict(scaler.transform(model_frame(rows, cancer.features)))
    new = of(result, "old").new
    assert new is not None
    assert new.points == len(rows) > 20
    assert new.scores["accuracy"] == pytest.approx(accuracy_score(rows["target"], answers))
    assert set(new.scores) == {"accuracy", "roc_auc"}
    assert of(result, "old").points == len(rows) + len(cancer.frames["testing"])


def test_only_of_the_served_model_it_is_said_and_also_where_this_run_made_it(cancer: Laboratory) -> None:
    served = cancer.model("old", StandardScaler(), LogisticRegression())
    other = cancer.model("new", LogisticRegression())
    with_later(cancer)
    result = run_testing(
        cancer.job((served, other), ("accuracy",), served=served, selection=SelectionSpec(scoring="accuracy"))
    )
    assert of(result, "old").new is not None
    assert of(result, "new").new is None


def test_without_new_points_there_are_none_and_no_score(cancer: Laboratory) -> None:
    served = cancer.model("old", StandardScaler(), LogisticRegression())
    new = of(run_testing(cancer.job((), ("accuracy",), served=served)), "old").new
    assert new is not None
    assert (new.points, new.scores) == (0, {})


def fails_on_few(y_true: Any, y_pred: Any) -> float:
    if len(y_true) == 30:  # and not on the made-up answers on which it is tried first
        raise ZeroDivisionError("too few")
    return 1.0


def test_a_score_that_new_points_do_not_have_is_left_out_and_the_run_goes_on(cancer: Laboratory) -> None:
    served = cancer.model("old", StandardScaler(), LogisticRegression())
    with_later(cancer, target="benign", count=30)
    own = ScoringSpec(name="fails_on_few", function=f"{__name__}.fails_on_few")
    new = of(run_testing(cancer.job((), ("accuracy", "roc_auc", own), served=served)), "old").new
    assert new is not None
    assert new.points == 30
    assert set(new.scores) == {"accuracy"}


def test_a_row_that_changed_is_no_new_point(cancer: Laboratory) -> None:
    served = cancer.model("old", StandardScaler(), LogisticRegression())
    again = cancer.frames["testing"].iloc[:40]
    cancer.tables["testing"] = cancer.write("testing", again, generation=5, revision=1)
    result = run_testing(cancer.job((), ("accuracy",), served=served))
    new = of(result, "old").new
    assert new is not None
    assert new.points == 0
    assert of(result, "old").points == len(cancer.frames["testing"])

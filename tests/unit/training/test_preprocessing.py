from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.contract.specification import PreprocessingSpec
from penstock_jobs.models.inputs import MISSING
from penstock_jobs.training.preprocessing import (
    FeatureLayout,
    build_transformer,
    check_preprocessing,
    choose_recipe,
    profits_from_scale,
)

FEATURES = (
    FeatureSpec(name="age", type="Integer"),
    FeatureSpec(name="town", type="String"),
    FeatureSpec(name="member", type="Boolean"),
)
FRAME = pd.DataFrame(
    {
        "age": [20.0, np.nan, 40.0, 60.0],
        "town": pd.Series(["Ulm", MISSING, "Bonn", "Ulm"], dtype=object),
        "member": [1.0, 0.0, np.nan, 1.0],
    }
)


def fitted(estimator: object, preprocessing: PreprocessingSpec | None = None, scale: bool | None = None) -> Any:
    transformer = build_transformer(
        choose_recipe(preprocessing or PreprocessingSpec(), estimator, scale), FeatureLayout.of(FEATURES)
    )
    assert transformer is not None
    made = transformer.fit_transform(FRAME)
    return transformer, made.toarray() if hasattr(made, "toarray") else made


@pytest.mark.parametrize("kind", [LogisticRegression, SVC, KNeighborsClassifier])
def test_what_measures_distances_is_scaled(kind: type) -> None:
    assert profits_from_scale(kind())
    _, made = fitted(kind())
    assert made[:, 0].mean() == pytest.approx(0)
    assert made[:, 0].std() == pytest.approx(1)


@pytest.mark.parametrize(
    "kind",
    [
        DecisionTreeClassifier,
        RandomForestClassifier,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        MultinomialNB,
    ],
)
def test_what_has_no_use_for_a_scale_gets_the_numbers_as_they_are(kind: type) -> None:
    assert not profits_from_scale(kind())
    assert fitted(kind())[1][:, 0].tolist() == [20, 40, 40, 60]


def test_the_manifest_decides_the_scale() -> None:
    assert fitted(LogisticRegression(), scale=False)[1][:, 0].tolist() == [20, 40, 40, 60]


def test_a_missing_text_is_a_category_and_an_unseen_one_is_none() -> None:
    transformer, made = fitted(DecisionTreeClassifier())
    assert made.shape == (4, 5)
    assert made[1, 2:].sum() == 1
    new = transformer.transform(FRAME.assign(town="Kiel"))
    assert (new.toarray() if hasattr(new, "toarray") else new)[:, 2:].sum() == 0


def test_rare_categories_are_one() -> None:
    made = fitted(DecisionTreeClassifier(), PreprocessingSpec(maximum_categories=2))[1]
    assert made.shape == (4, 4)


def test_equal_recipes_are_equal() -> None:
    first, second = (choose_recipe(PreprocessingSpec(), LogisticRegression(C=c), None) for c in (1, 2))
    assert first == second
    assert first != choose_recipe(PreprocessingSpec(), DecisionTreeClassifier(), None)


def test_text_that_nothing_would_encode_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="Column town is text"):
        check_preprocessing(PreprocessingSpec(strategy="None"), FEATURES)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (None, "needs `transformer`"),
        ("sklearn.preprocessing.StandardScalar", "the nearest is StandardScaler"),
        ("sklearn.compose.ColumnTransformer", "fails when called without arguments"),
        ("collections.OrderedDict", "is not a transformer"),
    ],
)
def test_a_transformer_of_ones_own_is_checked_first(path: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_preprocessing(PreprocessingSpec(strategy="Custom", transformer=path), FEATURES)

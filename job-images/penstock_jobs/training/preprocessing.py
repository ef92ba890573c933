"""What is fitted before the estimator, inside the candidate's own Pipeline, so that no other row's values leak in."""

from dataclasses import dataclass
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.contract.specification import PreprocessingSpec
from penstock_jobs.importing import import_object

# Thresholds and frequencies do not care for a scale, and MultinomialNB refuses the negative values that one makes.
_SCALE_MAKES_NO_DIFFERENCE = ("catboost", "lightgbm", "sklearn.dummy", "sklearn.ensemble", "sklearn.naive_bayes",
                              "sklearn.tree", "xgboost")  # fmt: skip


@dataclass(frozen=True)
class FeatureLayout:
    """The features as far as preprocessing depends on them.

    Attributes:
        numbers: Features that are columns of doubles.
        texts: Features that are columns of strings.
    """

    numbers: tuple[str, ...]
    texts: tuple[str, ...]

    @staticmethod
    def of(features: tuple[FeatureSpec, ...]) -> "FeatureLayout":
        """Return the layout of these features."""
        return FeatureLayout(
            tuple(feature.name for feature in features if feature.type != "String"),
            tuple(feature.name for feature in features if feature.type == "String"),
        )


@dataclass(frozen=True)
class Recipe:
    """One way to preprocess; two candidates with equal recipes can share what was fitted on the same rows."""

    strategy: str
    transformer: str | None
    imputation: str
    maximum_categories: int
    minimum_frequency: int | None
    scale: bool
    sparse: bool


def choose_recipe(preprocessing: PreprocessingSpec, estimator: Any, scale: bool | None) -> Recipe:
    """Return how to preprocess for this estimator; `scale` is the manifest's word, None where it leaves it open."""
    return Recipe(
        strategy=preprocessing.strategy,
        transformer=preprocessing.transformer,
        imputation=preprocessing.numeric_imputation,
        maximum_categories=preprocessing.maximum_categories,
        minimum_frequency=preprocessing.minimum_frequency,
        scale=profits_from_scale(estimator) if scale is None else scale,
        sparse=_takes_sparse(estimator),
    )


def profits_from_scale(estimator: Any) -> bool:
    """Return whether an estimator can tell a scaled column from the column as it was."""
    return not type(estimator).__module__.startswith(_SCALE_MAKES_NO_DIFFERENCE)


def build_transformer(recipe: Recipe, layout: FeatureLayout) -> Any | None:
    """Return the transformer to fit, or None where the estimator takes the columns as they are."""
    if recipe.strategy == "None":
        return None
    if recipe.strategy == "Custom":
        return _load_own_transformer(recipe.transformer)
    numbers = _numbers(recipe)
    if not layout.texts:
        return numbers
    texts = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=recipe.maximum_categories,
        min_frequency=recipe.minimum_frequency,
        sparse_output=recipe.sparse,
    )
    parts = [("numbers", numbers, list(layout.numbers)), ("texts", texts, list(layout.texts))]
    return ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)


def check_preprocessing(preprocessing: PreprocessingSpec, features: tuple[FeatureSpec, ...]) -> None:
    """Refuse a strategy that these columns cannot pass through."""
    if preprocessing.strategy == "Custom":
        _load_own_transformer(preprocessing.transformer)
    texts = [feature.name for feature in features if feature.type == "String"]
    if preprocessing.strategy == "None" and texts:
        raise Refused(f"Column {texts[0]} is text, and preprocessing strategy None leaves it so; use Automatic.")


def _numbers(recipe: Recipe) -> Any:
    imputer = SimpleImputer(strategy=recipe.imputation, keep_empty_features=True)
    return Pipeline([("impute", imputer), ("scale", StandardScaler())]) if recipe.scale else imputer


def _load_own_transformer(path: str | None) -> Any:
    if path is None:
        raise Refused("Preprocessing strategy Custom needs `transformer`, the dotted path of one's own.")
    factory = import_object(path, "Preprocessing")
    if not callable(factory):
        raise Refused(f"Preprocessing is {path}, which cannot be called.")
    try:
        transformer = factory()
    except Exception as error:
        raise Refused(f"Preprocessing {path} fails when called without arguments: {error}.") from error
    if not hasattr(transformer, "fit") or not hasattr(transformer, "transform"):
        raise Refused(f"Preprocessing {path} is not a transformer: it has no fit and transform.")
    return transformer


def _takes_sparse(estimator: Any) -> bool:
    try:
        return bool(estimator.__sklearn_tags__().input_tags.sparse)
    except (AttributeError, TypeError):
        return False

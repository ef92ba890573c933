"""Scoring functions, by which candidates are ranked and Models are tested."""

from typing import Annotated, ClassVar, Literal

from penstock.api.scalars import PYTHON_NAME, DottedPath
from penstock.api.schema import Rule, Value, field


class Scoring(Value, frozen=True, kw_only=True):
    """A scoring function: one of scikit-learn's by its name, or one's own by its dotted path.

    Scores are on scikit-learn's scale: greater is better, so an error is a negative number (`neg_mean_absolute_error`).
    """

    name: Annotated[
        str,
        field(
            "scikit-learn's name, as `roc_auc` (`sklearn.metrics.get_scorer_names()`); with `function` a name of "
            "one's own.",
            min_length=1,
            max_length=63,
            pattern=PYTHON_NAME,
        ),
    ]
    function: (
        Annotated[
            DottedPath,
            field(
                "The dotted path of one's own function, from the Pipeline's source. It is called with the true "
                "values "
                "and the response, and the sample weights where there are any, and returns a number."
            ),
        ]
        | None
    ) = None
    greater_is_better: (
        Annotated[
            bool,
            field(
                "Whether a greater result of `function` is a better one; true where it is not said. The sign of an "
                "error or a loss is turned."
            ),
        ]
        | None
    ) = None
    response: (
        Annotated[
            Literal["Predict", "PredictProba", "DecisionFunction"],
            field(
                "Which answer of the Model `function` is given: classes or values, probabilities, or decision "
                "values; "
                "`Predict` where it is not said."
            ),
        ]
        | None
    ) = None
    average: (
        Annotated[
            Literal["Binary", "Micro", "Macro", "Weighted", "Samples"],
            field("How the scores of several classes are made one, where the scoring function asks."),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.__function__) || !(has(self.greaterIsBetter) || has(self.response))",
            "A scoring of scikit-learn knows which way is better and what it is given; greaterIsBetter and "
            "response are for a function of one's own, so remove them or name the function.",
        ),
        Rule(
            "!has(self.__function__) || !has(self.average)",
            "A function of one's own averages as it likes; remove average.",
            field=".average",
        ),
    )

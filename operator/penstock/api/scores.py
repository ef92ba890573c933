"""Scores as an object keeps them: numbers in text, since the API server would change them."""

from typing import Annotated

from penstock.api.scalars import NUMBER
from penstock.api.schema import Value, field

Number = Annotated[str, field("A number.", max_length=24, pattern=NUMBER)]


class PlainScore(Value, frozen=True, kw_only=True):
    """A score on scikit-learn's scale (greater is better)."""

    name: Annotated[str, field("The scoring function.", min_length=1, max_length=63)]
    value: Annotated[Number, field("The score.")]


class TestedScore(PlainScore, frozen=True, kw_only=True):
    """A score on scikit-learn's scale (greater is better), and the ends of its 95 % interval where there is one."""

    low: Annotated[Number, field("The lower end of its interval.")] | None = None
    high: Annotated[Number, field("The upper end of its interval.")] | None = None


class Score(TestedScore, frozen=True, kw_only=True):
    """A score on scikit-learn's scale, and the ends of its 95 % interval, or its spread, where there are any."""

    spread: Annotated[Number, field("The standard deviation over folds.")] | None = None


class ValidationScore(Score, frozen=True, kw_only=True):
    """A score on validation, with what is needed to show it, and any other of its function."""

    average: (
        Annotated[
            str,
            field(
                "How the scores of several classes were made one, where they were: `macro`, `macro, one-vs-rest`.",
                max_length=63,
            ),
        ]
        | None
    ) = None
    greater_is_better: (
        Annotated[bool, field("False for an error of one's own; one of scikit-learn's is told by its name, `neg_…`.")]
        | None
    ) = None

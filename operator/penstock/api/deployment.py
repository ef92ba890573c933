"""The deployment step: which Model is served, and how."""

from typing import Annotated, ClassVar

from penstock.api.scalars import PYTHON_NAME, Decimal, ObjectName, Share
from penstock.api.schema import Rule, Value, field


class MustImprove(Value, frozen=True, kw_only=True):
    """The challenger must be better than the served Model, beyond chance.

    What counts is a paired bootstrap of the difference, on the testing points that neither saw. How small a gain so
    many points can show is in docs/explanation/intervals.md.
    """

    confidence: Annotated[Share, field('How sure the improvement must be, in quotes, as `"0.95"` or `95%`.')] = "0.95"
    margin: Annotated[
        Decimal,
        field(
            'What the lower bound of the difference must be above, in quotes. `"0"` asks for an improvement; a '
            'negative one, as `"-0.01"`, is content with not being worse by more: neither than the Model that is '
            "served nor than `status.anchorModel`, so that many small losses do not add up."
        ),
    ] = "0"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.confidence) || self.confidence.matches('^([5-9][0-9]([.][0-9]+)?%|0?[.][5-9][0-9]*)$')",
            'No verdict can rest on this; write a confidence between "0.5" and "1", as "0.95".',
            field=".confidence",
        ),
    )


class Selection(Value, frozen=True, kw_only=True):
    """The gate that a new Model must pass on the testing set to be served.

    Only the challenger meets it: the run's Model with the best validation score.
    """

    scoring: Annotated[
        str,
        field(
            "The scoring function of the gate: one of `testing.scoring`.",
            min_length=1,
            max_length=63,
            pattern=PYTHON_NAME,
        ),
    ]
    minimum: (
        Annotated[
            Decimal,
            field(
                'The least score, on scikit-learn\'s scale, in quotes, as `"0.8"`. For an error it cannot be above '
                "zero; use `maximum` there."
            ),
        ]
        | None
    ) = None
    maximum: (
        Annotated[
            Decimal,
            field(
                'The most that an error may be, as people see it, in quotes: `"12.5"`. Errors are the scores that '
                "begin with `neg_`, and those of your own with `greaterIsBetter: false`."
            ),
        ]
        | None
    ) = None
    must_improve: (
        Annotated[
            MustImprove,
            field("How much better than the served Model it must be. Without it the minimum or maximum is enough."),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.minimum) && has(self.maximum))",
            "The gate is a minimum or, for an error, a maximum, not both; remove one of the two.",
        ),
        Rule(
            "!has(self.maximum) || !self.maximum.startsWith('-') || !self.scoring.startsWith('neg_')",
            "A maximum is the error itself, which is never negative; remove the sign.",
            field=".maximum",
        ),
    )


class DecisionRule(Value, frozen=True, kw_only=True):
    """From which probability the positive class is predicted.

    The server applies it; the Model's file does not hold it.
    """

    threshold: Annotated[Share, field('A fixed probability, in quotes, as `"0.3"`.')] | None = None
    tune: (
        Annotated[
            str,
            field(
                "The scoring function for which the probability is tuned, on validation or out of fold, as `f1`.",
                min_length=1,
                max_length=63,
                pattern=PYTHON_NAME,
            ),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.threshold) != has(self.tune)",
            "The threshold is fixed or tuned; give exactly one of threshold and tune.",
        ),
    )


class Deployment(Value, frozen=True, kw_only=True):
    """Which Model is served, and how: an HTTP API with a stable name, one Model at a time."""

    model: (
        Annotated[
            ObjectName,
            field(
                "The Model that is served, chosen by hand, whatever runs propose: the way back to an older one. "
                "Remove "
                "it, and the Model last selected is served again."
            ),
        ]
        | None
    ) = None
    selection: (
        Annotated[
            Selection,
            field(
                "The gate that a new Model must pass. Without it each run's challenger is served that was tested on "
                "`testing.minimumPoints` and scores better than a baseline that looks at no feature."
            ),
        ]
        | None
    ) = None
    decision: Annotated[DecisionRule, field("The threshold of the decision; one half where it is not said.")] | None = (
        None
    )
    replicas: Annotated[int, field("How many servers there are.", ge=0, le=1000)] = 1
    port: Annotated[int, field("The port of the Service.", ge=1, le=65535)] = 80

"""The training step: which candidates there are, how they are ranked, and which of them become Models."""

from typing import Annotated, Any, ClassVar, Literal

from penstock.api.scalars import ALL_OR_NOTHING, ITEM_NAME, PYTHON_NAME, ColumnName, Decimal, DottedPath, Share
from penstock.api.schema import Rule, Value, field
from penstock.api.scoring import Scoring

_PLAIN = "^[-+]?[0-9]{1,18}([.][0-9]{1,18})?$"

AnyValue = Annotated[
    Any,
    field(
        'A number, a truth value or text. Text that is a Python literal is that literal: `"1.0"`, `"None"`, `"(64, '
        '32)"`.'
    ),
]


class Validation(Value, frozen=True, kw_only=True):
    """On what candidates are scored: on a holdout taken out of training, or on folds of it."""

    holdout: (
        Annotated[
            Share,
            field(
                "The share of the points not kept for testing that candidates are scored on, as `20%`; this, where "
                "neither `holdout` nor `folds` is said."
            ),
        ]
        | None
    ) = None
    folds: (
        Annotated[
            int,
            field(
                "Into how many folds training is divided; each is scored on once by a model fitted on the others. "
                "Points are dealt out evenly within each class, groups as a whole, and by time with strategy `Time`.",
                ge=2,
                le=100,
            ),
        ]
        | None
    ) = None
    repeats: Annotated[int, field("How many times the folds are drawn.", ge=1, le=100)] = 1

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.holdout) && has(self.folds))",
            "Candidates are scored on a holdout or on folds, not on both; remove one of the two.",
        ),
        Rule(
            "self.repeats == 1 || has(self.folds)",
            "Only folds are repeated; set folds or remove repeats.",
            field=".repeats",
        ),
        Rule(
            f"!has(self.holdout) || !self.holdout.matches('{ALL_OR_NOTHING}')",
            "This leaves nothing to train on or to score on; write a share between them, as 20%.",
            field=".holdout",
        ),
    )


class AdaptiveSearch(Value, frozen=True, kw_only=True):
    """A search in rounds: each proposes candidates from the results of all rounds before it."""

    rounds: Annotated[int, field("How many rounds.", ge=2, le=1000)]
    candidates_per_round: Annotated[int, field("How many candidates a round has.", ge=1, le=1024)]


class Search(Value, frozen=True, kw_only=True):
    """How candidates are taken from the hyper-parameters."""

    strategy: Annotated[
        Literal["Grid", "Random", "Adaptive"],
        field(
            "`Grid`: every combination of values. `Random`: `samples` combinations, drawn with the seed. "
            "`Adaptive`: in rounds that learn from each other."
        ),
    ] = "Grid"
    samples: (
        Annotated[int, field("How many candidates a random search draws, of all algorithms together.", ge=1, le=100000)]
        | None
    ) = None
    adaptive: Annotated[AdaptiveSearch, field("The rounds of an adaptive search.")] | None = None
    seed: Annotated[
        int, field("From which random draws, and the seeds of the candidates, follow.", ge=0, le=2147483647)
    ] = 0

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.strategy == 'Random') == has(self.samples)",
            "A Random search needs samples, and no other strategy has them; set both or neither.",
            field=".samples",
        ),
        Rule(
            "(self.strategy == 'Adaptive') == has(self.adaptive)",
            "An Adaptive search needs adaptive.rounds and adaptive.candidatesPerRound, and no other strategy has "
            "them; set both or neither.",
            field=".adaptive",
        ),
    )


class Range(Value, frozen=True, kw_only=True):
    """Numbers between two ends, both included, from which a random search draws."""

    low: Annotated[Decimal, field('The lower end, in quotes, as `"0.001"`.')]
    high: Annotated[Decimal, field('The upper end, in quotes, as `"10"`.')]
    scale: Annotated[Literal["Linear", "Log"], field("Whether numbers or their logarithms are drawn evenly.")] = (
        "Linear"
    )
    type: Annotated[Literal["Float", "Integer"], field("Whether floating-point numbers or integers are drawn.")] = (
        "Float"
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        # Text that is no number is refused by itself, and must not fail here.
        Rule(
            f"!self.low.matches('{_PLAIN}') || !self.high.matches('{_PLAIN}') || double(self.low) < double(self.high)",
            "The upper end is not above the lower one; raise high.",
            field=".high",
        ),
        Rule(
            f"!has(self.scale) || self.scale != 'Log' || !self.low.matches('{_PLAIN}') || double(self.low) > 0.0",
            "Only numbers above zero have a logarithm; raise low.",
            field=".low",
        ),
        *(
            Rule(
                f"!has(self.type) || self.type != 'Integer' || self.{end}.matches('^[-+]?[0-9]+([.]0+)?$')",
                "The range is of integers; write a whole number.",
                field=f".{end}",
            )
            for end in ("low", "high")
        ),
    )


class Parameter(Value, frozen=True, kw_only=True):
    """A hyper-parameter: exactly one of `value` (fixed), `values` (searched) and `range` (drawn at random).

    Numbers, truth values and text are written as they are. Text in quotes that is a Python literal is that literal:
    `"1.0"` is a floating-point number, `"None"` is None, `"(64, 32)"` is a tuple.
    """

    name: Annotated[
        str,
        field(
            "The name of the parameter, as the estimator's constructor has it; `estimator__C` reaches into an "
            "estimator.",
            min_length=1,
            max_length=128,
            pattern=PYTHON_NAME,
        ),
    ]
    value: Annotated[Any, field("The one value it has.")] = None
    values: Annotated[tuple[AnyValue, ...], field("The values that are searched.", min_length=1, max_length=1024)] = ()
    range: Annotated[Range, field("The numbers that a random search draws from.")] | None = None

    exactly_one: ClassVar[tuple[str, ...]] = ("value", "values", "range")


class EarlyStopping(Value, frozen=True, kw_only=True):
    """Fitting ends when a slice of the training points has not improved for a while.

    Validation points are never looked at.
    """

    share: Annotated[Share, field("The share of the training points that is watched.")] = "10%"
    patience: Annotated[int, field("How many epochs or rounds without improvement end the fit.", ge=1, le=100000)] = 10
    tolerance: Annotated[Decimal, field("By how much the loss must fall to count as an improvement.")] = "0.0001"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.share) || !self.share.matches('{ALL_OR_NOTHING}')",
            "This leaves nothing to train on or to watch; write a share between them, as 10%.",
            field=".share",
        ),
    )


class Algorithm(Value, frozen=True, kw_only=True):
    """An estimator, with its hyper-parameters. Each combination of searched values is a candidate."""

    name: Annotated[
        str,
        field(
            "A name for it, unique in the list.",
            min_length=1,
            max_length=63,
            pattern=ITEM_NAME,
        ),
    ]
    estimator: Annotated[
        DottedPath,
        field(
            "The dotted path of a class with scikit-learn's estimator interface, as "
            "`sklearn.linear_model.LogisticRegression`, or from the Pipeline's source."
        ),
    ]
    parameters: Annotated[
        tuple[Parameter, ...],
        field(
            "Its hyper-parameters. One that is not named has the estimator's own default.",
            keys=("name",),
            max_length=64,
        ),
    ] = ()
    early_stopping: (
        Annotated[EarlyStopping, field("When fitting ends early, for estimators that fit in epochs or rounds.")] | None
    ) = None
    scale: (
        Annotated[
            bool,
            field(
                "Whether numeric columns are scaled. Without it they are where the estimator profits (not for trees)."
            ),
        ]
        | None
    ) = None


class Features(Value, frozen=True, kw_only=True):
    """Which columns are features: all but key, group, time, weight and target, unless they are listed."""

    include: Annotated[
        tuple[ColumnName, ...], field("Only these columns are features, in this order.", unique=True, max_length=4096)
    ] = ()
    exclude: Annotated[
        tuple[ColumnName, ...], field("These columns are no features.", unique=True, max_length=4096)
    ] = ()

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.include) && self.include.size() > 0 && has(self.exclude) && self.exclude.size() > 0)",
            "Features are listed by include or by exclude, not by both; remove one of the two.",
        ),
    )


class Preprocessing(Value, frozen=True, kw_only=True):
    """What is fitted before the estimator, inside each candidate's own scikit-learn Pipeline."""

    strategy: Annotated[
        Literal["Automatic", "None", "Custom"],
        field(
            "`Automatic`: missing values are imputed, numbers scaled where the estimator profits, text one-hot "
            "encoded. `None`: columns as they are. `Custom`: one's own `transformer`."
        ),
    ] = "Automatic"
    transformer: (
        Annotated[
            DottedPath,
            field("The dotted path of one's own transformer, from the Pipeline's source; called without arguments."),
        ]
        | None
    ) = None
    numeric_imputation: Annotated[
        Literal["Mean", "Median", "MostFrequent"], field("What stands for a missing number.")
    ] = "Median"
    maximum_categories: Annotated[
        int, field("The most columns that one column of text is encoded into; rarer values share one.", ge=2, le=10000)
    ] = 50
    minimum_frequency: Annotated[int, field("Values of text that are rarer than this share a column.", ge=1)] | None = (
        None
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.strategy == 'Custom') == has(self.transformer)",
            "Strategy Custom needs a transformer, and no other strategy has one; set both or neither.",
            field=".transformer",
        ),
    )


class Training(Value, frozen=True, kw_only=True):
    """Which candidates are trained, how they are ranked, and how many of them become Models."""

    validation: Annotated[Validation, field("On what candidates are scored.")] = Validation()
    scoring: Annotated[Scoring, field("The scoring function that ranks the candidates.")]
    additional_scoring: Annotated[
        tuple[Scoring, ...],
        field("Scoring functions that are recorded as well, and rank nothing.", keys=("name",), max_length=16),
    ] = ()
    search: Annotated[Search, field("How candidates are taken from the hyper-parameters.")] = Search()
    algorithms: Annotated[
        tuple[Algorithm, ...], field("The algorithms that are tried.", keys=("name",), min_length=1, max_length=64)
    ]
    features: Annotated[Features, field("Which columns are features.")] | None = None
    preprocessing: Annotated[Preprocessing, field("What is fitted before the estimator.")] = Preprocessing()
    keep: Annotated[int, field("How many of the best candidates become Models.", ge=1, le=100)] = 1
    refit: Annotated[
        Literal["None", "TrainingAndValidation"],
        field(
            "Whether a Model is fitted again before it is saved: not at all, or on training and validation "
            "together. Never on testing."
        ),
    ] = "None"
    calibration: Annotated[
        Literal["None", "Sigmoid", "Isotonic"], field("How probabilities are calibrated, on validation or out of fold.")
    ] = "None"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.additionalScoring) || !self.additionalScoring.exists(other, other.name == self.scoring.name)",
            "The scoring that ranks is recorded anyway; remove it from additionalScoring.",
            field=".additionalScoring",
        ),
        Rule(
            "self.search.strategy != 'Grid' || !self.algorithms.exists(each, has(each.parameters) && "
            "each.parameters.exists(parameter, has(parameter.range)))",
            "A range has no end of values, and a Grid search tries all; set search.strategy to Random, or give values.",
            field=".algorithms",
        ),
    )

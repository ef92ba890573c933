"""Each part of a Pipeline as the jobs read it: text becomes numbers, literals become values, defaults are filled in."""

from collections.abc import Mapping
from typing import Any, Literal

from penstock.api import dataset as api_dataset
from penstock.api import deployment as api_deployment
from penstock.api import scoring as api_scoring
from penstock.api import testing as api_testing
from penstock.api import training as api_training
from penstock.api.jobs import JobSettings
from penstock.api.pipeline import PipelineSpec
from penstock.api.quantities import read_duration, read_number, read_share
from penstock.api.values import read_value
from penstock_jobs import specification as job
from penstock_jobs.errors import Refused

DUCKDB_TYPES = {
    "Integer": "BIGINT",
    "Float": "DOUBLE",
    "Boolean": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMP WITH TIME ZONE",
    "Date": "DATE",
}
HOLDOUT = 0.2  # where a Pipeline says neither holdout nor folds


def read_input(table: api_dataset.Input, places: Mapping[str, job.Location]) -> job.Input:
    """Return an input, at the place where it is from here."""
    if table.name not in places:
        raise Refused(f"Nobody said where spec.dataset.inputs[{table.name}] is from here.")
    return job.Input(
        name=table.name,
        location=places[table.name],
        format=table.format,
        delimiter=table.delimiter,
        null_values=table.null_values,
        types={each.column: DUCKDB_TYPES[each.type] for each in table.types},
        version=table.version,
    )


def target(dataset: api_dataset.Dataset) -> job.Target:
    """Return what is predicted."""
    return job.Target(column=dataset.target.column, positive=dataset.target.positive)


def split(dataset: api_dataset.Dataset) -> job.Split:
    """Return which points are kept for testing."""
    rule, time = dataset.split, dataset.split.time
    window = time.window if time else None
    return job.Split(
        testing=read_share(rule.testing, "spec.dataset.split.testing"),
        strategy=rule.strategy,
        group_columns=rule.group.columns if rule.group else (),
        time_column=time.column if time else None,
        cutoff=time.cutoff if time else None,
        window=read_duration(window, "spec.dataset.split.time.window") if window else None,
        gap=read_duration(time.gap, "spec.dataset.split.time.gap") if time else 0.0,
        salt=rule.salt,
    )


def validation(training: api_training.Training | None) -> job.Validation:
    """Return how candidates are scored: a holdout of a fifth, where nothing is said."""
    rule = training.validation if training is not None else api_training.Validation()
    if rule.folds is not None:
        return job.Validation(folds=rule.folds, repeats=rule.repeats)
    if rule.holdout is None:
        return job.Validation(holdout=HOLDOUT)
    return job.Validation(holdout=read_share(rule.holdout, "spec.training.validation.holdout"))


def scoring(rule: api_scoring.Scoring) -> job.Scoring:
    """Return a scoring function."""
    return job.Scoring(
        name=rule.name,
        function=rule.function,
        greater_is_better=rule.greater_is_better is not False,
        response=rule.response or "predict",
        average=rule.average,
    )


def algorithm(rule: api_training.Algorithm) -> job.Algorithm:
    """Return an algorithm, its values as Python has them."""
    return job.Algorithm(
        name=rule.name,
        estimator=rule.estimator,
        parameters=tuple(parameter(each, f"spec.training.algorithms[{rule.name}]") for each in rule.parameters),
        early_stopping=early_stopping(rule.early_stopping, f"spec.training.algorithms[{rule.name}].earlyStopping"),
        scale=rule.scale,
    )


def parameter(rule: api_training.Parameter, algorithm_field: str) -> job.Parameter:
    """Return a hyper-parameter. Text that is a Python literal is that literal."""
    if rule.range is not None:
        field = f"{algorithm_field}.parameters[{rule.name}].range"
        return job.Parameter(
            name=rule.name,
            low=read_number(rule.range.low, f"{field}.low"),
            high=read_number(rule.range.high, f"{field}.high"),
            log=rule.range.scale == "Log",
            integer=rule.range.type == "Integer",
        )
    if rule.values:
        return job.Parameter(name=rule.name, values=tuple(_value(each) for each in rule.values))
    return job.Parameter(name=rule.name, value=_value(rule.value))


def early_stopping(rule: api_training.EarlyStopping | None, field: str) -> job.EarlyStopping | None:
    """Return when a fit ends early."""
    if rule is None:
        return None
    return job.EarlyStopping(
        share=read_share(rule.share, f"{field}.share"),
        patience=rule.patience,
        tolerance=read_number(rule.tolerance, f"{field}.tolerance"),
    )


def search(rule: api_training.Search) -> job.Search:
    """Return how candidates are taken from the hyper-parameters."""
    if rule.strategy == "Adaptive":
        raise Refused("spec.training.search.strategy is Adaptive, which is not there yet; use Grid or Random.")
    return job.Search(strategy=rule.strategy, samples=rule.samples, seed=rule.seed)


def preprocessing(rule: api_training.Preprocessing) -> job.Preprocessing:
    """Return what is fitted before the estimator."""
    return job.Preprocessing(
        strategy=rule.strategy,
        transformer=rule.transformer,
        numeric_imputation=rule.numeric_imputation,
        maximum_categories=rule.maximum_categories,
        minimum_frequency=rule.minimum_frequency,
    )


def decision(rule: api_deployment.Decision | None) -> job.Decision:
    """Return from which probability the positive class is predicted."""
    if rule is None:
        return job.Decision()
    threshold = None
    if rule.threshold is not None:
        threshold = read_share(rule.threshold, "spec.deployment.decision.threshold")
    return job.Decision(threshold=threshold, tune=rule.tune)


def testing(spec: PipelineSpec) -> api_testing.Testing:
    """Return the rules of testing: the defaults, where the Pipeline has none."""
    return spec.testing or api_testing.Testing()


def testing_scoring(spec: PipelineSpec) -> tuple[job.Scoring, ...]:
    """Return the scoring functions of testing: those that ranked the candidates, where none is said."""
    named = testing(spec).scoring
    if not named and spec.training is not None:
        named = (spec.training.scoring, *spec.training.additional_scoring)
    if not named:
        raise Refused("spec.testing.scoring names no scoring function; add one, as {name: accuracy}.")
    return tuple(scoring(each) for each in named)


def selection(spec: PipelineSpec) -> job.Selection | None:
    """Return the gate, where the Pipeline has one."""
    rule = spec.deployment.selection if spec.deployment is not None else None
    if rule is None:
        return None
    field, must = "spec.deployment.selection", rule.must_improve
    ways = {each.name: each.greater_is_better for each in testing_scoring(spec)}
    return job.Selection(
        scoring=rule.scoring,
        greater_is_better=ways.get(rule.scoring, True),
        minimum=None if rule.minimum is None else read_number(rule.minimum, f"{field}.minimum"),
        maximum=None if rule.maximum is None else read_number(rule.maximum, f"{field}.maximum"),
        must_improve=must is not None,
        confidence=read_share(must.confidence, f"{field}.mustImprove.confidence") if must else 0.95,
        margin=read_number(must.margin, f"{field}.mustImprove.margin") if must else 0.0,
    )


def gpu(settings: JobSettings) -> Literal["None", "Preferred", "Required"]:
    """Return whether the job needs a GPU, or would like one."""
    if settings.gpu is None:
        return "None"
    return "Required" if settings.gpu.required else "Preferred"


def _value(value: Any) -> Any:
    return tuple(_value(each) for each in value) if isinstance(value, list) else read_value(value)

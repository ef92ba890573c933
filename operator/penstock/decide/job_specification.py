"""What each job is asked to do: a Pipeline, a run and the results so far go in, a job specification comes out.

The same on a laptop and on a cluster, but for `Places`, which says where the artifacts are from there. Each job is
given the locations that it needs, with the credentials for what it does there: the dataset job alone writes tables.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from penstock.api import dataset as api_dataset
from penstock.api import training as api_training
from penstock.api.addresses import put_in_address
from penstock.api.expectations import Expectation
from penstock.api.jobs import JobSettings, OverridableSettings, PipelineJob, Retries, job_field
from penstock.api.model import Model
from penstock.api.pipeline import PipelineSpec
from penstock.api.quantities import read_bytes, read_duration, read_number, read_share
from penstock.api.run import JobRequest
from penstock.api.schema import JobName
from penstock.api.score_bounds import is_greater_better, scorings_of_testing
from penstock.api.scoring import Scoring as ApiScoring
from penstock.api.testing import Testing
from penstock.api.values import read_value
from penstock_jobs.contract import specification
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.result import DatasetResult, ModelReference, TrainingResult
from penstock_jobs.contract.specification import DatasetJob, Location, Run, SourceSpec, TestingJob, TrainingJob

HOLDOUT = 0.2  # where a manifest says nothing of validation


@dataclass(frozen=True)
class PastDecisions:
    """What earlier decisions came to: the Model that is served, the anchor beside it, and the testing set.

    `anchor_name` is None where the gate does not ask for it, or it is the served one; `anchor` is None where it is
    gone. `decisions` and `decided_generation` are of this epoch of the testing set.
    """

    served: ModelReference | None = None
    anchor: ModelReference | None = None
    anchor_name: str | None = None
    decisions: int = 0
    decided_generation: int | None = None


class Places(Protocol):
    """Where the artifacts of a run are."""

    def tables(self, *, write: bool) -> Location:
        """Return the storage of the Pipeline, which holds the tables."""
        ...

    def run(self) -> Location:
        """Return the storage of the run."""
        ...

    def models(self, *, write: bool) -> Location:
        """Return the folder that holds the Models' folders."""
        ...

    def input(self, table: api_dataset.Input) -> Location:
        """Return where an input is."""
        ...

    def source(self) -> SourceSpec | None:
        """Return the folder with the user's own operations, where there is one."""
        ...


def settings_of(spec: PipelineSpec, job: JobName, request: JobRequest | None = None) -> PipelineJob:
    """Return how a job runs: what the run asks for, over what the Pipeline says."""
    settings = next((each for each in spec.jobs if each.name == job), PipelineJob(name=job))
    if request is None:
        return settings
    names = OverridableSettings.__struct_fields__
    asked = {name: value for name in names if (value := getattr(request, name)) is not None}
    return msgspec.structs.replace(settings, **asked)


def retries_of(settings: JobSettings) -> Retries:
    """Return how often the job is tried again."""
    return settings.retries or Retries()


def dataset_job(
    spec: PipelineSpec,
    run: Run,
    places: Places,
    request: JobRequest,
    models: Iterable[Model] = (),
    parameters: tuple[ParameterValue, ...] = (),
) -> DatasetJob:
    """Return what the dataset job is asked to do; the tables that these Models were made of are kept, however old."""
    dataset = _require(spec.dataset, "dataset")
    settings = settings_of(spec, "dataset", request)
    storage = places.tables(write=True)
    inputs = [_with_parameters(table, parameters) for table in dataset.inputs]
    lineages = [model.spec.lineage for model in models if model.spec.lineage.storage == storage.uri]
    return DatasetJob(
        run=run,
        storage=storage,
        run_storage=places.run(),
        inputs=tuple(_input(table, places.input(table)) for table in inputs),
        target=_target(dataset),
        split=_split(dataset.split),
        validation=_validation(spec),
        query=dataset.query,
        parameters=parameters,
        task=dataset.task,
        key=dataset.key,
        weight=dataset.weight,
        updates=dataset.updates,
        reset_testing=request.reset_testing,
        pinned_training=tuple(sorted({lineage.training.version for lineage in lineages})),
        pinned_validation=tuple(sorted({lineage.validation.version for lineage in lineages})),
        minimum_class_count=dataset.minimum_class_count,
        expect=tuple(_expectation(each) for each in dataset.expect),
        keep_versions=read_duration(spec.retention.table_versions, "spec.retention.tableVersions"),
        memory=_memory(settings, "dataset"),
        threads=settings.threads or 1,
        timeout=_timeout(settings, "dataset"),
    )


def training_job(
    spec: PipelineSpec, run: Run, places: Places, request: JobRequest, made: DatasetResult, processors: int
) -> TrainingJob:
    """Return what the training job is asked to do with the tables; `processors` are those it may use."""
    training = _require(spec.training, "training")
    dataset = _require(spec.dataset, "dataset")
    settings = settings_of(spec, "training", request)
    decision = spec.deployment.decision if spec.deployment else None
    features = training.features or api_training.Features()
    return TrainingJob(
        run=run,
        storage=places.tables(write=False),
        run_storage=places.run(),
        models=places.models(write=True),
        training=made.training,
        validation=made.validation,
        testing=made.testing,
        generation=made.generation,
        columns=made.columns,
        task=made.task,
        target=_target(dataset),
        split=made.split or _split(dataset.split),
        identity=made.identity,
        validation_rule=_validation(spec),
        scoring=_scoring(training.scoring),
        algorithms=tuple(_algorithm(each) for each in training.algorithms),
        search=_search(training.search),
        also_scoring=tuple(_scoring(each) for each in training.additional_scoring),
        later_scoring=tuple(_scoring(each) for each in _or_default(spec).scoring),
        features=features.include,
        exclude=features.exclude,
        preprocessing=_preprocessing(training.preprocessing),
        keep=training.keep,
        refit=training.refit,
        calibration=training.calibration,
        decision=specification.DecisionSpec(
            threshold=_share(decision.threshold if decision else None, "spec.deployment.decision.threshold"),
            tune=decision.tune if decision else None,
            scoring=_threshold_scoring(spec, decision.tune) if decision and decision.tune else None,
        ),
        source=places.source(),
        gpu=_gpu(settings),
        processes=settings.processes or processors,
        threads=settings.threads or 1,
        memory=_memory(settings, "training"),
        trusted_types=spec.models.trusted_types,
        timeout=_timeout(settings, "training"),
    )


def testing_job(
    spec: PipelineSpec,
    run: Run,
    places: Places,
    request: JobRequest,
    made: DatasetResult,
    trained: TrainingResult | None,
    models: tuple[ModelReference, ...],
    past: PastDecisions,
    created: str | None,
) -> TestingJob:
    """Return what the testing job is asked to do: score the new Models, and the served one beside them."""
    _require(spec.training, "training")
    testing = _or_default(spec)
    settings = settings_of(spec, "testing", request)
    return TestingJob(
        run=run,
        storage=places.tables(write=False),
        run_storage=places.run(),
        models_storage=places.models(write=False),
        testing=made.testing,
        training=made.training,
        validation=made.validation,
        columns=made.columns,
        task=made.task,
        target=_target(_require(spec.dataset, "dataset")),
        split=made.split or _split(_require(spec.dataset, "dataset").split),
        identity=made.identity,
        models=models,
        scoring=tuple(_scoring(each) for each in scorings_of_testing(spec)),
        served=past.served,
        anchor=past.anchor,
        anchor_name=past.anchor_name,
        selection=selection_of(spec),
        minimum_points=testing.minimum_points,
        segments=testing.segments,
        decisions_so_far=past.decisions,
        decided_generation=past.decided_generation,
        resamples=testing.resamples,
        seed=testing.seed,
        source=places.source(),
        dataset_result=made,
        training_result=trained,
        created=created,
        gpu=_gpu(settings),
        threads=settings.threads or 1,
        trusted_types=spec.models.trusted_types,
        timeout=_timeout(settings, "testing"),
    )


def selection_of(spec: PipelineSpec) -> specification.SelectionSpec | None:
    """Return the gate, one without rules where none are written; None where nothing is trained or deployed."""
    if spec.training is None or spec.deployment is None:
        return None
    scorings = scorings_of_testing(spec)
    rules = spec.deployment.selection
    if rules is None:
        first = spec.training.scoring if spec.training.scoring.name in {each.name for each in scorings} else scorings[0]
        return specification.SelectionSpec(scoring=first.name, greater_is_better=first.greater_is_better is not False)
    field, must = "spec.deployment.selection", rules.must_improve
    return specification.SelectionSpec(
        scoring=rules.scoring,
        greater_is_better=is_greater_better(spec, rules.scoring),
        minimum=_number(rules.minimum, f"{field}.minimum"),
        maximum=_number(rules.maximum, f"{field}.maximum"),
        must_improve=must is not None,
        confidence=read_share(must.confidence, f"{field}.mustImprove.confidence") if must else 0.95,
        margin=read_number(must.margin, f"{field}.mustImprove.margin") if must else 0.0,
    )


def _or_default(spec: PipelineSpec) -> Testing:
    return spec.testing or Testing()


def _with_parameters(table: api_dataset.Input, parameters: tuple[ParameterValue, ...]) -> api_dataset.Input:
    values = {each.name: each.value for each in parameters}
    return msgspec.structs.replace(table, uri=put_in_address(table.uri, values))


def _input(table: api_dataset.Input, location: Location) -> specification.InputSpec:
    return specification.InputSpec(
        name=table.name,
        location=location,
        format=table.format,
        delimiter=table.delimiter,
        null_values=table.null_values,
        date_format=table.date_format,
        decimal=table.decimal,
        thousands=table.thousands,
        types={each.column: each.type for each in table.types},
        version=table.version,
    )


def _expectation(expected: Expectation) -> specification.Expectation:
    field, bounds, rows = "spec.dataset.expect", expected.range, expected.rows
    increase = rows.increase if rows else None
    return specification.Expectation(
        column=expected.column,
        remark=expected.remark,
        nulls=_share(expected.nulls, f"{field}.nulls"),
        low=_number(bounds.low if bounds else None, f"{field}.range.low"),
        high=_number(bounds.high if bounds else None, f"{field}.range.high"),
        decrease=_share(rows.decrease if rows else None, f"{field}.rows.decrease"),
        increase=None if increase is None else float(increase.removesuffix("%")) / 100,
        minimum=rows.minimum if rows else None,
    )


def _target(dataset: api_dataset.Dataset) -> specification.TargetSpec:
    return specification.TargetSpec(column=dataset.target.column, positive=dataset.target.positive)


def _split(split: api_dataset.Split) -> specification.SplitSpec:
    time = split.time
    window = time.window if time else None
    return specification.SplitSpec(
        testing=read_share(split.testing, "spec.dataset.split.testing"),
        strategy=split.strategy,
        group_columns=split.group.columns if split.group else (),
        time_column=time.column if time else None,
        cutoff=time.cutoff if time else None,
        window=None if window is None else read_duration(window, "spec.dataset.split.time.window"),
        gap=read_duration(time.gap, "spec.dataset.split.time.gap") if time else 0.0,
        retired=time.retired if time else "Train",
        salt=split.salt,
    )


def _validation(spec: PipelineSpec) -> specification.ValidationSpec:
    rule = spec.training.validation if spec.training else api_training.Validation()
    if rule.folds is not None:
        return specification.ValidationSpec(folds=rule.folds, repeats=rule.repeats)
    holdout = _share(rule.holdout, "spec.training.validation.holdout")
    return specification.ValidationSpec(holdout=HOLDOUT if holdout is None else holdout)


def _scoring(scoring: ApiScoring) -> specification.ScoringSpec:
    return specification.ScoringSpec(
        name=scoring.name,
        function=scoring.function,
        greater_is_better=scoring.greater_is_better is not False,
        response=_word_of_sklearn(scoring.response or "Predict"),
        average=None if scoring.average is None else _word_of_sklearn(scoring.average),
    )


def _threshold_scoring(spec: PipelineSpec, name: str) -> specification.ScoringSpec | None:
    """Return what the manifest says of the scoring function that the threshold is tuned for."""
    training = _require(spec.training, "training")
    said = (training.scoring, *training.additional_scoring, *_or_default(spec).scoring)
    return next((_scoring(each) for each in said if each.name == name), None)


def _preprocessing(preprocessing: api_training.Preprocessing) -> specification.PreprocessingSpec:
    given = {name: getattr(preprocessing, name) for name in preprocessing.__struct_fields__}
    imputation = _word_of_sklearn(preprocessing.numeric_imputation)
    return specification.PreprocessingSpec(**given | {"numeric_imputation": imputation})


def _word_of_sklearn(word: str) -> Any:
    """Return what scikit-learn calls what a manifest says in CamelCase: `most_frequent` for `MostFrequent`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()


def _algorithm(algorithm: api_training.Algorithm) -> specification.AlgorithmSpec:
    return specification.AlgorithmSpec(
        name=algorithm.name,
        estimator=algorithm.estimator,
        parameters=tuple(
            _parameter(each, f"spec.training.algorithms[{algorithm.name}]") for each in algorithm.parameters
        ),
        early_stopping=_early_stopping(algorithm),
        scale=algorithm.scale,
    )


def _early_stopping(algorithm: api_training.Algorithm) -> specification.EarlyStoppingSpec | None:
    early, field = algorithm.early_stopping, f"spec.training.algorithms[{algorithm.name}].earlyStopping"
    if early is None:
        return None
    return specification.EarlyStoppingSpec(
        share=read_share(early.share, f"{field}.share"),
        patience=early.patience,
        tolerance=read_number(early.tolerance, f"{field}.tolerance"),
    )


def _parameter(parameter: api_training.Parameter, algorithm: str) -> specification.ParameterSpec:
    drawn, field = parameter.range, f"{algorithm}.parameters[{parameter.name}].range"
    if drawn is not None:
        return specification.ParameterSpec(
            name=parameter.name,
            low=read_number(drawn.low, f"{field}.low"),
            high=read_number(drawn.high, f"{field}.high"),
            log=drawn.scale == "Log",
            integer=drawn.type == "Integer",
        )
    return specification.ParameterSpec(
        name=parameter.name,
        value=read_value(parameter.value),
        values=tuple(read_value(value) for value in parameter.values),
    )


def _search(search: api_training.Search) -> specification.SearchSpec:
    if search.strategy == "Adaptive":
        raise Refused("spec.training.search.strategy Adaptive is not there yet; take Grid or Random.")
    return specification.SearchSpec(strategy=search.strategy, samples=search.samples, seed=search.seed)


def _gpu(settings: JobSettings) -> Literal["None", "Preferred", "Required"]:
    if settings.gpu is None:
        return "None"
    return "Required" if settings.gpu.required else "Preferred"


def _memory(settings: JobSettings, job: JobName) -> int | None:
    limits = settings.resources.limits if settings.resources else None
    if limits is None or limits.memory is None:
        return None
    return read_bytes(limits.memory, job_field(job, "resources.limits.memory"))


def _timeout(settings: JobSettings, job: JobName) -> float | None:
    return None if settings.timeout is None else read_duration(settings.timeout, job_field(job, "timeout"))


def _share(text: str | None, field: str) -> float | None:
    return None if text is None else read_share(text, field)


def _number(text: str | None, field: str) -> float | None:
    return None if text is None else read_number(text, field)


Given = TypeVar("Given")


def _require(section: Given | None, name: str) -> Given:
    if section is None:
        raise Refused(f"The Pipeline has no spec.{name}; add it.")
    return section

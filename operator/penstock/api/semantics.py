"""What no schema and no CEL rule can say: a cluster's operator finds it and sets a condition; here it is found first.

Each check is a function from a resource to what is wrong with it. They are pure; those that need scikit-learn are in
`estimators.py`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from penstock.api.cron import cron_fault
from penstock.api.estimators import estimator_faults
from penstock.api.findings import Fault, Path, closest_name
from penstock.api.jobs import OverridableSettings, ResourceAmounts, Resources
from penstock.api.model import Model
from penstock.api.parameters import declaration_faults
from penstock.api.pipeline import Pipeline
from penstock.api.quantities import read_quantity
from penstock.api.renamed_fields import ANNOTATIONS
from penstock.api.resource import Resource
from penstock.api.run import PipelineRun
from penstock.api.scoring import Scoring
from penstock.api.scoring_names import CLASSIFICATION, CLUSTERING, REGRESSION, task_of
from penstock.api.training import Parameter
from penstock.api.trigger import Trigger

_NEEDS_CLASSES = "Classification"


def semantic_faults(resource: Resource) -> Iterator[Fault]:
    """Yield what is wrong with a resource whose structure and rules are right."""
    for name in resource.metadata.annotations:
        if name in ANNOTATIONS:  # the API server would take it, and nothing reads it
            yield Fault(("metadata", "annotations", name), ANNOTATIONS[name])
    if isinstance(resource, Pipeline):
        for check in _OF_PIPELINE:
            yield from check(resource)
    elif isinstance(resource, PipelineRun):
        for index, request in enumerate(resource.spec.jobs):
            yield from _settings_faults(request, ("spec", "jobs", index))
    elif isinstance(resource, Trigger):
        yield from _schedule_faults(resource)
    elif isinstance(resource, Model):
        yield from _moment_faults(resource.spec.creation_time, ("spec", "creationTime"))


def _time_faults(pipeline: Pipeline) -> Iterator[Fault]:
    dataset = pipeline.spec.dataset
    time = dataset.split.time if dataset is not None else None
    if time is None:
        return
    path: Path = ("spec", "dataset", "split", "time")
    if time.cutoff is not None:
        yield from _moment_faults(time.cutoff, (*path, "cutoff"))


def _scoring_list_faults(pipeline: Pipeline) -> Iterator[Fault]:
    training, testing = pipeline.spec.training, pipeline.spec.testing
    if training is not None:
        yield from _scoring_faults(pipeline, training.scoring, ("spec", "training", "scoring"))
        for index, each in enumerate(training.additional_scoring):
            yield from _scoring_faults(pipeline, each, ("spec", "training", "additionalScoring", index))
    for index, each in enumerate(testing.scoring if testing is not None else ()):
        yield from _scoring_faults(pipeline, each, ("spec", "testing", "scoring", index))


def _scoring_faults(pipeline: Pipeline, scoring: Scoring, path: Path) -> Iterator[Fault]:
    if scoring.function is not None:
        return
    yield from _scoring_name_faults(pipeline, scoring.name, (*path, "name"))
    plain = task_of(scoring.name) is not None and scoring.average is not None
    if plain and not scoring.name.startswith(("f1", "jaccard", "precision", "recall", "roc_auc", "average_precision")):
        yield Fault((*path, "average"), f"means nothing to {scoring.name}, which has nothing to average; remove it")


def _scoring_name_faults(pipeline: Pipeline, name: str, path: Path) -> Iterator[Fault]:
    task = pipeline.spec.dataset.task if pipeline.spec.dataset is not None else None
    if name in CLUSTERING:
        yield Fault(path, f"is {name}, which scores clusterings; take one for classes or numbers")
        return
    fits = task_of(name)
    if fits is None:
        likely = closest_name(name, CLASSIFICATION | REGRESSION)
        ending = f"did you mean {likely}?" if likely else "name one of its, or give your own function."
        yield Fault(path, f"is {name}, which scikit-learn does not have; {ending}")
    elif task is not None and fits != task:
        examples = "accuracy or roc_auc" if task == _NEEDS_CLASSES else "r2 or neg_mean_absolute_error"
        yield Fault(path, f"is {name}, which is for {fits.lower()}, and the task is {task}; take one as {examples}")


def _threshold_faults(pipeline: Pipeline) -> Iterator[Fault]:
    deployment = pipeline.spec.deployment
    decision = deployment.decision if deployment is not None else None
    if decision is None or decision.tune is None:
        return
    path: Path = ("spec", "deployment", "decision", "tune")
    training, testing = pipeline.spec.training, pipeline.spec.testing
    own = {each.name for each in (testing.scoring if testing else ()) if each.function is not None}
    ranking = (training.scoring, *training.additional_scoring) if training else ()
    own |= {each.name for each in ranking if each.function is not None}
    if decision.tune in own:
        return
    if decision.tune in REGRESSION:
        yield Fault(path, f"is {decision.tune}, which is for regression and knows no threshold; take one as f1")
    else:
        yield from _scoring_name_faults(pipeline, decision.tune, path)


def _search_faults(pipeline: Pipeline) -> Iterator[Fault]:
    training = pipeline.spec.training
    for index, algorithm in enumerate(training.algorithms if training is not None else ()):
        for place, parameter in enumerate(algorithm.parameters):
            path: Path = ("spec", "training", "algorithms", index, "parameters", place)
            if _has_twice(parameter):
                yield Fault((*path, "values"), "has a value twice, which would train a candidate twice; remove one")


def _has_twice(parameter: Parameter) -> bool:
    marked = [(type(value).__name__, repr(value)) for value in parameter.values]
    return len(set(marked)) < len(marked)


def _job_faults(pipeline: Pipeline) -> Iterator[Fault]:
    for index, job in enumerate(pipeline.spec.jobs):
        yield from _settings_faults(job, ("spec", "jobs", index))


def _settings_faults(settings: OverridableSettings, path: Path) -> Iterator[Fault]:
    yield from _resource_faults(settings.resources, (*path, "resources"))
    more = settings.retries.memory if settings.retries else None
    limits = settings.resources.limits if settings.resources else None
    first = None if limits is None else _amount(limits, "memory")
    if more is not None and limits is not None and first is not None and read_quantity(more.limit, "") <= first:
        place = (*path, "retries", "memory", "limit")
        yield Fault(place, f"is no more than resources.limits.memory, which is {limits.memory}; raise it")


def _resource_faults(resources: Resources | None, path: Path) -> Iterator[Fault]:
    if resources is None or resources.requests is None or resources.limits is None:
        return
    for name, key in (("cpu", "cpu"), ("memory", "memory"), ("ephemeral_storage", "ephemeral-storage")):
        asked, most = _amount(resources.requests, name), _amount(resources.limits, name)
        if asked is not None and most is not None and asked > most:
            place = (*path, "requests", key)
            yield Fault(
                place, f"is more than the limit of {getattr(resources.limits, name)}; lower it, or raise the limit"
            )


def _amount(amounts: ResourceAmounts, name: str) -> Decimal | None:
    quantity = getattr(amounts, name)
    return None if quantity is None else read_quantity(quantity, "")


def _schedule_faults(trigger: Trigger) -> Iterator[Fault]:
    schedule = trigger.spec.schedule
    if schedule is None:
        return
    path: Path = ("spec", "schedule")
    for index, moment in enumerate(schedule.moments):
        yield from _moment_faults(moment, (*path, "moments", index))
    try:
        ZoneInfo(schedule.time_zone)
    except (KeyError, ValueError, OSError):
        yield Fault((*path, "timeZone"), f"is {schedule.time_zone}, which is no time zone; write one as Europe/Paris")
    for index, expression in enumerate(schedule.cron):
        if problem := cron_fault(expression):
            yield Fault((*path, "cron", index), problem)


def _moment_faults(moment: str, path: Path) -> Iterator[Fault]:
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        yield Fault(path, f"is {moment}, which is no moment of the calendar; correct it")


def _parameter_faults(pipeline: Pipeline) -> Iterator[Fault]:
    yield from declaration_faults(pipeline.spec)


_OF_PIPELINE: tuple[Callable[[Pipeline], Iterator[Fault]], ...] = (
    _parameter_faults,
    _time_faults,
    _scoring_list_faults,
    _threshold_faults,
    _search_faults,
    _job_faults,
    estimator_faults,
)

"""What a run was and came to, told of what is left of it. A result goes before the status, which has less room."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.api.model import Model
from penstock.api.run import DatasetSummary, DeploymentSummary, TrainingSummary
from penstock.api.schema import JobName
from penstock.api.scores import Score, TestedScore
from penstock.decide.commands.compare_specs import shown_value
from penstock.decide.commands.run_evidence import RunEvidence
from penstock.decide.run_state import is_finished, status_of, step_of
from penstock.decide.score_display import display_in
from penstock.decide.summaries import dataset_summary, training_summary
from penstock.decide.times import seconds_between
from penstock_jobs.contract.ranking import rank_candidates
from penstock_jobs.contract.result import (
    DatasetResult,
    ScoreResult,
    SourceResult,
    TestingResult,
    TrainingResult,
)
from penstock_jobs.contract.score_display import ScoreDisplay, display_of


@dataclass(frozen=True, kw_only=True)
class ScoreOfModel:
    """A score on scikit-learn's scale, with what is needed to show it."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    error: bool = False
    average: str = ""

    @property
    def display(self) -> ScoreDisplay:
        """How it is shown."""
        return ScoreDisplay(self.name, self.error, self.average)


@dataclass(frozen=True, kw_only=True)
class BestCandidate:
    """The candidate that validation ranked first, and the Model that it became."""

    candidate: str
    algorithm: str
    model: str | None
    parameters: Mapping[str, str]
    score: ScoreOfModel | None


@dataclass(frozen=True, kw_only=True)
class ModelTested:
    """A Model on the testing points that it never saw."""

    name: str
    points: int
    scores: tuple[ScoreOfModel, ...]


@dataclass(frozen=True, kw_only=True)
class TestingDescription:
    """What was tested, and on what."""

    epoch: int
    version: int
    digest: str | None
    points: int
    models: tuple[ModelTested, ...]


@dataclass(frozen=True, kw_only=True)
class StepDescription:
    """How a step ended, and how long it took."""

    name: JobName
    state: str
    seconds: int | None


@dataclass(frozen=True, kw_only=True)
class SetOverride:
    """An override, and its value as it may be told."""

    path: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class RunDescription:
    """A run as it is compared with another."""

    label: str
    name: str
    pipeline: str
    execution_name: str | None
    uid: str | None
    state: str
    ended: bool
    commit: str | None
    images: tuple[str, ...]
    parameters: Mapping[str, str]
    overrides: tuple[SetOverride, ...]
    jobs: tuple[JobName, ...]
    dataset: DatasetSummary | None
    training: TrainingSummary | None
    best: BestCandidate | None
    testing: TestingDescription | None
    deployment: DeploymentSummary | None
    steps: tuple[StepDescription, ...]


def describe_run(evidence: RunEvidence, label: str) -> RunDescription:
    """Return what the run was and came to; `label` is what it is called beside the other."""
    run, status = evidence.run, status_of(evidence.run)
    source, made, trained = (evidence.results.get(part) for part in ("source", "dataset", "training"))
    dataset, training, deployment = (step_of(run, job) for job in ("dataset", "training", "deployment"))
    return RunDescription(
        label=label,
        name=run.metadata.name or "",
        pipeline=run.spec.pipeline_ref.name,
        execution_name=status.execution_name,
        uid=run.metadata.uid,
        state=evidence.state,
        ended=is_finished(run),
        commit=status.commit or (source.commit or None if isinstance(source, SourceResult) else None),
        images=(status.image_digest,) if status.image_digest else tuple(sorted(set(evidence.images.values()))),
        parameters=_parameters(evidence),
        overrides=tuple(
            SetOverride(path=each.path, value=shown_value(each.path, each.value)) for each in run.spec.overrides
        ),
        jobs=tuple(step.name for step in status.steps) or tuple(job.name for job in run.spec.jobs),
        dataset=dataset_summary(made) if isinstance(made, DatasetResult) else dataset.dataset if dataset else None,
        training=(
            training_summary(trained)
            if isinstance(trained, TrainingResult)
            else training.training
            if training
            else None
        ),
        best=_best_candidate(evidence),
        testing=_testing(evidence),
        deployment=deployment.deployment if deployment else None,
        steps=tuple(
            StepDescription(
                name=step.name, state=step.state, seconds=seconds_between(step.start_time, step.completion_time)
            )
            for step in status.steps
        ),
    )


def _parameters(evidence: RunEvidence) -> dict[str, str]:
    """Return all that the run has; those that it was given where nothing else is left."""
    made = evidence.results.get("dataset")
    found = evidence.parameters or (made.parameters if isinstance(made, DatasetResult) else ())
    return {each.name: each.value for each in found or evidence.run.spec.parameters}


def _best_candidate(evidence: RunEvidence) -> BestCandidate | None:
    trained = evidence.results.get("training")
    if not isinstance(trained, TrainingResult):
        return _best_of_status(evidence)
    ranked = rank_candidates((trained,))
    if not ranked:
        return None
    best = ranked[0]
    saved = next((each for each in trained.models if each.candidate == best.candidate), None)
    model = evidence.models.get(saved.name) if saved else None
    ranking = evidence.spec.training.scoring.name if evidence.spec and evidence.spec.training else "score"
    return BestCandidate(
        candidate=best.candidate,
        algorithm=best.algorithm,
        model=saved.name if saved else None,
        parameters=_hyper_parameters(model),
        score=_of_result(saved.validation if saved and saved.validation else ScoreResult(ranking, best.score)),
    )


def _best_of_status(evidence: RunEvidence) -> BestCandidate | None:
    step = step_of(evidence.run, "training")
    names = step.training.models if step and step.training else ()
    model = evidence.models.get(names[0]) if names else None
    if model is None:
        return None
    scores = model.spec.validation_scores
    return BestCandidate(
        candidate=model.spec.origin.candidate,
        algorithm=model.spec.origin.algorithm,
        model=names[0],
        parameters=_hyper_parameters(model),
        score=_of_object(scores[0], display_in(model, scores[0].name)) if scores else None,
    )


def _hyper_parameters(model: Model | None) -> dict[str, str]:
    return {each.name: each.value for each in model.spec.origin.parameters} if model else {}


def _testing(evidence: RunEvidence) -> TestingDescription | None:
    tested = evidence.results.get("testing")
    if not isinstance(tested, TestingResult):
        return _testing_of_status(evidence)
    return TestingDescription(
        epoch=tested.epoch,
        version=tested.testing_version,
        digest=tested.digest,
        points=tested.points,
        models=tuple(
            ModelTested(name=each.model, points=each.points, scores=tuple(map(_of_result, each.scores)))
            for each in tested.models
        ),
    )


def _testing_of_status(evidence: RunEvidence) -> TestingDescription | None:
    step = step_of(evidence.run, "testing")
    found = step.testing if step else None
    if found is None:
        return None
    return TestingDescription(
        epoch=found.epoch,
        version=found.version,
        digest=found.digest,
        points=found.points,
        models=tuple(
            ModelTested(
                name=each.name,
                points=each.points,
                scores=tuple(
                    _of_object(score, display_in(evidence.models.get(each.name), score.name, found.own_errors))
                    for score in each.scores
                ),
            )
            for each in found.models
        ),
    )


def _of_result(score: ScoreResult) -> ScoreOfModel:
    shown = display_of(score)
    return ScoreOfModel(
        name=score.name,
        value=score.value,
        low=score.low,
        high=score.high,
        spread=score.spread,
        error=shown.error,
        average=shown.average,
    )


def _of_object(score: TestedScore, shown: ScoreDisplay) -> ScoreOfModel:
    spread = score.spread if isinstance(score, Score) else None
    numbers = {"low": score.low, "high": score.high, "spread": spread}
    return ScoreOfModel(
        name=score.name,
        value=float(score.value),
        error=shown.error,
        average=shown.average,
        **{name: None if text is None else float(text) for name, text in numbers.items()},
    )

"""What a step's result comes to in the status of its run: the figures that people look for, and no more than fits."""

from typing import Any

from penstock.api.run import (
    LONGEST_REMARK,
    MOST_REMARKS,
    MOST_SCORES,
    DatasetSummary,
    NewPointScores,
    RemarkSummary,
    StepTable,
    TestedModel,
    TestingSummary,
    TrainingSummary,
)
from penstock.api.scores import PlainScore, Score, TestedScore, ValidationScore
from penstock.decide.conditions import shorten
from penstock_jobs.contract import result
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.result import DatasetResult, TestingResult, TrainingResult

MODELS = 6  # as many as the status has room for
MADE = 20
ADDRESS = PARAMETERS = 512  # as long as a status takes
CODE = 32


def parameters_in_words(parameters: tuple[ParameterValue, ...]) -> str | None:
    """Return the parameters of a run for people, as far as there is room: the snapshot has them whole."""
    return shorten(", ".join(f"{each.name}={each.value}" for each in parameters), PARAMETERS) or None


def dataset_summary(found: DatasetResult) -> DatasetSummary:
    """Return the figures of a dataset step."""
    tables = (("training", found.training), ("validation", found.validation), ("testing", found.testing))
    return DatasetSummary(
        epoch=found.epoch,
        generation=found.generation,
        task=found.task,
        tables=tuple(
            StepTable(name=name, uri=address(table.uri), version=table.version, rows=table.rows, digest=table.digest)  # type: ignore[arg-type]
            for name, table in tables
        ),
        rows_read=found.rows_read,
        duplicates=found.duplicates,
        new=found.new,
        changed=found.changed,
        vanished=found.vanished,
        retired=found.retired,
        left_out=found.left_out,
        remarked=len(found.remarks),
        remarks=tuple(_remark(each) for each in found.remarks[:MOST_REMARKS]),
    )


def _remark(found: result.Remark) -> RemarkSummary:
    return RemarkSummary(code=shorten(found.code, CODE), message=shorten(found.message, LONGEST_REMARK))


def training_summary(found: TrainingResult) -> TrainingSummary:
    """Return the figures of a training step."""
    return TrainingSummary(
        total=found.total,
        succeeded=found.succeeded,
        failed=found.failed,
        candidates=address(found.candidates),
        models=tuple(model.name for model in found.models[:MADE]),
    )


def testing_summary(found: TestingResult) -> TestingSummary:
    """Return the figures of a testing step."""
    return TestingSummary(
        epoch=found.epoch,
        version=found.testing_version,
        digest=found.digest,
        generation=found.generation,
        points=found.points,
        report=address(found.report),
        models=tuple(
            TestedModel(name=each.model, points=each.points, scores=_tested_scores(each.scores[:MOST_SCORES]))
            for each in found.models[:MODELS]
        ),
        new_points=_new_points(found),
        own_errors=_own_errors(found),
    )


def _own_errors(found: TestingResult) -> tuple[str, ...]:
    scored = (score for each in found.models for score in each.scores[:MOST_SCORES])
    return tuple(dict.fromkeys(score.name for score in scored if not score.greater_is_better))


def _new_points(found: TestingResult) -> NewPointScores | None:
    scored = next((each for each in found.models if each.new is not None), None)
    if scored is None or scored.new is None:
        return None
    # In the order of the scoring functions, of which a Trigger may name the first.
    values = list(scored.new.scores.items())[:MOST_SCORES]
    return NewPointScores(
        model=scored.model,
        points=scored.new.points,
        scores=tuple(PlainScore(name=name, value=repr(value)) for name, value in values),
    )


def _tested_scores(found: tuple[result.ScoreResult, ...]) -> tuple[TestedScore, ...]:
    return tuple(
        TestedScore(name=each.name, value=repr(each.value), low=_text(each.low), high=_text(each.high))
        for each in found
    )


def scores(found: tuple[result.ScoreResult, ...]) -> tuple[Score, ...]:
    """Return scores as a status keeps them: numbers in text."""
    return tuple(Score(name=each.name, **_numbers(each)) for each in found)


def validation_scores(found: tuple[result.ScoreResult, ...]) -> tuple[ValidationScore, ...]:
    """Return scores as a Model keeps them, with what is needed to show them."""
    return tuple(
        ValidationScore(
            name=each.name,
            average=each.average or None,
            greater_is_better=None if each.greater_is_better else False,
            **_numbers(each),
        )
        for each in found
    )


def _numbers(score: result.ScoreResult) -> dict[str, Any]:
    return {
        "value": repr(score.value),
        "low": _text(score.low),
        "high": _text(score.high),
        "spread": _text(score.spread),
    }


def address(uri: str) -> str:
    """Return an address as a status keeps it: one that is absurdly long is cut, and the result has the whole."""
    return shorten(uri, ADDRESS)


def _text(number: float | None) -> str | None:
    return None if number is None else repr(number)

"""What is said of two runs beside each other, in sections: the terminal and the page show the same ones."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeVar

from msgspec import UNSET

from penstock.api.run import DatasetSummary, DeploymentSummary, StepTable, TrainingSummary
from penstock.cli.output import number
from penstock.decide.commands.compare_runs import Comparability, RunComparison
from penstock.decide.commands.compare_specs import FieldDifference
from penstock.decide.commands.describe_run import (
    BestCandidate,
    ModelTested,
    RunDescription,
    ScoreOfModel,
    StepDescription,
    TestingDescription,
)
from penstock_jobs.contract.digest_words import shorten_digest

SAME = "the same"

Described = TypeVar("Described")
Pair = tuple[Described | None, Described | None]
Facts = tuple[tuple[str, Callable[[Described], object]], ...]


@dataclass(frozen=True)
class Row:
    """A fact of each run; an empty text where one has none."""

    name: str
    first: str
    second: str


@dataclass(frozen=True)
class Section:
    """A part of the comparison: facts in a table, fields that differ, and sentences."""

    title: str
    rows: tuple[Row, ...] = ()
    differences: tuple[FieldDifference, ...] = ()
    sentences: tuple[str, ...] = ()


def sections_of(comparison: RunComparison) -> tuple[Section, ...]:
    """Return what is said of the two runs; nothing of what neither has."""
    one, other = comparison.first, comparison.second
    sections = (
        Section("Runs", tuple(_rows((one, other), _RUN)), sentences=comparison.gaps),
        _fields(comparison),
        Section("What the runs ask for", differences=comparison.request),
        Section("Data", tuple(_data(comparison)), sentences=tuple(_table_words(comparison))),
        Section("Training", tuple(_training(comparison)), sentences=_reason(comparison.validation)),
        Section("Testing", tuple(_testing(comparison)), sentences=_reason(comparison.testing)),
        Section(
            "Deployment",
            tuple(_rows((one.deployment, other.deployment), _DECISION)),
            sentences=tuple(_decisions(one, other)),
        ),
        Section("Steps", tuple(_steps(one, other))),
    )
    return tuple(each for each in sections if each.rows or each.differences or each.sentences)


def value_words(value: Any) -> str:
    """Return the value of a field as people read it; `not set` where one spec does not have it."""
    return "not set" if value is UNSET else json.dumps(value, ensure_ascii=False)


def _settings(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _overrides(run: RunDescription) -> str:
    """Return the overrides as `--set` takes them."""
    return ", ".join(f"{each.path}={'' if each.value is None else value_words(each.value)}" for each in run.overrides)


_RUN: Facts[RunDescription] = (
    ("Pipeline", lambda run: run.pipeline),
    ("Run", lambda run: run.name),
    ("State", lambda run: run.state),
    ("Jobs", lambda run: ", ".join(run.jobs)),
    ("Parameters", lambda run: _settings(run.parameters)),
    ("Overrides", _overrides),
    ("Commit", lambda run: run.commit),
    ("Image", lambda run: ", ".join(map(shorten_digest, run.images))),
)
_DATASET: Facts[DatasetSummary] = (
    ("Rows read", lambda made: f"{made.rows_read:,}"),
    ("Duplicates", lambda made: f"{made.duplicates:,}"),
    ("Left out", lambda made: f"{made.left_out:,}"),
    ("Testing set", lambda made: f"{made.epoch}, generation {made.generation}"),
    ("  points", lambda made: f"{made.new:,} new, {made.changed:,} changed, {made.vanished:,} vanished"),
    ("  retired", lambda made: f"{made.retired:,}"),
)
_CANDIDATES: Facts[TrainingSummary] = (
    ("Candidates", lambda trained: f"{trained.total:,}"),
    ("  scored", lambda trained: f"{trained.succeeded:,}"),
    ("  failed", lambda trained: f"{trained.failed:,}"),
)
_BEST: Facts[BestCandidate] = (
    ("Best candidate", lambda best: best.candidate),
    ("  algorithm", lambda best: best.algorithm),
    ("  parameters", lambda best: _settings(best.parameters)),
    ("  Model", lambda best: best.model),
)
_TESTING: Facts[TestingDescription] = (
    ("Testing set", lambda tested: f"{tested.epoch}, version {tested.version}"),
    ("Points", lambda tested: f"{tested.points:,}"),
)
_MODEL: Facts[ModelTested] = (
    ("Model", lambda model: model.name),
    ("  points", lambda model: f"{model.points:,}"),
)
_DECISION: Facts[DeploymentSummary] = (
    ("Verdict", lambda decided: decided.verdict),
    ("Served after it", lambda decided: decided.served),
)


def _rows(pair: Pair[Described], facts: Facts[Described]) -> Iterator[Row]:
    """Yield the facts of each, said once where they are the same of both; none that neither has."""
    for name, words in facts:
        first, second = (str((words(each) if each is not None else None) or "") for each in pair)
        if first or second:
            yield Row(name, first, SAME if first == second else second)


def _fields(comparison: RunComparison) -> Section:
    title = "Fields of the Pipeline that differ"
    if comparison.spec is None:
        return Section(title)  # why it is not known is among the gaps
    return Section(title, differences=comparison.spec, sentences=() if comparison.spec else ("None does.",))


def _data(comparison: RunComparison) -> Iterator[Row]:
    made = (comparison.first.dataset, comparison.second.dataset)
    yield from _rows(made, _DATASET)
    for name in (each.name for each in comparison.tables):
        facts: Facts[StepTable] = (
            (name, lambda table: f"version {table.version}, {table.rows:,} rows"),
            ("  digest", lambda table: shorten_digest(table.digest)),
        )
        yield from _rows((_table(made[0], name), _table(made[1], name)), facts)


def _table(made: DatasetSummary | None, name: str) -> StepTable | None:
    return next((each for each in made.tables if each.name == name), None) if made else None


def _table_words(comparison: RunComparison) -> Iterator[str]:
    for equal, words in ((True, "the same rows in both runs, by their digests"), (False, "other rows in each run")):
        if names := [each.name for each in comparison.tables if each.equal is equal]:
            yield f"Tables with {words}: {', '.join(names)}."


def _training(comparison: RunComparison) -> Iterator[Row]:
    one, other = comparison.first, comparison.second
    yield from _rows((one.training, other.training), _CANDIDATES)
    yield from _rows((one.best, other.best), _BEST)
    alike = comparison.validation is not None and comparison.validation.comparable
    yield from _scores(_score_of(one.best), _score_of(other.best), lambda _: alike)


def _score_of(best: BestCandidate | None) -> tuple[ScoreOfModel, ...]:
    return (best.score,) if best and best.score else ()


def _testing(comparison: RunComparison) -> Iterator[Row]:
    one, other = comparison.first.testing, comparison.second.testing
    yield from _rows((one, other), _TESTING)
    alike = comparison.testing.holds_for if comparison.testing else lambda _: False
    for first, second in zip_longest(one.models if one else (), other.models if other else ()):
        yield from _rows((first, second), _MODEL)
        yield from _scores(first.scores if first else (), second.scores if second else (), alike)


def _scores(one: Sequence[ScoreOfModel], other: Sequence[ScoreOfModel], alike: Callable[[str], bool]) -> Iterator[Row]:
    """Yield the scores of each, by function; only those that may be compared are told which way is better."""
    for name in dict.fromkeys(score.name for score in (*one, *other)):
        first, second = (next((each for each in scores if each.name == name), None) for scores in (one, other))
        shown = next(each for each in (first, second) if each is not None).display
        yield Row(f"  {shown.label if alike(name) else shown.title}", _score_words(first), _score_words(second))


def _score_words(score: ScoreOfModel | None) -> str:
    if score is None:
        return ""
    low, high = score.display.ends(score.low, score.high)
    said = number(score.display.value(score.value))
    if low is not None and high is not None:
        return f"{said} ({number(low)} to {number(high)})"
    return said if score.spread is None else f"{said} ± {number(score.spread)}"


def _reason(comparability: Comparability | None) -> tuple[str, ...]:
    return () if comparability is None else (comparability.reason,)


def _decisions(one: RunDescription, other: RunDescription) -> Iterator[str]:
    for run in (one, other):
        if run.deployment and run.deployment.message:
            yield f"{run.label}: {run.deployment.message}"


def _steps(one: RunDescription, other: RunDescription) -> Iterator[Row]:
    by_name = [{step.name: step for step in run.steps} for run in (one, other)]
    for name in by_name[0] | by_name[1]:
        first, second = (_step_words(steps.get(name)) for steps in by_name)
        yield Row(name, first, second)


def _step_words(step: StepDescription | None) -> str:
    if step is None:
        return ""
    return step.state if step.seconds is None else f"{step.state}, {step.seconds}s"

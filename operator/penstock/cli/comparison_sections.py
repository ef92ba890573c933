"""What is said of two runs beside each other, in sections: the terminal and the page show the same ones."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from msgspec import UNSET

from penstock.api.run import DatasetSummary, TrainingSummary
from penstock.cli.output import number
from penstock.decide.commands.compare_runs import Comparability, RunComparison
from penstock.decide.commands.compare_specs import FieldDifference
from penstock.decide.commands.describe_run import RunDescription, ScoreOfModel, StepDescription
from penstock_jobs.contract.digest_words import shorten_digest

SAME = "the same"
_COUNTED: tuple[tuple[str, Callable[[DatasetSummary], str]], ...] = (
    ("Rows read", lambda made: f"{made.rows_read:,}"),
    ("Duplicates", lambda made: f"{made.duplicates:,}"),
    ("Testing set", lambda made: f"{made.epoch}, generation {made.generation}"),
    ("  points", lambda made: f"{made.new:,} new, {made.changed:,} changed, {made.vanished:,} vanished"),
    ("  retired", lambda made: f"{made.retired:,}"),
    ("Left out", lambda made: f"{made.left_out:,}"),
)
_CANDIDATES: tuple[tuple[str, Callable[[TrainingSummary], str]], ...] = (
    ("Candidates", lambda trained: f"{trained.total:,}"),
    ("  scored", lambda trained: f"{trained.succeeded:,}"),
    ("  failed", lambda trained: f"{trained.failed:,}"),
)


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
        Section("Runs", _runs(one, other), sentences=comparison.gaps),
        _fields(comparison),
        Section("What the runs ask for", differences=comparison.request),
        Section("Data", tuple(_data(comparison)), sentences=tuple(_table_words(comparison))),
        Section("Training", tuple(_training(comparison)), sentences=_reason(comparison.validation)),
        Section("Testing", tuple(_testing(comparison)), sentences=_reason(comparison.testing)),
        Section("Deployment", _deployment(one, other), sentences=tuple(_decisions(one, other))),
        Section("Steps", tuple(_steps(one, other))),
    )
    return tuple(each for each in sections if each.rows or each.differences or each.sentences)


def value_words(value: Any) -> str:
    """Return the value of a field as people read it; `not set` where one spec does not have it."""
    return "not set" if value is UNSET else json.dumps(value, ensure_ascii=False)


def _row(name: str, first: object, second: object) -> Row | None:
    """Return the fact of each, said once where it is the same of both; None where neither has it."""
    texts = ["" if each is None else str(each) for each in (first, second)]
    if not any(texts):
        return None
    return Row(name, texts[0], SAME if texts[0] == texts[1] else texts[1])


def _rows(facts: Iterable[tuple[str, object, object]]) -> tuple[Row, ...]:
    return tuple(row for fact in facts if (row := _row(*fact)) is not None)


def _runs(one: RunDescription, other: RunDescription) -> tuple[Row, ...]:
    return _rows(
        (
            ("Pipeline", one.pipeline, other.pipeline),
            ("Run", one.name, other.name),
            ("State", one.state, other.state),
            ("Jobs", ", ".join(one.jobs), ", ".join(other.jobs)),
            ("Parameters", _settings(one.parameters), _settings(other.parameters)),
            ("Overrides", _overrides(one), _overrides(other)),
            ("Commit", one.commit, other.commit),
            ("Image", *(", ".join(map(shorten_digest, run.images)) for run in (one, other))),
        )
    )


def _settings(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _overrides(run: RunDescription) -> str:
    """Return the overrides as `--set` takes them."""
    return ", ".join(f"{each.path}={'' if each.value is None else value_words(each.value)}" for each in run.overrides)


def _fields(comparison: RunComparison) -> Section:
    title = "Fields of the Pipeline that differ"
    if comparison.spec is None:
        return Section(title)
    return Section(title, differences=comparison.spec, sentences=() if comparison.spec else ("None does.",))


def _data(comparison: RunComparison) -> Iterator[Row]:
    made = (comparison.first.dataset, comparison.second.dataset)
    yield from _rows((title, *(each and words(each) for each in made)) for title, words in _COUNTED)
    for name in (each.name for each in comparison.tables):
        tables = [next((table for table in each.tables if table.name == name), None) if each else None for each in made]
        yield from _rows(
            (
                (name, *(each and f"version {each.version}, {each.rows:,} rows" for each in tables)),
                ("  digest", *(each and shorten_digest(each.digest) for each in tables)),
            )
        )


def _table_words(comparison: RunComparison) -> Iterator[str]:
    for equal, words in (
        (True, "the same rows in both runs, by their digests"),
        (False, "other rows in each run"),
    ):
        if names := [each.name for each in comparison.tables if each.equal is equal]:
            yield f"Tables with {words}: {', '.join(names)}."


def _training(comparison: RunComparison) -> Iterator[Row]:
    one, other = comparison.first, comparison.second
    yield from _rows(
        (title, *(run.training and count(run.training) for run in (one, other))) for title, count in _CANDIDATES
    )
    bests = (one.best, other.best)
    yield from _rows(
        (
            ("Best candidate", *(each and each.candidate for each in bests)),
            ("  algorithm", *(each and each.algorithm for each in bests)),
            ("  parameters", *(each and _settings(each.parameters) for each in bests)),
            ("  Model", *(each and each.model for each in bests)),
        )
    )
    alike = comparison.validation is not None and comparison.validation.comparable
    scores = [(each.score,) if each and each.score else () for each in bests]
    yield from _scores(scores[0], scores[1], lambda _: alike)


def _testing(comparison: RunComparison) -> Iterator[Row]:
    tested = (comparison.first.testing, comparison.second.testing)
    yield from _rows(
        (
            ("Testing set", *(each and f"{each.epoch}, version {each.version}" for each in tested)),
            ("Points", *(each and f"{each.points:,}" for each in tested)),
        )
    )
    alike = comparison.testing.holds_for if comparison.testing else lambda _: False
    for pair in zip_longest(*(each.models if each else () for each in tested)):
        yield from _rows(
            (
                ("Model", *(each and each.name for each in pair)),
                ("  points", *(each and f"{each.points:,}" for each in pair)),
            )
        )
        scores = [each.scores if each else () for each in pair]
        yield from _scores(scores[0], scores[1], alike)


def _scores(one: Sequence[ScoreOfModel], other: Sequence[ScoreOfModel], alike: Callable[[str], bool]) -> Iterator[Row]:
    """Yield the scores of each, by function; only those that may be compared are told which way is better."""
    for name in dict.fromkeys(score.name for score in (*one, *other)):
        pair = [next((each for each in scores if each.name == name), None) for scores in (one, other)]
        shown = next(each for each in pair if each is not None).display
        label = shown.label if alike(name) else shown.title
        yield Row(f"  {label}", _score_words(pair[0]), _score_words(pair[1]))


def _score_words(score: ScoreOfModel | None) -> str:
    if score is None:
        return ""
    low, high = score.display.ends(score.low, score.high)
    if low is not None and high is not None:
        return f"{number(score.display.value(score.value))} ({number(low)} to {number(high)})"
    spread = "" if score.spread is None else f" ± {number(score.spread)}"
    return f"{number(score.display.value(score.value))}{spread}"


def _reason(comparability: Comparability | None) -> tuple[str, ...]:
    return () if comparability is None else (comparability.reason,)


def _deployment(one: RunDescription, other: RunDescription) -> tuple[Row, ...]:
    decided = (one.deployment, other.deployment)
    return _rows(
        (
            ("Verdict", *(each and each.verdict for each in decided)),
            ("Served after it", *(each and each.served for each in decided)),
        )
    )


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

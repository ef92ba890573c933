"""Two runs beside each other: what was otherwise, what is known to be the same, and which scores may be compared.

A digest is of rows, whatever the files, so that equal digests are equal tables. Scores are compared only where nothing
but the Models can make them differ: the same testing version with the same points for each, the same question (target,
weights), and for each scoring function the same definition and, where it is one's own, the same commit.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRun
from penstock.api.scoring import Scoring
from penstock.decide.commands.compare_specs import FieldDifference, request_differences, spec_differences
from penstock.decide.commands.describe_run import RunDescription, TestingDescription, describe_run
from penstock.decide.commands.run_evidence import RunEvidence, gaps_of
from penstock.decide.run_state import status_of
from penstock.decide.source_commit import is_exact

TABLES = ("training", "validation", "testing")
_QUESTION = ("dataset.target", "dataset.task", "dataset.weight")  # another answer is right, or counts for more
_OF_VALIDATION = ("training.validation", "training.scoring")


@dataclass(frozen=True)
class TableComparison:
    """Whether a table of the two runs has the same rows; None where one of them has no such table."""

    name: str
    equal: bool | None


@dataclass(frozen=True)
class Comparability:
    """Whether scores of the two may be compared, and why in a sentence; `excluded` names functions that never may."""

    comparable: bool
    reason: str
    excluded: tuple[str, ...] = ()

    def holds_for(self, scoring: str) -> bool:
        """Whether the scores of that function may be compared."""
        return self.comparable and scoring not in self.excluded


@dataclass(frozen=True)
class RunComparison:
    """Two runs beside each other.

    Attributes:
        first: the first of them.
        second: the second.
        gaps: what cannot be compared, and why, in sentences.
        spec: the fields that their Pipelines had otherwise; None where a snapshot is missing.
        request: what the two asked for otherwise beside that.
        tables: which tables are equal.
        validation: whether the best validation scores may be compared; None where one run has none.
        testing: whether the scores on the testing set may be compared; None where one run has none.
    """

    first: RunDescription
    second: RunDescription
    gaps: tuple[str, ...]
    spec: tuple[FieldDifference, ...] | None
    request: tuple[FieldDifference, ...]
    tables: tuple[TableComparison, ...]
    validation: Comparability | None
    testing: Comparability | None


def compare_runs(first: RunEvidence, second: RunEvidence) -> RunComparison:
    """Return the two runs beside each other."""
    labels = _labels(first.run, second.run)
    one, other = describe_run(first, labels[0]), describe_run(second, labels[1])
    gaps = dict.fromkeys((*gaps_of(first, labels[0]), *gaps_of(second, labels[1])))
    spec = None if first.spec is None or second.spec is None else spec_differences(first.spec, second.spec)
    tables = tuple(TableComparison(name, _is_equal(one, other, name)) for name in TABLES)
    pair = _Pair(first, second, one, other, spec)
    return RunComparison(
        first=one,
        second=other,
        gaps=tuple(gaps),
        spec=spec,
        request=request_differences(first.run, second.run),
        tables=tables,
        validation=_validation(pair, tables) if one.best and other.best else None,
        testing=_testing(pair, one.testing, other.testing) if one.testing and other.testing else None,
    )


def _labels(first: PipelineRun, second: PipelineRun) -> tuple[str, str]:
    """Return what to call each: its execution name, or its own name where the two have one execution name."""
    names = (first.metadata.name or "", second.metadata.name or "")
    executions = (status_of(first).execution_name, status_of(second).execution_name)
    if None in executions or (executions[0] == executions[1] and names[0] != names[1]):
        return names
    return executions[0] or "", executions[1] or ""


def _is_equal(first: RunDescription, second: RunDescription, table: str) -> bool | None:
    digests = [
        next((each.digest for each in run.dataset.tables if each.name == table), None) if run.dataset else None
        for run in (first, second)
    ]
    return None if None in digests else digests[0] == digests[1]


@dataclass(frozen=True)
class _Pair:
    """The two runs, and the fields that their Pipelines had otherwise."""

    first: RunEvidence
    second: RunEvidence
    one: RunDescription
    other: RunDescription
    spec: tuple[FieldDifference, ...] | None

    @property
    def is_one_run(self) -> bool:
        return self.one.uid is not None and self.one.uid == self.other.uid

    def differing(self, *fields: str) -> list[str]:
        """Return which of these fields, or of those beneath them, the two had otherwise."""
        return [each.path for each in self.spec or () if any(_is_beneath(each.path, field) for field in fields)]

    def other_question(self) -> str | None:
        """Return why no score of the one says anything beside one of the other; None where that is not so."""
        if self.is_one_run:
            return None
        if self.spec is None:
            return "A snapshot is missing, so nobody can tell whether the two were scored alike: no score is compared."
        if found := self.differing(*_QUESTION):
            return f"The two ask other questions (other {', '.join(found)}): no score is compared."
        return None

    def unlike_functions(self, names: Iterator[str]) -> tuple[str, ...]:
        """Return which of these scoring functions are not known to be the same in both."""
        defined = [_scorings(each.spec) for each in (self.first, self.second)]
        pinned = self.is_one_run or (self.one.commit == self.other.commit and is_exact(self.one.commit))
        return tuple(
            name
            for name in dict.fromkeys(names)
            if defined[0].get(name) != defined[1].get(name) or (_is_own(defined[0].get(name)) and not pinned)
        )


def _validation(pair: _Pair, tables: tuple[TableComparison, ...]) -> Comparability:
    if question := pair.other_question():
        return Comparability(comparable=False, reason=question)
    if not all(each.equal for each in tables if each.name != "testing"):
        return Comparability(comparable=False, reason="The validation scores are of other rows, and are not compared.")
    if found := pair.differing(*_OF_VALIDATION):
        reason = f"The two were validated otherwise (other {', '.join(found)}): the scores are not compared."
        return Comparability(comparable=False, reason=reason)
    scores = (run.best.score.name for run in (pair.one, pair.other) if run.best and run.best.score)
    if unlike := pair.unlike_functions(scores):
        return Comparability(comparable=False, reason=_unlike_words(unlike), excluded=unlike)
    return Comparability(comparable=True, reason="The validation scores are of the same rows, and may be compared.")


def _testing(pair: _Pair, first: TestingDescription, second: TestingDescription) -> Comparability:
    sets = [(each.epoch, each.version, each.digest) for each in (first, second)]
    if sets[0] != sets[1] or first.digest is None:
        return Comparability(comparable=False, reason=_other_version_words(pair, first, second))
    if question := pair.other_question():
        return Comparability(comparable=False, reason=question)
    models = (*first.models, *second.models)
    fewest = min(models, key=lambda each: each.points, default=None)
    if fewest is not None and fewest.points < first.points:
        # Two that may not be judged by all points need not have the same ones left, be there as many or not.
        reason = (
            f"The testing set is the same, and not every Model may be judged by all of it ({fewest.name} by "
            f"{fewest.points:,} of its {first.points:,} points): the scores are not ranked together."
        )
        return Comparability(comparable=False, reason=reason)
    unlike = pair.unlike_functions(score.name for model in models for score in model.scores)
    words = (
        f"Both were tested on {_set_words(first)}, the same rows: the scores may be compared. An interval is of one "
        "score; whether a difference is more than chance, the gate of a run says."
    )
    return Comparability(
        comparable=True, reason=f"{words} {_unlike_words(unlike)}" if unlike else words, excluded=unlike
    )


def _other_version_words(pair: _Pair, first: TestingDescription, second: TestingDescription) -> str:
    sets = _set_words(first), _set_words(second)
    rule = "scores of different testing versions are never ranked together"
    if sets[0] != sets[1]:
        same = first.digest is not None and first.digest == second.digest
        ending = ", not even where the rows are the same." if same else "."
        return f"{pair.one.label} was tested on {sets[0]}, {pair.other.label} on {sets[1]}: {rule}{ending}"
    if None in (first.digest, second.digest):
        return f"Both were tested on {sets[0]}, and no digest says that it has the same rows: {rule}."
    return f"Both were tested on a {sets[0]}, and the rows of the two differ: {rule}."


def _set_words(tested: TestingDescription) -> str:
    return f"testing set {tested.epoch}, version {tested.version}"


def _unlike_words(names: tuple[str, ...]) -> str:
    return f"{', '.join(names)}: not known to be the same function in both, so these scores are not compared."


def _scorings(spec: PipelineSpec | None) -> dict[str, Scoring]:
    """Return the scoring functions of a Pipeline by name; those of testing go before those of training."""
    if spec is None:
        return {}
    ranking = (spec.training.scoring, *spec.training.additional_scoring) if spec.training else ()
    testing = spec.testing.scoring if spec.testing else ()
    return {each.name: each for each in (*ranking, *testing)}


def _is_own(scoring: Scoring | None) -> bool:
    return scoring is not None and scoring.function is not None


def _is_beneath(path: str, field: str) -> bool:
    return path == field or path.startswith(f"{field}.")

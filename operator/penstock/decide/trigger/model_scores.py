"""The source `model`: a run where the served Model's score on testing points newer than it is beyond the bound.

What counts is the newest test of the Model that is served now, and each is an event once. It is dealt with as the end
of a run is (`run_ends.py`); but while a run of the Trigger is live under `Forbid` it waits for its end, since that run
may have brought another Model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.api.run import TriggeringEvent
from penstock.api.score_bounds import bound_of
from penstock.api.trigger_sources import ModelSource
from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import steps_of
from penstock.decide.serving import served_model
from penstock.decide.times import read_time
from penstock.decide.trigger import messages, own_runs
from penstock.decide.trigger.concurrency import room_for_run
from penstock.decide.trigger.draft import TriggerDraft
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.filter import numbers_in
from penstock.decide.trigger.occasion import MODEL_WORSE, Occasion, model_of, on_event
from penstock.decide.trigger.run_ends import ends_since, is_dealt_with, make_waiting_run
from penstock_jobs.contract.gate import missed_limit, score_words
from penstock_jobs.contract.specification import SelectionSpec


@dataclass(frozen=True)
class ModelTest:
    """What a run says of the served Model on points newer than it."""

    run: ApiObject
    model: str
    points: int
    scores: Mapping[str, float]

    @property
    def name(self) -> str:
        """The name of the run."""
        return str(self.run["metadata"]["name"])

    @property
    def ended(self) -> str:
        """When the run ended."""
        return str(self.run["status"]["completionTime"])

    def occasion(self, scoring: str) -> Occasion:
        """Return the event that it is: of that run and that Model, so that there is one."""
        event = TriggeringEvent(
            id=f"{self.run['metadata']['uid']}/{self.model}", source=self.name, type=MODEL_WORSE, time=self.ended
        )
        data = {"model": self.model, "points": self.points, "scores": self.scores, "score": self.scores.get(scoring)}
        return on_event(event, read_time(self.ended), data=data)


def follow_model(facts: TriggerFacts, draft: TriggerDraft, source: ModelSource) -> TriggerDraft:
    """Return the draft in which a score beyond the bound has its run, or it is said why not."""
    found, bound = newest_test(facts), _bound(facts, source)
    if found is None or bound is None or _missed(found, source, bound) is None:
        return draft
    occasion = found.occasion(source.scoring)
    if found.ended <= ends_since(facts) or is_dealt_with(facts, occasion) or room_for_run(facts).held_by is not None:
        return draft
    return make_waiting_run(facts, draft, occasion)


def verdict_on_model(facts: TriggerFacts, source: ModelSource) -> str:
    """Return what the newest test says of the served Model, and why nothing starts where nothing does."""
    model, found, bound = _served(facts), newest_test(facts), _bound(facts, source)
    if model is None or bound is None:
        return messages.no_model_served(facts.spec.pipeline_ref.name)
    if found is None:
        return messages.model_not_tested(model)
    if found.points < source.minimum_points:
        return messages.model_on_few_points(model, found.name, found.points, source.minimum_points)
    score = found.scores.get(source.scoring)
    if score is None:
        return messages.model_has_no_score(model, found.name, found.points, source.scoring)
    words = score_words(score, bound)
    return messages.model_score(model, found.name, found.points, words, missed_limit(score, bound))


def newest_test(facts: TriggerFacts) -> ModelTest | None:
    """Return the newest test of the Model that is served now, by a run that nobody made because of it."""
    model = _served(facts)
    tests = () if model is None else facts.observation.runs.tests_newer_than(model)
    run = next((each for each in tests if not _is_consequence(facts, each, model)), None)
    return None if run is None else _read(run)


def _is_consequence(facts: TriggerFacts, run: ApiObject, model: str | None) -> bool:
    """Return whether a run was made by this Trigger, or by any because this Model had become worse.

    It tests the same Model again, and would start the next run: of this Trigger, or of two in turn, for ever.
    """
    made_by = own_runs.reason_of(run).get("uid")
    return made_by == facts.trigger.metadata.uid or model_of(own_runs.event_of(run) or {}) == model


def _missed(found: ModelTest, source: ModelSource, bound: SelectionSpec) -> str | None:
    score = found.scores.get(source.scoring)
    return None if score is None or found.points < source.minimum_points else missed_limit(score, bound)


def _read(run: ApiObject) -> ModelTest:
    tested = next(step["testing"] for step in steps_of(run) if step.get("name") == "testing")
    found: Mapping[str, Any] = tested["newPoints"]
    return ModelTest(run, str(found["model"]), int(found.get("points") or 0), numbers_in(found.get("scores")))


def _served(facts: TriggerFacts) -> str | None:
    return None if facts.pipeline is None else served_model(facts.pipeline)


def _bound(facts: TriggerFacts, source: ModelSource) -> SelectionSpec | None:
    return None if facts.pipeline is None else bound_of(source, facts.pipeline.spec)

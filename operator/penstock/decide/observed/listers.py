"""What a reconcile asks of the runs of a Pipeline, and of the Models of a namespace.

There may be thousands of both, and no look at a run or at a Pipeline may decode them all. So a reconcile asks
questions, which whoever observes can answer by an index; here they are answered by walking a list.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from penstock.api.schema import GROUP
from penstock.decide import reasons
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import PIPELINE, RUN_UID

SERVED_SINCE = f"served-since.{GROUP}/"
"""An annotation of a Model, before the name of a Pipeline: since when that serves it."""


class ModelLister:
    """The Models of a namespace. To walk them is for what happens seldom."""

    def __init__(self, models: Sequence[ApiObject] = ()) -> None:
        self._models = models

    def __iter__(self) -> Iterator[ApiObject]:
        return iter(self._models)

    def get(self, name: str) -> ApiObject | None:
        """Return the Model of that name."""
        return next((each for each in self._models if each["metadata"]["name"] == name), None)

    def of_run(self, uid: str) -> Iterable[ApiObject]:
        """Return those that the run of that uid made."""
        return [each for each in self._models if _labels(each).get(RUN_UID) == uid]

    def of_pipeline(self, pipeline: str) -> Sequence[ApiObject]:
        """Return those that are of that Pipeline."""
        return [each for each in self._models if _labels(each).get(PIPELINE) == pipeline]

    def count_of_pipeline(self, pipeline: str) -> int:
        """Return how many are of that Pipeline."""
        return len(self.of_pipeline(pipeline))

    def of_server(self, pipeline: str) -> Iterable[ApiObject]:
        """Return those that say that this Pipeline serves them."""
        return [each for each in self._models if pipeline in servers_of(each)]

    def served_once(self, pipeline: str) -> Iterable[ApiObject]:
        """Return those that say since when this Pipeline serves, or served, them."""
        return [each for each in self._models if pipeline in serving_times(each)]

    def of_storage(self, storage: str) -> Iterable[ApiObject]:
        """Return those that were made of the tables in that storage, a URI."""
        return [each for each in self._models if storage_of(each) == storage]


class DecidingSet(NamedTuple):
    """A testing set that a decision rested on; the runs of an earlier operator do not say its generation."""

    epoch: int
    version: int
    digest: str | None = None
    generation: int | None = None


class RunSummary(NamedTuple):
    """What others ask about a run, most often.

    Attributes:
        name: the run's name.
        created: when it was made.
        execution_name: the one that it has, once it has begun.
        decided_by: the testing set that its decision rested on; None before that.
        proposed: the Model that it proposes, or proposed.
        is_proposing: whether its proposal is not answered yet.
        ended: when it ended; empty where it has not, or does not say.
        newer_than: the served Model that it has tested on points newer than it; None where it has tested none so.
    """

    name: str
    created: str
    execution_name: str | None
    decided_by: "DecidingSet | None"
    proposed: str | None
    is_proposing: bool
    ended: str
    newer_than: str | None = None


class RunLister:
    """The runs of a Pipeline, or the others beside one of them. To walk them is for what happens seldom."""

    def __init__(self, runs: Sequence[ApiObject] = ()) -> None:
        self._runs = runs

    def __iter__(self) -> Iterator[ApiObject]:
        return iter(self._runs)

    @property
    def summaries(self) -> Iterable[RunSummary]:
        """A summary of each."""
        return [summary_of(each) for each in self._runs]

    @property
    def live(self) -> Sequence[ApiObject]:
        """Those that have not ended."""
        return [each for each in self._runs if is_live(each)]

    def get(self, name: str) -> ApiObject | None:
        """Return the run of that name."""
        return next((each for each in self._runs if each["metadata"]["name"] == name), None)

    def execution_names(self) -> frozenset[str]:
        """Return the execution names that they have."""
        return frozenset(each.execution_name for each in self.summaries if each.execution_name is not None)

    def newest(self) -> str | None:
        """Return the name of the one that was made last."""
        newest = max(self.summaries, key=lambda each: (each.created, each.name), default=None)
        return None if newest is None else newest.name

    def last_ended(self) -> ApiObject | None:
        """Return the one that ended last."""
        newest = max(self.summaries, key=lambda each: (each.ended, each.name), default=None)
        return self.get(newest.name) if newest is not None and newest.ended else None

    def ended_after(self, time: str) -> Sequence[ApiObject]:
        """Return those that ended after that time, in the order of their ends."""
        found = sorted((each.ended, each.name) for each in self.summaries if each.ended > time)
        return [run for _, name in found if (run := self.get(name)) is not None]

    def tests_newer_than(self, model: str) -> Iterator[ApiObject]:
        """Yield those that ended and have tested a Model on points newer than it, the one that ended last first."""
        found = ((each.ended, each.name) for each in self.summaries if each.newer_than == model and each.ended)
        for _, name in sorted(found, reverse=True):
            if (run := self.get(name)) is not None:
                yield run

    def with_open_proposal(self) -> Sequence[ApiObject]:
        """Return those whose proposal is not answered yet."""
        return self._all_named(each.name for each in self.summaries if each.is_proposing)

    def with_proposal_of(self, model: str) -> Sequence[ApiObject]:
        """Return those that propose, or proposed, that Model, by their names."""
        return self._all_named(each.name for each in self.summaries if each.proposed == model)

    def testing_sets(self) -> Iterable[DecidingSet]:
        """Return the testing sets that decisions rested on, one for each decision."""
        return [each.decided_by for each in self.summaries if each.decided_by is not None]

    def _all_named(self, names: Iterable[str]) -> Sequence[ApiObject]:
        return [run for name in sorted(names) if (run := self.get(name)) is not None]


def summary_of(run: ApiObject) -> RunSummary:
    """Return the summary of a run, of as much as can be read: one that cannot must not stop the others."""
    metadata, status = run["metadata"], _mapping(run.get("status"))
    steps = {str(step.get("name")): step for step in steps_of(run)}
    deploying = steps.get("deployment", {})
    decided, tested = _mapping(deploying.get("deployment")), _mapping(steps.get("testing", {}).get("testing"))
    challenger, name = decided.get("challenger"), status.get("executionName")
    newer_than = _mapping(tested.get("newPoints")).get("model")
    return RunSummary(
        name=str(metadata["name"]),
        created=str(metadata.get("creationTimestamp") or ""),
        execution_name=None if name is None else str(name),
        decided_by=_testing_set(tested) if decided.get("verdict") else None,
        proposed=str(challenger) if challenger and challenger == decided.get("served") else None,
        is_proposing=is_live(run) and deploying.get("reason") == reasons.PROPOSED,
        ended=str(status.get("completionTime") or ""),
        newer_than=None if newer_than is None else str(newer_than),
    )


def storage_of(model: ApiObject) -> str | None:
    """Return the storage, a URI, that holds the tables that a Model was made of."""
    found = _mapping(_mapping(model.get("spec")).get("lineage")).get("storage")
    return None if found is None else str(found)


def servers_of(model: ApiObject) -> tuple[str, ...]:
    """Return the Pipelines that a Model says it is served by."""
    servers = _mapping(model.get("status")).get("servedBy")
    return tuple(str(each) for each in servers) if isinstance(servers, list | tuple) else ()


def serving_times(model: ApiObject) -> dict[str, str]:
    """Return the Pipelines for which the Model was selected, each with since when it serves, or served, it."""
    annotations = _mapping(_mapping(model.get("metadata")).get("annotations"))
    return {
        str(key).removeprefix(SERVED_SINCE): str(since)
        for key, since in annotations.items()
        if str(key).startswith(SERVED_SINCE)
    }


def steps_of(run: ApiObject) -> Sequence[Mapping[str, Any]]:
    """Return the steps in the status of a run."""
    return _mappings(_mapping(run.get("status")).get("steps"))


def is_live(run: ApiObject) -> bool:
    """Return whether a run has not ended."""
    return not has_ended(run)


def has_ended(run: ApiObject) -> bool:
    """Return whether a run has ended, well or not, whatever else of it can be read."""
    status = _mapping(run.get("status"))
    if status.get("completionTime"):
        return True
    conditions = _mappings(status.get("conditions"))
    return any(each.get("type") == "Succeeded" and each.get("status") in ("True", "False") for each in conditions)


def pipeline_of(run: ApiObject) -> str:
    """Return the name of the Pipeline that a run, or a Trigger, names; empty where it names none that could be read."""
    return _referred(run.get("spec"))


def watched_pipeline(trigger: ApiObject) -> str | None:
    """Return the name of the Pipeline whose runs a Trigger follows; None where it has another source.

    For the score of the Model that it serves these are the runs of its own Pipeline.
    """
    spec = _mapping(trigger.get("spec"))
    if isinstance(spec.get("model"), Mapping):
        return pipeline_of(trigger)
    source = spec.get("runs")
    return _referred(source) if isinstance(source, Mapping) else None


def goes_on(run: ApiObject) -> bool:
    """Return whether a run lives, and nobody has cancelled or deleted it."""
    return is_live(run) and not _mapping(run.get("spec")).get("cancel") and not run["metadata"].get("deletionTimestamp")


def _referred(within: Any) -> str:
    return str(_mapping(_mapping(within).get("pipelineRef")).get("name") or "")


def _testing_set(tested: Any) -> DecidingSet | None:
    epoch, version, digest = tested.get("epoch"), tested.get("version"), tested.get("digest")
    if not isinstance(epoch, int) or not isinstance(version, int):
        return None
    generation = tested.get("generation")
    known = generation if isinstance(generation, int) else None
    return DecidingSet(epoch, version, None if digest is None else str(digest), known)


def _labels(found: ApiObject) -> Any:
    return _mapping(found["metadata"].get("labels"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []

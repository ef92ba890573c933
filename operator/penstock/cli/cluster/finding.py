"""Objects of a cluster by the names that people use: `plr/NAME`, an execution name, or just a name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.api.decoding import Unreadable, decode, require
from penstock.api.findings import closest_name, join_names
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Trigger
from penstock.decide.commands.find_run import match_run
from penstock_jobs.contract.errors import Refused

if TYPE_CHECKING:
    from penstock.kubernetes.kinds import Kind
    from penstock.remote.cluster import Cluster

Object = dict[str, Any]

RUN, PIPELINE, MODEL, TRIGGER = "PipelineRun", "Pipeline", "Model", "Trigger"
SHORT = {RUN: "plr", PIPELINE: "pl", MODEL: "mdl", TRIGGER: "trg"}
_ALIASES = {
    **dict.fromkeys(("plr", "pipelinerun", "pipelineruns", "pipelineruns.penstock.dev", "run"), RUN),
    **dict.fromkeys(("pl", "pipeline", "pipelines", "pipelines.penstock.dev"), PIPELINE),
    **dict.fromkeys(("mdl", "model", "models", "models.penstock.dev"), MODEL),
    **dict.fromkeys(("trg", "trigger", "triggers", "triggers.penstock.dev"), TRIGGER),
}


@dataclass(frozen=True)
class ObjectReference:
    """An object that a person names; its kind is None where only a name was given."""

    kind: str | None
    name: str


def kind_named(word: str) -> str | None:
    """Return the kind that a word as `plr` or `runs` means; None where it means none."""
    return _ALIASES.get(word.lower())


def target_of(text: str) -> ObjectReference:
    """Return what `plr/NAME` or `NAME` means."""
    kind, separator, name = text.rpartition("/")
    if not separator:
        return ObjectReference(None, text)
    known = kind_named(kind)
    if known is None or not name:
        forms = join_names([f"{short}/NAME" for short in SHORT.values()])
        raise Refused(f"{text} names nothing that Penstock has; write {forms}.")
    return ObjectReference(known, name)


def kind_of(name: str) -> "Kind":
    """Return where the API server has the objects of that kind."""
    from penstock.kubernetes.kinds import BY_NAME

    return BY_NAME[name]


async def find_one(cluster: "Cluster", kind: str, name: str) -> Object:
    """Return the object of that kind and name, or refuse it with the name that is most like it."""
    found = await cluster.find(kind_of(kind), name)
    if found is None:
        raise await no_such_object(cluster, kind, name)
    return found


async def find_run(cluster: "Cluster", name: str) -> Object:
    """Return the run of that name, its own or its execution name, or `PIPELINE/EXECUTION NAME`."""
    plain = name.removeprefix("plr/")
    found = await cluster.find(kind_of(RUN), plain) if "/" not in plain else None
    if found is not None:
        return found
    there = {each["metadata"]["name"]: each for each in await cluster.list(kind_of(RUN))}
    read = [decode(each, PipelineRun) for each in there.values()]
    runs = [each for each in read if not isinstance(each, Unreadable)]  # another one may be meant
    chosen = match_run(sorted(runs, key=_age), plain, f"the namespace {cluster.namespace}")
    return there[chosen.metadata.name or ""]


async def no_such_object(cluster: "Cluster", kind: str, name: str) -> Refused:
    """Return what to say where there is no such object: the name that was meant, most likely."""
    names = [each["metadata"]["name"] for each in await cluster.list(kind_of(kind))]
    likely = closest_name(name, names)
    if likely:
        ending = f"did you mean {likely}?"
    elif names:
        ending = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[-10:])}."
    else:
        ending = "there is none; is it another namespace (-n)?"
    return Refused(f"There is no {kind} {name} in the namespace {cluster.namespace}; {ending}")


def as_run(found: Object) -> PipelineRun:
    """Return a PipelineRun of the cluster."""
    return require(found, PipelineRun)


def as_pipeline(found: Object) -> Pipeline:
    """Return a Pipeline of the cluster."""
    return require(found, Pipeline)


def as_model(found: Object) -> Model:
    """Return a Model of the cluster."""
    return require(found, Model)


def as_trigger(found: Object) -> Trigger:
    """Return a Trigger of the cluster."""
    return require(found, Trigger)


def _age(run: PipelineRun) -> tuple[str, str]:
    return (run.metadata.creation_timestamp or "", run.metadata.name or "")

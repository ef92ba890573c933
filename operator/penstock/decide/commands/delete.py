"""What a deletion takes along, and what stays: what a person is told before it is done.

Each kind has its function, which refuses what must not go now. The API server itself refuses none of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from penstock.api.decoding import Unreadable
from penstock.api.findings import join_some
from penstock.decide.cleaning.record import Record, is_record, read
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import PIPELINE, RECORD, RUN_UID
from penstock.decide.observed.listers import pipeline_of
from penstock.decide.reasons import PIPELINE_DELETED
from penstock.decide.summaries import address
from penstock_jobs.contract.errors import Refused


@dataclass(frozen=True)
class Words:
    """How a command begins where it is done, how a run is ended there, and what goes with a run and a Pipeline."""

    command: str
    ending: str
    of_run: str
    of_pipeline: str


LAPTOP = Words(
    command="penstock",
    ending="wait for its end, or stop it with Ctrl-C where it is at work",
    of_run="what its jobs were asked and said here, and its logs",
    of_pipeline="which Model it serves, and served before; a penstock serve that runs goes on until you end it",
)
CLUSTER = Words(
    command="penstock --cluster",
    ending="wait for its end, or cancel it: penstock --cluster cancel {name}",
    of_run="its Jobs with their pods, and its logs",
    of_pipeline="its API, with all servers, and the history of what it served",
)


@dataclass(frozen=True)
class Surroundings:
    """What there is beside that which is to be deleted.

    `at_work` are the uids of the runs that are at work. `records` are those of files; None where they may not be read.
    """

    words: Words
    runs: Sequence[ApiObject] = ()
    models: Sequence[ApiObject] = ()
    pipelines: Sequence[ApiObject] = ()
    triggers: Sequence[ApiObject] = ()
    records: Sequence[ApiObject] | None = ()
    at_work: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Deletion:
    """An object that a person wants deleted, what goes along with it, and what stays."""

    kind: str
    name: str
    uid: str
    pipeline: str
    goes: tuple[str, ...]
    stays: tuple[str, ...]


def deletion_of(there: ApiObject, seen: Surroundings) -> Deletion:
    """Return what the deletion of a run, a Model or a Pipeline takes along.

    Raises:
        Refused: it must not go now.
    """
    deciding = {"PipelineRun": deletion_of_run, "Model": deletion_of_model, "Pipeline": deletion_of_pipeline}
    return deciding[there["kind"]](there, seen)


def deletion_of_run(run: ApiObject, seen: Surroundings) -> Deletion:
    """Return what the deletion of a run takes along.

    Raises:
        Refused: it is at work.
    """
    name, uid, pipeline = _name(run), _uid(run), pipeline_of(run)
    if uid in seen.at_work:
        raise Refused(f"The run {name} is at work; {seen.words.ending.format(name=name)}.")
    storage = (run.get("status") or {}).get("storage")
    files = _files_of_run(uid, storage, seen.records)
    made = sorted(_name(each) for each in seen.models if _labels(each).get(RUN_UID) == uid)
    unrecorded = storage and not files  # an earlier version wrote no record of them
    return Deletion(
        kind="PipelineRun",
        name=name,
        uid=uid,
        pipeline=pipeline,
        goes=(seen.words.of_run, *(f"its results, its report and all else in {uri}" for uri in files)),
        stays=(
            *([_count_phrase(made, "the Model that it made", "Models that it made")] if made else ()),
            f"the tables of {pipeline}",
            *([f"its files in {storage}, which are recorded nowhere"] if unrecorded else ()),
        ),
    )


def deletion_of_model(model: ApiObject, seen: Surroundings) -> Deletion:
    """Return what the deletion of a Model takes along.

    Raises:
        Refused: a Pipeline serves it, or pins it.
    """
    name, uid = _name(model), _uid(model)
    for pipeline in seen.pipelines:
        _refuse_served(name, pipeline, seen.words.command)
    uri = model["spec"].get("uri")
    goes_along = model["spec"].get("deletionPolicy") == "Delete"
    if seen.records is not None:  # without a record nobody deletes them
        goes_along = goes_along and bool(_records_of(uid, seen.records))
    kept = f"its files in {uri}; {seen.words.command} models import {uri} makes a Model of them again"
    maker = next((_name(run) for run in seen.runs if _uid(run) == _labels(model).get(RUN_UID)), None)
    return Deletion(
        kind="Model",
        name=name,
        uid=uid,
        pipeline=str(_labels(model).get(PIPELINE, "")),
        goes=(f"its files in {uri}, as its deletionPolicy says",) if goes_along else (),
        stays=(
            *(() if goes_along else (kept,)),
            *([f"the run {maker}, with its report"] if maker else ()),
        ),
    )


def deletion_of_pipeline(pipeline: ApiObject, seen: Surroundings) -> Deletion:
    """Return what the deletion of a Pipeline takes along."""
    name = _name(pipeline)
    runs = [each for each in seen.runs if pipeline_of(each) == name]
    models = sorted(_name(each) for each in seen.models if _labels(each).get(PIPELINE) == name)
    triggers = sorted(_name(each) for each in seen.triggers if pipeline_of(each) == name)
    at_work = sorted(_name(each) for each in runs if _uid(each) in seen.at_work)
    ended = sorted(_name(each) for each in runs if _uid(each) not in seen.at_work)
    ending = f"at work, and will end with {PIPELINE_DELETED} where it would have deployed"
    return Deletion(
        kind="Pipeline",
        name=name,
        uid=_uid(pipeline),
        pipeline=name,
        goes=(seen.words.of_pipeline,),
        stays=(
            *([_count_phrase(models, "its Model", "Models")] if models else ()),
            *([_count_phrase(ended, "its run", "runs")] if ended else ()),
            *(f"the run {each}, which is {ending}" for each in at_work),
            *([_count_phrase(triggers, "its Trigger", "Triggers")] if triggers else ()),
            "its storage, with all tables; it stays claimed, also against a new Pipeline of this name",
        ),
    )


def unfinished_deletion(record: Record, pipeline: str) -> Deletion:
    """Return the deletion of a run or Model that is gone, and whose files are still there."""
    left = f"what is left in {record.folder.location.uri}"
    return Deletion(record.kind, record.name, record.uid, pipeline, goes=(left,), stays=())


def _refuse_served(model: str, pipeline: ApiObject, command: str) -> None:
    name, deployment = _name(pipeline), pipeline["spec"].get("deployment") or {}
    if deployment.get("model") == model:
        raise Refused(
            f"The Model {model} is pinned by the Pipeline {name} (spec.deployment.model); take the pin away first: "
            f"{command} deploy {name} --unpin, or pin another one: {command} deploy MODEL."
        )
    if ((pipeline.get("status") or {}).get("servedModel") or {}).get("name") == model:
        raise Refused(
            f"The Model {model} is served by the Pipeline {name}; serve another one first: {command} deploy MODEL, or "
            f"delete the Pipeline: {command} pipelines delete {name}."
        )


def _records_of(uid: str, records: Iterable[ApiObject]) -> list[Record]:
    own = (read(each) for each in records if is_record(each) and each["metadata"]["labels"][RECORD] == uid)
    return [each for each in own if not isinstance(each, Unreadable)]


def _files_of_run(uid: str, storage: str | None, records: Sequence[ApiObject] | None) -> tuple[str, ...]:
    """Return the folder that goes with a run: of those that it had before its name was found to be taken, the last."""
    if records is None:
        return (str(storage),) if storage else ()
    recorded = [record.folder.location.uri for record in _records_of(uid, records)]
    return tuple(uri for uri in recorded if address(uri) == storage) or tuple(recorded[-1:])


def _count_phrase(names: Sequence[str], one: str, many: str) -> str:
    return f"{one}, {names[0]}" if len(names) == 1 else f"{len(names)} {many}: {join_some(names)}"


def _labels(there: ApiObject) -> dict[str, str]:
    return there["metadata"].get("labels") or {}


def _name(there: ApiObject) -> str:
    return str(there["metadata"]["name"])


def _uid(there: ApiObject) -> str:
    return str(there["metadata"]["uid"])

"""The cluster as it is seen, and whom a change concerns.

Watching, lists and the answers to our own writes all come in here; each that is news puts the keys of those whom it
concerns on the queue. So one change wakes whoever has to know it, whoever made it.
"""

import math
from collections.abc import Container, Iterator
from typing import Any

from penstock.act.cache import ObjectCache
from penstock.act.kueue import Workloads
from penstock.act.queue import WorkQueue
from penstock.decide import reasons
from penstock.decide.objects.children import LOOK, NOTIFICATION, PIPELINE, RECORD, REVISION, RUN_UID, TRIGGER_AWAITED
from penstock.decide.objects.rollout import rollout_of
from penstock.decide.observed import listers
from penstock.decide.observed.senders import Senders
from penstock.decide.serving import models_named_by
from penstock.decide.trigger.own_runs import trigger_reference
from penstock.kubernetes.kinds import Key, Kind, Object, key_of

_SERVING = ("Model", "Deployment", "Service")
# Seconds in which what runs and Models tell their Pipeline is gathered: its counts may be as old as that. What a run
# proposes is heard at once.
GATHERED = 5.0
# Seconds in which runs that are made for events are gathered: thousands may come at once, and wait for a look at all.
EVENTS_GATHERED = 0.5
WOKEN = 8  # of those who wait for a place, when one may be free: the first is enough, where it still wants it


def index_keys(found: Object) -> Iterator[str]:
    """Yield the marks by which an object is found: its uid, its run, its Pipeline, its Trigger, its namespace."""
    kind, metadata = found["kind"], found["metadata"]
    namespace, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
    if kind in ("PipelineRun", "Pipeline", "Trigger"):
        yield of_uid(metadata["uid"])
    if kind == "Trigger":
        yield from _index_keys_of_trigger(found, namespace)
    for label, mark in ((RUN_UID, of_run), (NOTIFICATION, of_notification), (LOOK, of_look)):
        if label in labels:
            yield mark(labels[label])
    yield from _index_keys_of_files(kind, namespace, labels)
    if kind == "PipelineRun":
        yield from _index_keys_of_run(found, namespace, listers.pipeline_of(found))
    elif PIPELINE in labels and (kind in _SERVING or REVISION in labels):
        yield of_pipeline(kind, namespace, labels[PIPELINE])
    if kind in ("Model", "Pipeline"):
        yield of_namespace(kind, namespace)
    if kind == "Model":
        yield from _index_keys_of_model(found, namespace)
    if kind == "Pipeline":
        yield from (of_using(namespace, model) for model in models_named_by(found))
    yield from _index_keys_of_upgrade(found)


def _index_keys_of_upgrade(found: Object) -> Iterator[str]:
    if found["kind"] == "Pipeline" and _ready_reason(found) == reasons.ROLLOUT_QUEUED:
        yield of_queued_rollouts()
    if found["kind"] == "Deployment" and rollout_of(found).upgrade_time is not None:
        yield of_upgrades()


def _index_keys_of_model(model: Object, namespace: str) -> Iterator[str]:
    yield from (of_server(namespace, pipeline) for pipeline in listers.servers_of(model))
    yield from (of_server_once(namespace, pipeline) for pipeline in listers.serving_times(model))
    if (storage := listers.storage_of(model)) is not None:
        yield of_storage(namespace, storage)


def _index_keys_of_run(run: Object, namespace: str, pipeline: str) -> Iterator[str]:
    yield of_pipeline("PipelineRun", namespace, pipeline)
    if (trigger := trigger_reference(run)) is not None:
        yield of_trigger(trigger["uid"])
    if listers.is_live(run):
        yield of_live(namespace, pipeline)
    if _reason(run) in _FOR_OTHERS:
        yield of_waiting(namespace, pipeline, str(_reason(run)))


def _index_keys_of_trigger(trigger: Object, namespace: str) -> Iterator[str]:
    yield of_starting(namespace, listers.pipeline_of(trigger))
    watched = listers.watched_pipeline(trigger)
    if watched is not None:
        yield of_following(namespace)
        yield of_following(namespace, watched)


def _index_keys_of_files(kind: str, namespace: str, labels: dict[str, str]) -> Iterator[str]:
    if RECORD in labels:
        yield of_record(kind, labels[RECORD])
        if kind == "ControllerRevision":
            yield of_pipeline(kind, namespace, labels.get(PIPELINE, ""))


def of_uid(uid: str) -> str:
    """Return the index key of the object of that uid."""
    return f"uid/{uid}"


def of_run(uid: str) -> str:
    """Return the index key of the objects that the run of that uid made."""
    return f"run/{uid}"


def of_notification(uid: str) -> str:
    """Return the index key of the Jobs, and their pods, that tell somebody of the object of that uid."""
    return f"notification/{uid}"


def of_look(uid: str) -> str:
    """Return the index key of what looks at files for the Trigger of that uid."""
    return f"look/{uid}"


def of_record(kind: str, uid: str) -> str:
    """Return the index key of the objects of a kind that are about the files of the run or Model of that uid."""
    return f"record/{kind}/{uid}"


def of_pipeline(kind: str, namespace: str, name: str) -> str:
    """Return the index key of the objects of a kind that belong to a Pipeline."""
    return f"pipeline/{kind}/{namespace}/{name}"


def of_namespace(kind: str, namespace: str) -> str:
    """Return the index key of the objects of a kind in a namespace."""
    return f"namespace/{kind}/{namespace}"


def of_using(namespace: str, model: str) -> str:
    """Return the index key of the Pipelines that pin or serve a Model, whoever made it."""
    return f"using/{namespace}/{model}"


def of_server(namespace: str, pipeline: str) -> str:
    """Return the index key of the Models that say that a Pipeline serves them."""
    return f"server/{namespace}/{pipeline}"


def of_server_once(namespace: str, pipeline: str) -> str:
    """Return the index key of the Models that say since when a Pipeline serves, or served, them."""
    return f"server-once/{namespace}/{pipeline}"


def of_trigger(uid: str) -> str:
    """Return the index key of the runs that the Trigger of that uid controls."""
    return f"trigger/{uid}"


def of_starting(namespace: str, pipeline: str) -> str:
    """Return the index key of the Triggers that start runs of a Pipeline."""
    return f"starting/{namespace}/{pipeline}"


def of_following(namespace: str, pipeline: str = "") -> str:
    """Return the index key of the Triggers that follow the ends of runs of a Pipeline, or of any."""
    return f"following/{namespace}/{pipeline}"


def of_storage(namespace: str, storage: str) -> str:
    """Return the index key of the Models that were made of the tables in a storage."""
    return f"storage/{namespace}/{storage}"


def of_live(namespace: str, pipeline: str) -> str:
    """Return the index key of the runs of a Pipeline that have not ended."""
    return f"live/{namespace}/{pipeline}"


def of_waiting(namespace: str, pipeline: str, reason: str) -> str:
    """Return the index key of the runs of a Pipeline that wait for what others do."""
    return f"waiting/{namespace}/{pipeline}/{reason}"


def of_upgrades() -> str:
    """Return the index key of the Deployments, of all Pipelines, whose servers the operator's settings change."""
    return "upgrades"


def of_queued_rollouts() -> str:
    """Return the index key of the Pipelines that wait until others have such servers."""
    return "queued-rollouts"


def senders_of(cache: ObjectCache, uid: str) -> Senders:
    """Return the Jobs that tell somebody of the run, Pipeline or Trigger of that uid, and their pods."""
    jobs, pods = (tuple(cache.by_index(of_notification(uid), kind)) for kind in ("Job", "Pod"))
    return Senders(jobs, pods)


class View:
    """The cache, which tells the queue what changed."""

    def __init__(self, cache: ObjectCache, queue: WorkQueue[Key]) -> None:
        self.cache = cache
        self.workloads = Workloads(self._on_workload)
        self._queue = queue

    def on_update(self, found: Object) -> bool:
        """Take in an object that was seen or written; return whether that was news."""
        before = self.cache.get(key_of(found)) if found["kind"] in _COMPARED else None
        is_news = self.cache.put(found)
        if is_news:
            self._wake(found, before)
        return is_news

    def on_delete(self, key: Key, uid: str, version: float = math.inf) -> None:
        """Take in that the object of that uid went at that version, or left what is watched by its label."""
        known = self.cache.get(key)
        if self.cache.leave_tombstone(key, uid, version) and known is not None:
            self._wake(known, None)

    def on_list(self, kind: Kind, namespace: str | None, keys: Container[Key], version: str) -> None:
        """Take in that at that moment there were no objects of a kind but these, which were seen: others went."""
        for key, uid in self.cache.missing(kind.kind, namespace, keys, version):
            self.on_delete(key, uid, int(version))

    def _on_workload(self, job: Key) -> None:
        """Take in that Kueue says something else of a Job: it says much of many, and nothing is to be done for it."""
        known = self.cache.get(job)
        for key in () if known is None else self._makers(known["metadata"].get("labels") or {}):
            self._queue.add_within(key, GATHERED)

    def _wake(self, found: Object, before: Object | None) -> None:
        for key in self._keys_to_wake(found, before):
            self._queue.add(key)
        if _is_new_event(found, before) and (trigger := trigger_reference(found)) is not None:
            self._queue.add_within(Key("Trigger", found["metadata"]["namespace"], trigger["name"]), EVENTS_GATHERED)
        pipeline = _pipeline_key(found)
        if pipeline is None:
            return
        if found["kind"] == "PipelineRun" and _reason(found) == reasons.PROPOSED:
            self._queue.add(pipeline)
        else:
            self._queue.add_within(pipeline, GATHERED)

    def _keys_to_wake(self, found: Object, before: Object | None) -> Iterator[Key]:
        match found["kind"]:
            case "Pipeline":
                yield key_of(found)
                yield from self._about_pipeline(found, before)
            case "PipelineRun":
                yield key_of(found)
                yield from self._about_run(found, before)
                yield from self._triggers_to_wake(found, before)
            case "Trigger":
                yield key_of(found)
                if listers.watched_pipeline(found) is not None and (before is None or found["spec"] != before["spec"]):
                    yield from self.cache.keys_by_index(of_following(found["metadata"]["namespace"]))
            case _:
                yield from self._about_child(found)
                if found["kind"] == "Deployment":
                    yield from self._queued_rollouts(found, before)

    def _about_pipeline(self, pipeline: Object, before: Object | None) -> Iterator[Key]:
        namespace, name = pipeline["metadata"]["namespace"], pipeline["metadata"]["name"]
        # Its counts change with each run; that is no news to the runs.
        if before is None or _for_runs(pipeline) != _for_runs(before):
            yield from self.cache.keys_by_index(of_live(namespace, name))
        if before is None or _for_triggers(pipeline) != _for_triggers(before):
            yield from self.cache.keys_by_index(of_starting(namespace, name))

    def _about_run(self, run: Object, before: Object | None) -> Iterator[Key]:
        metadata, pipeline = run["metadata"], listers.pipeline_of(run)
        if before is None or _dependency_state(run) != _dependency_state(before):
            yield from self.cache.keys_by_index(of_waiting(metadata["namespace"], pipeline, reasons.EARLIER_RUN))
            yield from self.cache.keys_by_index(of_record("ControllerRevision", metadata["uid"]))

    def _about_child(self, found: Object) -> Iterator[Key]:
        """Yield whom a change of an object concerns that is a Model, or was made for another one."""
        kind, metadata = found["kind"], found["metadata"]
        namespace, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
        yield from self._about_files(found, labels)
        yield from self._makers(labels)
        if PIPELINE in labels and kind != "Model" and (kind in _SERVING or REVISION in labels):
            yield Key("Pipeline", namespace, labels[PIPELINE])
        if kind == "Model":
            yield from self.cache.keys_by_index(of_using(namespace, metadata["name"]))
        if kind == "Deployment" and PIPELINE in labels:
            for reason in (reasons.PROPOSED, reasons.ROLLING_OUT):
                yield from self.cache.keys_by_index(of_waiting(namespace, labels[PIPELINE], reason))

    def _queued_rollouts(self, deployment: Object, before: Object | None) -> Iterator[Key]:
        """Yield who waits for the place that the Deployment had, and may have given back."""
        if any(each is not None and rollout_of(each).upgrade_time for each in (deployment, before)):
            yield from sorted(self.cache.keys_by_index(of_queued_rollouts()))[:WOKEN]

    def _triggers_to_wake(self, run: Object, before: Object | None) -> Iterator[Key]:
        """Yield the Trigger that made the run, and those that follow its end."""
        namespace, trigger = run["metadata"]["namespace"], trigger_reference(run)
        changed = before is None or _for_its_trigger(run) != _for_its_trigger(before)
        if trigger is not None and changed and not _is_new_event(run, before):
            yield Key("Trigger", namespace, trigger["name"])
        if not listers.is_live(run) and (before is None or listers.is_live(before)):
            yield from self.cache.keys_by_index(of_following(namespace, listers.pipeline_of(run)))

    def _makers(self, labels: dict[str, str]) -> Iterator[Key]:
        """Yield whom an object is of: its run, the object of which it tells somebody, or the Trigger that looks."""
        for label in (RUN_UID, NOTIFICATION, LOOK):
            if label in labels:
                yield from self.cache.keys_by_index(of_uid(labels[label]))

    def _about_files(self, found: Object, labels: dict[str, str]) -> Iterator[Key]:
        """Yield the records whose files have to do with the object."""
        kind, uid = found["kind"], found["metadata"]["uid"]
        if kind == "Model":
            yield key_of(found)
            yield from self.cache.keys_by_index(of_record("ControllerRevision", uid))
        elif RECORD in labels:
            yield from [key_of(found)] if kind == "ControllerRevision" else ()
            yield from self.cache.keys_by_index(of_record("ControllerRevision", labels[RECORD]))
        elif RUN_UID in labels and not self.cache.keys_by_index(of_uid(labels[RUN_UID])):
            yield from self.cache.keys_by_index(of_record("ControllerRevision", labels[RUN_UID]))  # the run is gone


_COMPARED = frozenset({"Pipeline", "PipelineRun", "Trigger", "Deployment"})
_FOR_OTHERS = frozenset({reasons.EARLIER_RUN, reasons.PROPOSED, reasons.ROLLING_OUT})
_COUNTS = frozenset({"activeRuns", "models", "latestRun", "testingUses", "notifications"})


def _pipeline_key(found: Object) -> Key | None:
    """Return the Pipeline whose run or Model the object is."""
    metadata = found["metadata"]
    if found["kind"] == "PipelineRun":
        return Key("Pipeline", metadata["namespace"], listers.pipeline_of(found))
    name = (metadata.get("labels") or {}).get(PIPELINE)
    return Key("Pipeline", metadata["namespace"], name) if found["kind"] == "Model" and name else None


def _status(found: Object) -> dict[str, Any]:
    return found.get("status") or {}


def _reason(run: Object) -> str | None:
    """Return the reason that a live run gives for its state."""
    for condition in _status(run).get("conditions") or ():
        if condition.get("type") == "Succeeded" and condition.get("status") == "Unknown":
            return str(condition.get("reason"))
    return None


def _ready_reason(pipeline: Object) -> str | None:
    """Return the reason that a Pipeline gives for being ready, or not."""
    ready = (each for each in _status(pipeline).get("conditions") or () if each.get("type") == "Ready")
    return next((str(each.get("reason")) for each in ready), None)


def _dependency_state(run: Object) -> tuple[bool, frozenset[str]]:
    """Return what other runs may wait for: that it ended, and which of its steps have."""
    ended = frozenset(step.get("name") for step in _status(run).get("steps") or () if step.get("completionTime"))
    return listers.is_live(run), ended


def _is_new_event(found: Object, before: Object | None) -> bool:
    """Return whether a run was made that waits for its Trigger."""
    new = found["kind"] == "PipelineRun" and before is None and listers.is_live(found)
    return new and TRIGGER_AWAITED in (found["metadata"].get("labels") or {})


def _for_its_trigger(run: Object) -> object:
    """Return what of a run its Trigger looks at."""
    metadata, spec = run["metadata"], run["spec"]
    stalled = [each.get("status") for each in _status(run).get("conditions") or () if each.get("type") == "Stalled"]
    state = listers.is_live(run), spec.get("suspend"), spec.get("cancel"), stalled
    return metadata.get("labels"), metadata.get("deletionTimestamp"), state


def _for_triggers(pipeline: Object) -> object:
    """Return what of a Pipeline the Triggers that run it look at."""
    return pipeline["spec"], (_status(pipeline).get("servedModel") or {}).get("name")


def _for_runs(pipeline: Object) -> object:
    """Return what of a Pipeline its runs look at."""
    status = {name: value for name, value in _status(pipeline).items() if name not in _COUNTS}
    return pipeline["metadata"].get("deletionTimestamp"), pipeline["spec"], status

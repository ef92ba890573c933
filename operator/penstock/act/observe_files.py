"""What the decisions about files may know: of a record, and of a Model.

That what a record is about is gone is asked of the API server itself, at that moment: no cache is sure enough for what
cannot be undone.
"""

from penstock.act.identities import Identities
from penstock.act.reconciler import Observed
from penstock.act.view import View, of_namespace, of_record, of_run
from penstock.api.decoding import Unreadable
from penstock.decide.cleaning.observation import ModelObservation, RecordObservation
from penstock.decide.cleaning.record import Record, is_record, read
from penstock.decide.settings import Settings
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import NotFound
from penstock.kubernetes.kinds import BY_NAME, Key, Object, controller_of


class RecordObserver:
    """Observes records of files.

    Args:
        view: the cluster as it is seen.
        client: what asks the API server.
        identities: what tells a definition, or a namespace, from another of the same name.
        settings: those of the operator.
    """

    def __init__(self, view: View, client: Client, identities: Identities, settings: Settings) -> None:
        self._view = view
        self._client = client
        self._identities = identities
        self._settings = settings

    async def __call__(self, there: Object) -> Observed:
        """Return what is to be known of the record."""
        observation = RecordObservation(record=there, settings=self._settings)
        record = read(there) if is_record(there) else None
        if record is None or isinstance(record, Unreadable):
            return Observed(observation)
        cache, namespace, uid = self._view.cache, there["metadata"]["namespace"], there["metadata"]["uid"]
        jobs = tuple(
            job for job in cache.by_index(of_record("Job", record.uid)) if (controller_of(job) or {}).get("uid") == uid
        )
        names = {job["metadata"]["uid"] for job in jobs}
        pods = cache.by_index(of_record("Pod", record.uid))
        try:
            subject = await self._subject(namespace, record)
        except NotFound:  # the kind is not served: what is not seen now need not be gone
            return Observed(observation)
        gone = subject is None
        return Observed(
            RecordObservation(
                record=there,
                settings=self._settings,
                subject=subject,
                identity=await self._identities.now(namespace, record.kind) if gone else None,
                jobs=jobs,
                pods=tuple(pod for pod in pods if (controller_of(pod) or {}).get("uid") in names),
                others=tuple(each for kind in ("Job", "Pod") for each in cache.by_index(of_run(record.uid), kind)),
                models=cache.by_index(of_namespace("Model", namespace)) if gone and record.kind == "Model" else (),
            )
        )

    async def _subject(self, namespace: str, record: Record) -> Object | None:
        found = self._view.cache.get(Key(record.kind, namespace, record.name))
        if found is None or found["metadata"]["uid"] != record.uid:
            found = await self._client.find(BY_NAME[record.kind], namespace, record.name)
        return found if found is not None and found["metadata"]["uid"] == record.uid else None


class ModelObserver:
    """Observes Models.

    Args:
        view: the cluster as it is seen.
        identities: what tells a definition, or a namespace, from another of the same name.
        settings: those of the operator.
    """

    def __init__(self, view: View, identities: Identities, settings: Settings) -> None:
        self._view = view
        self._identities = identities
        self._settings = settings

    async def __call__(self, model: Object) -> Observed:
        """Return what is to be known of the Model."""
        cache, metadata = self._view.cache, model["metadata"]
        namespace = metadata["namespace"]
        record = next(iter(cache.by_index(of_record("ControllerRevision", metadata["uid"]))), None)
        lacking = record is None and model["spec"].get("deletionPolicy") == "Delete"
        return Observed(
            ModelObservation(
                model=model,
                settings=self._settings,
                record=record,
                pipeline=cache.get(Key("Pipeline", namespace, _pipeline_of(model))),
                identity=await self._identities.recall(namespace, "Model") if lacking else None,
            )
        )


def _pipeline_of(model: Object) -> str:
    origin = model["spec"].get("origin") or {}
    return str((origin.get("pipelineRef") or {}).get("name") or "")

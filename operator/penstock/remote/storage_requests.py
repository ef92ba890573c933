"""A pod that does something in a storage for a person, who cannot reach it: made, followed to its end, and deleted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from penstock.decide.objects.children import PIPELINE
from penstock.decide.objects.mounts import secrets_of
from penstock.decide.objects.pod import CONTAINER
from penstock.decide.objects.revision import Snapshot, read
from penstock.decide.objects.storage_requests import StorageJob, storage_job
from penstock.kubernetes.errors import ApiError, Rejected
from penstock.kubernetes.kinds import CONTROLLER_REVISION, JOB, POD, Kind, Object
from penstock.remote.cluster import Cluster
from penstock_jobs.contract.document import Document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.storage_requests import AnswersCut, read_answers

SECRET = Kind("", "v1", "secrets", "Secret")
_HOPELESS = ("InvalidImageName", "ImagePullBackOff", "ErrImageNeverPull", "CreateContainerConfigError")
_OF_JOB = "batch.kubernetes.io/job-name"
_DONE = ("Succeeded", "Failed")

Answer = TypeVar("Answer", bound=Document)


@dataclass(frozen=True)
class WaitOptions:
    """How long a pod may take until it has ended, in seconds, and whom to tell what is waited for."""

    seconds: float
    say: Callable[[str], None]


async def newest_snapshot(cluster: Cluster, pipeline: str | None = None) -> Snapshot | None:
    """Return what the operator decided for the newest run there is, of a Pipeline where one is named; None without."""
    selector = PIPELINE if pipeline is None else f"{PIPELINE}={pipeline}"
    try:
        found = await cluster.list(CONTROLLER_REVISION, selector)
    except Rejected:
        return None  # a person need not be allowed to read them
    for each in sorted(found, key=lambda one: str(one["metadata"]["creationTimestamp"]), reverse=True):
        try:
            return read(each)
        except Refused:
            continue  # of another kind, or by another version
    return None


def storage_job_image(snapshot: Snapshot | None, named: str | None, version: str) -> str:
    """Return the image of a storage request: the one named, else that of the newest run, else that of this version."""
    return named or (snapshot.images.jobs if snapshot else f"penstock/jobs:{version}")


async def run_storage_job(
    cluster: Cluster, asked: StorageJob, kind: type[Answer], patience: WaitOptions
) -> list[Answer]:
    """Answer the request in a pod of the namespace, and return its answers.

    Raises:
        Refused: a Secret is missing, the pod did not start or failed, or its answers were lost.
    """
    await _require_secrets(cluster, asked)
    job = await cluster.create(storage_job(asked))
    try:
        async with asyncio.timeout(patience.seconds):
            pod = await _wait_for_end(cluster, job["metadata"]["name"], asked.image, patience)
            _require_success(pod)
            query = {"container": CONTAINER}
            lines = [line.decode() async for line in cluster.log(pod["metadata"]["name"], query)]
        return list(read_answers(lines, kind))
    except TimeoutError as error:
        raise Refused(
            f"The pod of {job['metadata']['name']} had not ended after {patience.seconds:g} s; try again with a longer "
            "--timeout, when there is room for it."
        ) from error
    except AnswersCut as error:
        raise Refused("The pod's log was cut, and with it its answer; name a folder with less in it.") from error
    finally:
        await _remove(cluster, job)


async def _require_secrets(cluster: Cluster, asked: StorageJob) -> None:
    for name in sorted(secrets_of(asked.request)):
        try:
            found = await cluster.find(SECRET, name)
        except Rejected:
            continue  # a pod may mount what a person may not read
        if found is None:
            raise Refused(f"There is no Secret {name} in the namespace {cluster.namespace}; make it first.")


async def _wait_for_end(cluster: Cluster, job: str, image: str, patience: WaitOptions) -> Object:
    told = ""
    async for there in cluster.watch(POD, labels=f"{_OF_JOB}={job}"):
        for pod in there.values():
            if (pod.get("status") or {}).get("phase") in _DONE:
                return pod
            waits = _waiting(pod)
            if waits.partition(":")[0] in _HOPELESS:
                raise Refused(f"The pod with the image {image} does not start ({waits}); name another with --image.")
            if waits and waits != told:
                patience.say(f"Its pod waits: {waits}")
                told = waits
    raise AssertionError("a watch goes on until it is left")


def _waiting(pod: Object) -> str:
    status = pod.get("status") or {}
    for each in status.get("containerStatuses") or ():
        waiting = (each.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") != "ContainerCreating":
            return ": ".join(str(waiting[name]) for name in ("reason", "message") if waiting.get(name))
    for each in status.get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            return str(each.get("message") or each.get("reason") or "")
    return ""


def _require_success(pod: Object) -> None:
    status = pod["status"]
    if status["phase"] == "Succeeded":
        return
    for each in status.get("containerStatuses") or ():
        ended = (each.get("state") or {}).get("terminated") or {}
        if ended.get("message"):
            raise Refused(str(ended["message"]).strip())
        if ended:
            code = ended.get("exitCode")
            raise Refused(f"The pod {pod['metadata']['name']} ended with exit code {code} ({ended.get('reason')}).")
    raise Refused(f"The pod {pod['metadata']['name']} failed: {status.get('message') or status.get('reason')}.")


async def _remove(cluster: Cluster, job: Object) -> None:
    metadata = job["metadata"]
    try:
        await cluster.delete(JOB, metadata["name"], metadata["uid"])
    except ApiError:
        return  # it goes by itself after a while

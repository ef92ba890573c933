"""What the pods of a run have told: results read from termination messages and logs, and put together.

A message that had to be shortened says so, and the whole is then asked of the pod's log. A result that cannot be read
is no result: the job is done, and another attempt finds it again in storage.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penstock.decide.decision import ApiObject
from penstock.decide.observed import pods as views
from penstock_jobs.contract.document import decode
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.ranking import best_models, rank_candidates
from penstock_jobs.contract.result import (
    CleaningResult,
    DatasetPart,
    DatasetResult,
    EarlierRun,
    Failure,
    JobResult,
    LookResult,
    TrainingResult,
)
from penstock_jobs.contract.termination_message import TerminationMessage


@dataclass(frozen=True)
class PodResult:
    """What one pod told: its result, and the manifests of the Models that it made."""

    result: JobResult
    manifests: tuple[ModelManifest, ...] = ()


@dataclass(frozen=True)
class PendingLog:
    """A log that is to be read, to its last `lines` at least, for the whole message that has this digest."""

    uid: str
    namespace: str
    pod: str
    digest: str
    lines: int


@dataclass(frozen=True)
class CollectedResults:
    """What the pods of one part told: by index, and the logs that have yet to be read."""

    told: Mapping[int, PodResult]
    awaited: tuple[PendingLog, ...]


def collect_results(pods: Iterable[ApiObject], whole: Mapping[str, bytes | None]) -> CollectedResults:
    """Return what these pods told, of whichever attempt they are: results are the same wherever they are read."""
    told: dict[int, PodResult] = {}
    awaited: list[tuple[int, PendingLog]] = []
    for pod in pods:
        ended = views.exit_of(pod)
        message = _read(ended.message.encode()) if ended is not None and ended.code == 0 else None
        if message is None:
            continue
        index, uid = views.index_of(pod), views.uid(pod)
        if message.omitted and uid not in whole:
            awaited.append((index, _pending_log(pod, message)))
        elif message.omitted:
            content = whole[uid]
            message = None if content is None else _read(content)
        if message is not None and message.result is not None and not message.omitted:
            told[index] = PodResult(message.result, message.manifests)
    return CollectedResults(told, tuple(each for index, each in awaited if index not in told))


def failure_in(message: str) -> Failure | None:
    """Return the failure that a termination message tells, or None where it does not tell one."""
    read = _read(message.encode())
    return read.result if read is not None and isinstance(read.result, Failure) else None


def files_in(message: str) -> int | None:
    """Return how many files a termination message of cleaning says were deleted, or None where it does not say so."""
    read = _read(message.encode())
    return read.result.files if read is not None and isinstance(read.result, CleaningResult) else None


def look_in(message: str) -> LookResult | None:
    """Return what a termination message says that a look saw, or None where it does not say so."""
    read = _read(message.encode())
    return read.result if read is not None and isinstance(read.result, LookResult) else None


def failure_of_pods(pods: Iterable[ApiObject]) -> str | None:
    """Return the sentence of the first of these pods that failed and says why."""
    messages = (ended.message for pod in pods if (ended := views.exit_of(pod)) and ended.code != 0)
    return next((failure.message for each in messages if (failure := failure_in(each)) is not None), None)


def merge_results(told: Mapping[int, PodResult], keep: int) -> PodResult | None:
    """Return one result of those of all workers; None where what they told is not of one kind, or lacks a manifest.

    The Models are the best `keep` of all workers by validation score; ties go by the place in the search, as they do in
    one worker, so that it changes nothing which worker had which candidate.
    """
    earlier = next((each for each in told.values() if isinstance(each.result, EarlierRun)), None)
    if earlier is not None:
        return earlier  # whatever another worker came to: nothing of the run is done again
    if len(told) == 1:
        (only,) = told.values()
        return only if _has_manifests(only) else None
    results = [each.result for _, each in sorted(told.items())]
    made = [each for each in told.values() if isinstance(each.result, DatasetResult)]
    if made and all(isinstance(result, DatasetResult | DatasetPart) for result in results):
        return made[0]  # the one that found all parts there made the tables of them
    trained = [result for result in results if isinstance(result, TrainingResult)]
    if len(trained) != len(results):
        return None
    models = best_models(trained, keep)
    manifests = {manifest.name: manifest for each in told.values() for manifest in each.manifests}
    if not all(model.name in manifests for model in models):
        return None
    return PodResult(merge_training(trained, keep), tuple(manifests[model.name] for model in models))


def merge_training(trained: Sequence[TrainingResult], keep: int) -> TrainingResult:
    """Return one result of those of all workers."""
    if len(trained) == 1:
        return trained[0]
    return TrainingResult(
        candidates=trained[0].candidates,
        total=max(each.total for each in trained),
        succeeded=sum(each.succeeded for each in trained),
        failed=sum(each.failed for each in trained),
        best=rank_candidates(trained)[:keep],
        models=best_models(trained, keep),
        warnings=tuple(warning for each in trained for warning in each.warnings),
    )


def _pending_log(pod: ApiObject, message: TerminationMessage) -> PendingLog:
    metadata = pod["metadata"]
    return PendingLog(
        uid=views.uid(pod),
        namespace=str(metadata["namespace"]),
        pod=str(metadata["name"]),
        digest=message.digest or "",
        lines=message.lines,
    )


def _has_manifests(told: PodResult) -> bool:
    if not isinstance(told.result, TrainingResult):
        return True
    return {model.name for model in told.result.models} <= {manifest.name for manifest in told.manifests}


def _read(content: bytes) -> TerminationMessage | None:
    try:
        return decode(content, TerminationMessage, "The message")
    except Refused:
        return None

"""`decide`: one record of files. While its run or Model is there nothing goes but old logs; once it is gone, its files.

A Job that fails is made anew, later and later, as long as the record is there; nobody waits for it.
"""

from datetime import datetime, timedelta

from penstock.api.decoding import Unreadable
from penstock.decide import reasons
from penstock.decide.cleaning import messages
from penstock.decide.cleaning.job import FILES, LOGS, Cleaning, objects_of
from penstock.decide.cleaning.observation import RecordObservation
from penstock.decide.cleaning.record import EXPIRED, FAILED, FAILURES, LOGS_CLEANED, Record, read
from penstock.decide.decision import ApiObject, Create, Decision, Delete, Event, Patch
from penstock.decide.objects.children import STEP
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed.pods import exit_of
from penstock.decide.observed.results import failure_of_pods, files_in
from penstock.decide.times import read_time, write_time
from penstock_jobs.contract.errors import Refused

SOON = 30.0  # seconds, after which it is seen whether what is in the way is gone
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)


def decide(observation: RecordObservation, now: datetime) -> Decision:
    """Return what is to be done for the record now."""
    record = read(observation.record)
    if observation.record["metadata"].get("deletionTimestamp"):
        return Decision()
    if isinstance(record, Unreadable):
        return Decision(warnings=(record.sentence,))  # what cannot be read is not acted on
    if observation.refused is not None:
        return Decision(requeue_after=SOON)  # a quota, or a namespace that is ending
    if observation.subject is not None:
        return _logs(observation, record, observation.subject, now)
    if observation.identity is None:
        return Decision(requeue_after=SOON)  # its kind or its namespace is on its way out, or nobody could be asked
    if observation.identity != record.identity or _is_taken(observation, record):
        return Decision((Delete.of(observation.record),))  # nobody asked for these files to go
    if observation.others:
        return Decision(requeue_after=SOON)  # its last pods may still write
    return _clean(observation, record, FILES, now)


def _is_taken(observation: RecordObservation, record: Record) -> bool:
    """Return whether another Model has these files by now, as one that was imported again."""
    uri = record.folder.location.uri
    return record.kind == "Model" and any(model["spec"].get("uri") == uri for model in observation.models)


def _logs(observation: RecordObservation, record: Record, run: ApiObject, now: datetime) -> Decision:
    """Return what becomes of the logs, and the Jobs, of a run that has ended."""
    finished = (run.get("status") or {}).get("completionTime")
    if record.kind != "PipelineRun" or finished is None:
        return Decision()
    annotations = _annotations(observation.record)
    expired = EXPIRED in annotations
    gone = tuple(
        job_views.deletion(job)
        for job in observation.others
        if expired and job["kind"] == "Job" and not job_views.is_going(job)
    )
    if LOGS_CLEANED in annotations or (record.logs_kept is None and not expired):
        return Decision(gone)
    due = read_time(finished) + timedelta(seconds=0.0 if expired else record.logs_kept or 0.0)
    if now < due:
        return Decision(requeue_after=(due - now).total_seconds())
    cleaned = _clean(observation, record, LOGS, now)
    return Decision((*gone, *cleaned.writes), events=cleaned.events, requeue_after=cleaned.requeue_after)


def _clean(observation: RecordObservation, record: Record, part: str, now: datetime) -> Decision:
    there = [job for job in observation.jobs if job["metadata"]["labels"].get(STEP) == part]
    over = next((job for job in there if job_views.is_over(job) and not job_views.is_going(job)), None)
    if over is None:
        return Decision() if there else _create_job(observation, record, part, now)
    if job_views.is_failed(over):
        return _record_failure(observation, record, over, now)
    if part == LOGS:
        done = _annotate(observation.record, {LOGS_CLEANED: write_time(now), FAILURES: None, FAILED: None})
        return Decision((done, job_views.deletion(over)))
    said = messages.files_deleted(record.kind, record.name, _count_deleted_files(observation))
    # What the record owns goes with it, this Job too.
    return Decision((Delete.of(observation.record),), events=(Event("Normal", reasons.FILES_DELETED, said),))


def _create_job(observation: RecordObservation, record: Record, part: str, now: datetime) -> Decision:
    annotations = _annotations(observation.record)
    failures = _failures(annotations)
    if failures and FAILED in annotations:
        due = read_time(annotations[FAILED]) + pause(failures)
        if now < due:
            return Decision(requeue_after=(due - now).total_seconds())
    try:
        made = objects_of(Cleaning(observation.record, record, part, failures + 1, observation.settings))
    except Refused:
        return Decision()
    return Decision(tuple(Create(each) for each in made))


def _record_failure(observation: RecordObservation, record: Record, job: ApiObject, now: datetime) -> Decision:
    failures = job_views.attempt_of(job)
    if _failures(_annotations(observation.record)) >= failures:
        return Decision((job_views.deletion(job),))
    why = failure_of_pods(observation.pods) or job_views.failure_of(job)[1]
    said = messages.files_not_deleted(record.kind, record.name, why, pause(failures))
    told = _annotate(observation.record, {FAILURES: str(failures), FAILED: write_time(now)})
    return Decision((told, job_views.deletion(job)), events=(Event("Warning", reasons.FILES_NOT_DELETED, said),))


def pause(failures: int) -> timedelta:
    """Return how long it takes until cleaning is tried again after so many failures."""
    seconds = FIRST_PAUSE.total_seconds() * 4.0 ** min(failures - 1, 10)
    return min(timedelta(seconds=seconds), LONGEST_PAUSE)


def _count_deleted_files(observation: RecordObservation) -> int | None:
    """Return how many files were deleted, where a pod is there to tell."""
    texts = (found.message for pod in observation.pods if (found := exit_of(pod)) and found.code == 0)
    return next((files for text in texts if (files := files_in(text)) is not None), None)


def _failures(annotations: dict[str, str]) -> int:
    said = annotations.get(FAILURES, "0")
    return int(said) if said.isdigit() else 0


def _annotations(record: ApiObject) -> dict[str, str]:
    return record["metadata"].get("annotations") or {}


def _annotate(record: ApiObject, annotations: dict[str, str | None]) -> Patch:
    return Patch.of(record, {"metadata": {"annotations": annotations}})

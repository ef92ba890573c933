"""A job as a process: run it, put its result in storage, print it, and exit as it ended.

A job that finds its result in storage prints it and exits, so that a pod may vanish, or be started twice, and nothing
is done again. The time limit is this process's own: it ends with exit code 124 even when nobody watches it.
"""

import argparse
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from penstock_jobs import logs
from penstock_jobs.begun_before import find_earlier_run
from penstock_jobs.cleaning import clean
from penstock_jobs.contract import document, errors
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.result import Failure, JobResult, TrainingResult
from penstock_jobs.contract.specification import (
    CleaningJob,
    DatasetJob,
    JobSpecification,
    Location,
    LookJob,
    RunJob,
    SourceJob,
    TestingJob,
    TrainingJob,
)
from penstock_jobs.contract.termination_message import TerminationMessage, log_lines, slim, termination_message
from penstock_jobs.ending import end_at_once, end_with_stdin
from penstock_jobs.indexed import name_of_this_pod, specification_of_this_pod
from penstock_jobs.log_archive import LogArchive
from penstock_jobs.looking import look
from penstock_jobs.source.archive import unpack
from penstock_jobs.storage import KeyNotFound, Store, open_store
from penstock_jobs.taking import claim_run_folder

LONGEST = 3900  # characters of the sentence in a failure: with its form it fits a termination message


def main(arguments: list[str] | None = None) -> int:
    """Run the job that the specification file describes; return the exit code."""
    options = _build_parser().parse_args(arguments)
    if options.keep_log is None:
        return _main(options, lambda specification: None)
    with LogArchive(name_of_this_pod(options.keep_log, os.environ)) as kept:
        try:
            return _main(options, lambda specification: kept.archive_to(lambda: open_store(specification.run_storage)))
        except Exception:
            traceback.print_exc()  # while it is still kept
            return errors.BUG


def _main(options: argparse.Namespace, keep_log: Callable[[RunJob], None]) -> int:
    logs.set_up(options.log_level, options.log_format)
    report = Report(options.result, options.termination_message)
    if options.stop_with_stdin:
        end_with_stdin()
    try:
        specification: JobSpecification = document.read(options.specification, JobSpecification)
        specification = specification_of_this_pod(specification, os.environ)
        with _time_limit(specification.timeout, report):
            result, stored = _run_job(specification, options.snapshot, keep_log)
            manifests = _read_manifests(specification, result) if report.termination is not None else ()
    except errors.JobError as error:
        _fail(error, report)
        return error.exit_code
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    try:
        report(result, stored, manifests)
    except OSError as error:
        logs.log.error("The result, which is in storage, cannot be reported: %s.", error.strerror)
        return errors.UNAVAILABLE
    return errors.SUCCEEDED


@dataclass(frozen=True)
class Report:
    """Where the result is told: in a file, in the pod's termination message, on standard output where in neither."""

    path: Path | None = None
    termination: Path | None = None

    def __call__(self, result: JobResult, stored: str | None = None, manifests: tuple[ModelManifest, ...] = ()) -> None:
        """Tell the result, stored at this address, and what the Models are that it names."""
        if self.termination is not None:
            whole = TerminationMessage(result=result, stored=stored, manifests=manifests)
            message = termination_message(whole)
            if message.omitted:
                # Where the log goes too: runtimes do not keep the order of two streams.
                sys.stderr.write("".join(f"{line}\n" for line in log_lines(whole)))
                sys.stderr.flush()
            # In place: it is a mount, which cannot be replaced by another file.
            self.termination.write_bytes(msgspec.json.encode(message))
        if self.path is not None:
            part = self.path.with_name(f"{self.path.name}.part")
            part.write_bytes(document.encode(result))
            part.replace(self.path)
        elif self.termination is None:
            sys.stdout.write(document.encode(result).decode())
            sys.stdout.flush()


def result_key(specification: RunJob) -> str:
    """Return the key, in the run's storage, of the result of this job (and, of several workers, of this one)."""
    match specification:
        case TrainingJob(workers=workers, worker=worker) if workers > 1:
            return f"results/training-{worker}.json"
        case DatasetJob(shard=shard) if shard.is_part:
            return f"results/dataset-{shard.index}.json"
    return f"results/{type(specification).__struct_config__.tag}.json"


def _fail(error: errors.JobError, report: Report) -> None:
    logs.log.error("%s", error)
    with suppress(OSError):  # a full disk may be what it failed of; the log and the exit code say so all the same
        report(Failure(reason=error.reason, message=_shorten(str(error))))


def _shorten(message: str) -> str:
    """Return the beginning of a sentence that is too long for a result; the log has the whole."""
    if len(message) <= LONGEST:
        return message
    ending = f"… ({len(message):,} characters; the log of the job has them all)"
    return message[: LONGEST - len(ending)] + ending


def _run_job(
    specification: JobSpecification, snapshot: Path | None, keep_log: Callable[[RunJob], None]
) -> tuple[JobResult, str | None]:
    """Return the result, and where it is stored; nowhere, where the job is of no run: it may be done again."""
    match specification:
        case CleaningJob():
            return clean(specification), None
        case LookJob():
            return look(specification, datetime.now(UTC)), None
    if snapshot is not None:
        earlier = find_earlier_run(specification.run_storage, specification.run)
        if earlier is not None:
            logs.log.info(
                "The run was executed before, and its files are in %s; nothing is done again.", earlier.storage
            )
            return earlier, None
        claim_run_folder(open_store(specification.run_storage), specification.run, snapshot)
    keep_log(specification)
    found = _find_or_make_result(specification)
    if isinstance(specification, TrainingJob) and specification.workers > 1:
        from penstock_jobs.training.surplus import delete_surplus

        delete_surplus(specification)
    return found


def _find_or_make_result(specification: RunJob) -> tuple[JobResult, str]:
    """Return the result, made now or found in storage, and its address there."""
    if not isinstance(specification, DatasetJob) or not specification.shard.is_part:
        return _find_or_make_own_result(specification)
    store, whole = open_store(specification.run_storage), "results/dataset.json"
    if store.exists(whole):
        return _read_result(store, whole), f"{store.uri}/{whole}"
    part = _find_or_make_own_result(specification)
    from penstock_jobs.dataset import merge_job

    merge = merge_job(specification)
    return part if merge is None else _find_or_make_own_result(merge)


def _find_or_make_own_result(specification: RunJob) -> tuple[JobResult, str]:
    store = open_store(specification.run_storage)
    key = result_key(specification)
    stored = f"{store.uri}/{key}"
    if store.exists(key):
        logs.log.info("The result is in storage already, at %s; nothing is done again.", stored)
        return _read_result(store, key), stored
    if isinstance(specification, TrainingJob | TestingJob):
        unpack(specification.source)
    result = _import_job(specification)()
    if not store.write_if_absent(key, document.encode(result)):
        return _read_result(store, key), stored
    return result, stored


def _read_manifests(specification: JobSpecification, result: JobResult) -> tuple[ModelManifest, ...]:
    """Return what the Models are that the result names."""
    if not isinstance(specification, TrainingJob) or not isinstance(result, TrainingResult):
        return ()
    models = specification.models
    found = []
    for model in result.models:
        there = Location(uri=model.uri, endpoint=models.endpoint, region=models.region, credentials=models.credentials)
        try:
            content = open_store(there).read("manifest.json")
        except KeyNotFound:
            if specification.workers == 1:
                raise
            continue  # it was not among the best of all workers, and is gone
        found.append(slim(document.decode(content, ModelManifest, f"{model.uri}/manifest.json")))
    return tuple(found)


def _read_result(store: Store, key: str) -> JobResult:
    result: JobResult = document.decode(store.read(key), JobResult, f"{store.uri}/{key}")
    return result


def _import_job(specification: RunJob) -> Callable[[], JobResult]:
    """Return the job, importing only what that one needs."""
    match specification:
        case SourceJob():
            from penstock_jobs.source.job import fetch

            return lambda: fetch(specification)
        case DatasetJob(shard=shard) if shard.is_part:
            from penstock_jobs.dataset import read_shard

            return lambda: read_shard(specification)
        case DatasetJob():
            from penstock_jobs.dataset import generate

            return lambda: generate(specification)
        case TrainingJob():
            from penstock_jobs.training import train

            return lambda: train(specification)
        case TestingJob():
            from penstock_jobs.testing import test

            return lambda: test(specification)


@contextmanager
def _time_limit(seconds: float | None, report: Report) -> Iterator[None]:
    """End this process once so many seconds have passed in the block, whatever it is in the middle of."""
    if seconds is None:
        yield
        return

    def out_of_time() -> None:
        _fail(errors.TimedOut(f"The job was still running after its timeout of {seconds:g} s."), report)
        end_at_once(errors.TIMED_OUT)

    # Not an alarm: its handler would wait for the end of a query or a fit that is under way in C.
    clock = threading.Timer(seconds, out_of_time)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m penstock_jobs", description="Run one job of a Penstock run.")
    parser.add_argument("specification", type=Path, help="the job specification, a JSON file")
    parser.add_argument("--result", type=Path, help="write the result to this file, not to standard output")
    parser.add_argument(
        "--termination-message",
        type=Path,
        help="write the result to this file in 4 KiB, for a pod's status",
    )
    parser.add_argument(
        "--snapshot",
        type=Path,
        help="what the run was, put into its storage first; the job ends where another run has the place",
    )
    parser.add_argument(
        "--keep-log", metavar="NAME", help="keep all that the job prints in the storage of its run, as logs/NAME.log"
    )
    parser.add_argument(
        "--stop-with-stdin", action="store_true", help="end when standard input closes, so as not to outlive the parent"
    )
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    parser.add_argument("--log-format", default="text", choices=["text", "json"])
    return parser

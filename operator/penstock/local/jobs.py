"""One job of a run, from its specification to its result: started, started again if killed, its end explained."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from penstock.api.jobs import JobSettings, job_field
from penstock.api.pipeline import Logs
from penstock.decide.job_specification import retries_of
from penstock.local.home import write_atomically
from penstock.local.log_lines import LogLine, parse
from penstock.local.process import Command, Ended, run
from penstock_jobs import document, errors
from penstock_jobs.errors import JobError, Refused, TimedOut, Unavailable
from penstock_jobs.result import Failure, JobResult
from penstock_jobs.specification import JobSpecification

CEILING = 30.0  # seconds above a job's own timeout, after which it is killed
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

Result = TypeVar("Result", bound=JobResult)


class UnexpectedEndError(JobError):
    """The job ended in a way that nobody foresaw."""

    exit_code = errors.BUG
    reason = "Bug"


class Killed(Unavailable):
    """Something killed the job, and did so each time it was started again."""

    reason = "Killed"


@dataclass(frozen=True)
class Job:
    """A job of a run: its name, its files, and how it is to run."""

    name: str
    specification: Path
    result: Path
    log: Path
    settings: JobSettings
    logs: Logs
    secrets: frozenset[str]
    lock: int


def run_job(
    job: Job, asked: Callable[[], JobSpecification], kind: type[Result], tell: Callable[[LogLine], None]
) -> Result:
    """Run the job to its result.

    What it is asked is written once: a run that is taken up again asks the same. A job that a signal killed is started
    again, up to the limit of its retries; it goes on where it was.
    """
    specification = _asked_once(job.specification, asked)
    attempts = retries_of(job.settings).limit + 1
    for _ in range(attempts):
        job.result.unlink(missing_ok=True)
        # A job that is killed cannot tidy up after itself.
        with tempfile.TemporaryDirectory(prefix="penstock-", ignore_cleanup_errors=True) as scratch:
            ended = run(_command(job, specification, scratch), lambda line: tell(parse(line)))
        if ended.code >= 0 or ended.at_ceiling:
            break
        tell(LogLine(f"The {job.name} job was killed by signal {-ended.code}.", level="WARNING"))
    else:
        raise Killed(
            f"The {job.name} job was killed by signal {-ended.code}, {attempts} times, as the system does when memory "
            f"runs out; give it less to do at a time, or more memory. Its log is {job.log}."
        )
    return _result(job, specification, ended, kind)


def _asked_once(path: Path, asked: Callable[[], JobSpecification]) -> JobSpecification:
    if not path.exists():
        write_atomically(path, document.encode(asked()))
    specification: JobSpecification = document.read(path, JobSpecification)
    return specification


def _command(job: Job, specification: JobSpecification, scratch: str) -> Command:
    job.result.parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "penstock_jobs", str(job.specification)]
    words += ["--result", str(job.result), "--log-format", "json", "--log-level", job.logs.level, "--stop-with-stdin"]
    timeout = specification.timeout
    return Command(
        words=words,
        environment=environment({**os.environ, "TMPDIR": scratch}, specification, job.secrets, job.settings),
        log=job.log,
        inherited=(job.lock,),
        ceiling=None if timeout is None else timeout + CEILING,
    )


def environment(
    mine: Mapping[str, str], specification: msgspec.Struct, secrets: frozenset[str], settings: JobSettings | None = None
) -> dict[str, str]:
    """Return the environment of a job: mine, without the credentials that are not among its own."""
    own = _variables(msgspec.to_builtins(specification))
    chosen = {name: value for name, value in mine.items() if name not in secrets or name in own}
    threads = str(getattr(specification, "threads", 1))
    given = {each.name: each.value for each in settings.env} if settings else {}
    return chosen | dict.fromkeys(_THREADS, threads) | {"PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"} | given


def _variables(value: Any) -> frozenset[str]:
    """Return the environment variables that the credentials in a specification name, wherever they are in it."""
    if isinstance(value, list | tuple):
        return frozenset().union(*(_variables(each) for each in value))
    if not isinstance(value, dict):
        return frozenset()
    credentials = value.get("credentials")
    named = credentials.get("environment") if isinstance(credentials, dict) else None
    own = frozenset(named.values()) if isinstance(named, dict) else frozenset()
    return own.union(*(_variables(each) for each in value.values()))


def _result(job: Job, specification: JobSpecification, ended: Ended, kind: type[Result]) -> Result:
    result = document.read(job.result, JobResult) if job.result.exists() else None
    if ended.code == errors.SUCCEEDED and isinstance(result, kind):
        return result
    if ended.at_ceiling or ended.code == errors.TIMED_OUT:
        raise TimedOut(
            f"The {job.name} job was still running after its timeout of {specification.timeout:g} s; raise "
            f"{job_field(job.name, 'timeout')} or give it less to do."
        )
    if isinstance(result, Failure):
        raise (Unavailable if ended.code == errors.UNAVAILABLE else Refused)(result.message)
    if ended.code == errors.TERMINATED:
        raise Killed(f"The {job.name} job was asked to stop by somebody else; the same command takes the run up again.")
    if ended.code == errors.UNAVAILABLE:
        raise Unavailable(f"The {job.name} job could not say what it came to; the end of {job.log} says more.")
    raise UnexpectedEndError(
        f"The {job.name} job ended with exit code {ended.code}, which is a bug; the end of {job.log} says more."
    )

"""The ways a job ends other than well, and the exit code of each.

`Refused` is a person's mistake: what was wrong, where, what to do, in a sentence that ends with a full stop. The job is
not tried again. `Unavailable` is the world's fault (a store that does not answer, a disk that is full) and may pass.
Anything else that escapes a job is a bug, and is shown with its traceback.
"""

SUCCEEDED = 0
BUG = 1
REFUSED = 2
UNAVAILABLE = 75  # EX_TEMPFAIL of sysexits.h
TIMED_OUT = 124  # as timeout(1) of coreutils says it
INTERRUPTED = 130  # 128 + SIGINT
TERMINATED = 143  # 128 + SIGTERM


class JobError(Exception):
    """A job ended with a sentence for a person."""

    exit_code = BUG
    reason = "Failed"


class Refused(JobError):
    """The input, the manifest or the request is wrong, and will be as wrong next time."""

    exit_code = REFUSED
    reason = "Refused"


class Unavailable(JobError):
    """Something outside the job did not answer or had no room; the same job may succeed later."""

    exit_code = UNAVAILABLE
    reason = "Unavailable"


class TimedOut(JobError):
    """The job was still running at the end of its own time limit."""

    exit_code = TIMED_OUT
    reason = "TimedOut"

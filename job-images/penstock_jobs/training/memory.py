"""How much memory training will take, told before any of it is taken."""

from dataclasses import dataclass

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.training.features import choose_features

_MIB = 2**20
# Measured on Linux: interpreter, numpy, pandas, scikit-learn and DuckDB; and what a forked process comes to own.
_BASE = 400 * _MIB
_NETWORKS = 600 * _MIB
_PROCESS = 60 * _MIB
_TEXT = 64  # bytes of a Python string of a few letters, and the pointer to it
_COPIES = 2  # the transformed rows, and the copy that most estimators make of them


@dataclass(frozen=True)
class Estimate:
    """Bytes that training will take at its peak, at most a factor of two off for most estimators.

    Attributes:
        shared: One copy of the rows for all processes.
        process: What each process needs besides: transformed rows, and the estimator's copy of them.
        base: The interpreter and its libraries.
    """

    shared: int
    process: int
    base: int
    processes: int

    @property
    def total(self) -> int:
        """Return all of it."""
        return self.base + self.shared + self.process * self.processes


def estimate(job: TrainingJob) -> Estimate:
    """Return what the job will take, from the counts in its specification alone."""
    rows = job.training.rows + (job.validation.rows if job.validation_rule.folds is None else 0)
    chosen = choose_features(job)
    texts = sum(column.type == "String" for column in chosen)
    numbers = len(chosen) - texts
    # While it is read, the table is there as read and as rewritten.
    shared = rows * (2 * 8 * (numbers + 4) + 2 * _TEXT * texts + 8)
    width = numbers + texts * min(job.preprocessing.maximum_categories, 10)
    networks = any(".network." in algorithm.estimator for algorithm in job.algorithms)
    return Estimate(
        shared=shared,
        process=_PROCESS + _COPIES * rows * 8 * width,
        base=_BASE + (_NETWORKS if networks else 0),
        processes=job.processes,
    )


def check_memory(job: TrainingJob) -> None:
    """Refuse a job that would take more memory than it has."""
    if job.memory is None:
        return
    needed = estimate(job)
    if needed.total <= job.memory:
        return
    alone = needed.base + needed.shared + needed.process
    advice = (
        f"give the job more memory, or fewer than {job.processes} processes"
        if alone <= job.memory and job.processes > 1
        else "give the job more memory, or fewer columns"
    )
    raise Refused(
        f"Training would take about {needed.total / _MIB:,.0f} MiB ({needed.processes} processes of "
        f"{needed.process / _MIB:,.0f}, {needed.shared / _MIB:,.0f} for the rows, {needed.base / _MIB:,.0f} for the "
        f"libraries), and the job has {job.memory / _MIB:,.0f}: {advice}."
    )


def cache_limit(job: TrainingJob) -> int:
    """Return how many bytes of transformed rows a process may keep for its next candidate."""
    width = len(choose_features(job))
    rows = job.training.rows + job.validation.rows
    # One split's rows are in memory while a candidate is fitted anyway; small tables may keep every fold's.
    return max(64 * _MIB, 2 * 8 * rows * width)

"""The search: what is left to do goes to the worker processes, what they answer to storage, the best become Models."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.result import CandidateRow, CandidateScore, ModelReference, TrainingResult
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.logs import log, report_progress
from penstock_jobs.serving.rehearsal import rehearse_requests
from penstock_jobs.storage import open_store
from penstock_jobs.training.candidates import Candidate, candidates, check_search
from penstock_jobs.training.data import write_data
from penstock_jobs.training.estimators import BASELINE, Factory, parameters_as_json
from penstock_jobs.training.ledger import FOLDER, Ledger, read_candidates
from penstock_jobs.training.loading import load
from penstock_jobs.training.memory import check_memory
from penstock_jobs.training.names import model_name
from penstock_jobs.training.pool import Pool, WorkerDied
from penstock_jobs.training.tasks import (
    Answer,
    Evaluate,
    Problem,
    Save,
    Task,
    load_factories,
    make_evaluation_context,
)

_SECONDS_BETWEEN_PROGRESS = 0.5


def search(job: TrainingJob, pool: Pool, scratch: Path) -> TrainingResult:
    """Check everything, then evaluate what is left to evaluate, and save the best."""
    check_search(job.search, job.algorithms)
    check_memory(job)
    if job.gpu != "None":
        from penstock_jobs.networks.device import check_gpu

        check_gpu(job.gpu)
    factories = load_factories(job)
    baseline = factories[BASELINE].algorithm
    fixed = tuple((parameter.name, parameter.value) for parameter in baseline.parameters)
    first = Candidate(-1, baseline.name, baseline.estimator, fixed)
    _share_rows(job, pool, scratch, factories)
    ledger = Ledger(open_store(job.run_storage), job.worker, job.workers)
    total = sum(1 for _ in candidates(job.search, job.algorithms))
    try:
        _evaluate_all(job, pool, ledger, first, total)
    finally:
        ledger.close()
    best = _best(ledger, job)
    models, warnings = _save_all(job, pool, best)
    return _result(job, ledger, total, best, models, warnings)


def _share_rows(job: TrainingJob, pool: Pool, scratch: Path, factories: dict[str, Factory]) -> None:
    """Read the tables, hold everything against them, and hand them over: this process keeps no copy."""
    data, validated = load(job)
    make_evaluation_context(job, data, factories)
    rehearse_requests(data.features, validated)
    try:
        write_data(scratch, data, validated)
    except OSError as error:
        raise Unavailable(f"The rows cannot be written to the scratch folder {scratch}: {error.strerror}.") from error
    pool.give_data(scratch)


def _evaluate_all(job: TrainingJob, pool: Pool, ledger: Ledger, baseline: Candidate, total: int) -> None:
    report = _Progress(total, ledger, time.monotonic)

    def done(task: Task, answer: Answer | WorkerDied) -> None:
        row = _row(task.candidate, answer)
        ledger.write(row)
        report.tell(row)

    pool.run(_tasks(job, ledger, baseline, total), job.processes, done)
    report.tell(None)


def _tasks(job: TrainingJob, ledger: Ledger, baseline: Candidate, total: int) -> Iterator[Task]:
    """Yield what is left to do; each worker begins at another position of the search, so that few claims collide."""
    start = total * job.worker // job.workers
    listed = candidates(job.search, job.algorithms)
    if start:
        before = [next(listed) for _ in range(start)]
        listed = chain(listed, before)
    for candidate in chain([baseline], listed):
        if not ledger.is_done(candidate.identity) and ledger.claim(candidate.identity):
            yield Evaluate(candidate)


def _row(candidate: Candidate, answer: Answer | WorkerDied) -> CandidateRow:
    if isinstance(answer, CandidateRow):
        return answer
    if not isinstance(answer, WorkerDied):
        raise TypeError(f"A candidate was answered with {type(answer).__name__}.")
    return CandidateRow(
        candidate=candidate.identity,
        index=candidate.index,
        algorithm=candidate.algorithm,
        estimator=candidate.estimator,
        parameters=parameters_as_json(candidate),
        seed=candidate.seed,
        baseline=candidate.index < 0,
        error=answer.sentence(),
    )


def _best(ledger: Ledger, job: TrainingJob) -> list[CandidateRow]:
    """Return this worker's best rows: by score, then by position in the search."""
    rows = [row for row in ledger.rows.values() if row.candidate in ledger.own and not row.baseline]
    scored = sorted((row for row in rows if row.error is None), key=lambda row: (-row.scores[0].value, row.index))
    if not scored:
        _refuse_if_all_failed(job)
    return scored[: job.keep]


def _refuse_if_all_failed(job: TrainingJob) -> None:
    """Refuse the job where no worker could score a single candidate, for the reason that most of them give."""
    rows = [row for row in read_candidates(open_store(job.run_storage)) if not row.baseline]
    if not rows or any(row.error is None for row in rows):
        return
    reason, count = Counter(row.error for row in rows).most_common(1)[0]
    raise Refused(f"None of the {len(rows)} candidates could be scored; {count} of them for this: {reason}")


def _save_all(
    job: TrainingJob, pool: Pool, best: list[CandidateRow]
) -> tuple[tuple[ModelReference, ...], tuple[str, ...]]:
    wanted = {row.candidate: row for row in best}
    order = [row.candidate for row in best]
    found = [one for one in candidates(job.search, job.algorithms) if one.identity in wanted]
    found.sort(key=lambda one: order.index(one.identity))
    tasks = [
        Save(one, wanted[one.identity], model_name(job.run, one), curves=position == 0)
        for position, one in enumerate(found)
    ]
    models: dict[str, ModelReference] = {}
    problems: dict[str, str] = {}

    def done(task: Task, answer: Answer | WorkerDied) -> None:
        if isinstance(answer, ModelReference):
            models[task.candidate.identity] = answer
        elif isinstance(answer, Problem) and answer.passing:
            raise Unavailable(answer.message)
        elif isinstance(answer, (Problem, WorkerDied)):
            problems[task.candidate.identity] = answer.message if isinstance(answer, Problem) else answer.sentence()
        report_progress(len(models) + len(problems), len(tasks), "Saving the best as Models")

    report_progress(0, len(tasks), "Saving the best as Models")
    pool.run(iter(tasks), job.processes, done)
    warnings = tuple(problems[each] for each in order if each in problems)
    for warning in warnings:
        log.warning("%s", warning)
    if not models and warnings:
        raise Refused(warnings[0])
    return tuple(models[each] for each in order if each in models), warnings


def _result(
    job: TrainingJob,
    ledger: Ledger,
    total: int,
    best: list[CandidateRow],
    models: tuple[ModelReference, ...],
    warnings: tuple[str, ...],
) -> TrainingResult:
    rows = [ledger.rows[candidate] for candidate in ledger.own]
    failed = sum(row.error is not None and not row.baseline for row in rows)
    return TrainingResult(
        candidates=f"{open_store(job.run_storage).uri}/{FOLDER}",
        total=total,
        succeeded=sum(row.error is None and not row.baseline for row in rows),
        failed=failed,
        best=tuple(
            CandidateScore(candidate=row.candidate, algorithm=row.algorithm, score=row.scores[0].value, index=row.index)
            for row in best
        ),
        models=models,
        warnings=warnings,
    )


class _Progress:
    """Says how far the search is, not more often than a person can read."""

    def __init__(self, total: int, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._total = total
        self._clock = clock
        self._told = clock()
        rows = [row for row in ledger.rows.values() if not row.baseline]
        self._done = len(rows)
        self._best = max((row for row in rows if row.error is None), key=lambda row: row.scores[0].value, default=None)
        if rows:
            log.info("%d of %d candidates were finished before; they are not done again.", len(rows), total)

    def tell(self, row: CandidateRow | None) -> None:
        """Count a row; None: say where things are now, whatever the time."""
        if row is not None and not row.baseline:
            self._done += 1
            if row.error is None and (self._best is None or row.scores[0].value > self._best.scores[0].value):
                self._best = row
        now = self._clock()
        if row is not None and now - self._told < _SECONDS_BETWEEN_PROGRESS:
            return
        self._told = now
        report_progress(self._done, self._total, self._message())

    def _message(self) -> str:
        said = f"{self._done} of {self._total} candidates"
        if self._best is None:
            return said
        score = self._best.scores[0]
        return f"{said}, best {score.name} {score.value:.4f} ({self._best.algorithm})"

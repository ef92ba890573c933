"""The Models of several workers that are not among the best of all: deleted by whoever finds that all workers ended."""

from penstock_jobs.cleaning import delete_model
from penstock_jobs.contract import document
from penstock_jobs.contract.ranking import best_models
from penstock_jobs.contract.result import JobResult, TrainingResult
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.logs import log
from penstock_jobs.storage import KeyNotFound, open_store


def delete_surplus(job: TrainingJob) -> int:
    """Delete the files of each Model that nobody will keep, once all workers have a result; return how many files.

    Each worker does so at its end, and each but the last finds that others are still at work.
    """
    if job.workers == 1:
        return 0
    store = open_store(job.run_storage)
    results: list[TrainingResult] = []
    for worker in range(job.workers):
        key = f"results/training-{worker}.json"
        try:
            result: JobResult = document.decode(store.read(key), JobResult, f"{store.uri}/{key}")
        except KeyNotFound:
            return 0
        if not isinstance(result, TrainingResult):
            return 0
        results.append(result)
    kept = {model.name for model in best_models(results, job.keep)}
    surplus = [model.name for result in results for model in result.models if model.name not in kept]
    models = open_store(job.models)
    deleted = sum(delete_model(models, name, job.run.uid) for name in surplus)
    if deleted:
        log.info(
            "Of the Models of all %d workers %d are kept; the files of the others are gone.", job.workers, len(kept)
        )
    return deleted

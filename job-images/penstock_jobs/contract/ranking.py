"""Which Models of several workers are kept: a pure function, by which the operator and the last worker both go."""

from collections.abc import Sequence

from penstock_jobs.contract.result import CandidateScore, ModelReference, TrainingResult


def rank_candidates(results: Sequence[TrainingResult]) -> tuple[CandidateScore, ...]:
    """Return the best candidates of all workers, the best first; of equal scores the one first in the search."""
    scores = (score for each in results for score in each.best)
    return tuple(sorted(scores, key=lambda score: (-score.score, score.index, score.candidate)))


def best_models(results: Sequence[TrainingResult], keep: int) -> tuple[ModelReference, ...]:
    """Return the best `keep` Models of all workers; it changes nothing which worker had which candidate."""
    positions = {score.candidate: position for position, score in enumerate(rank_candidates(results))}
    models = (model for result in results for model in result.models)
    return tuple(
        sorted(models, key=lambda model: (positions.get(model.candidate or "", len(positions)), model.name))[:keep]
    )

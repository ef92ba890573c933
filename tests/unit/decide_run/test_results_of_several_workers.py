"""Which Models are kept does not depend on which worker had which candidate."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from penstock.decide.observed.results import PodResult, merge_results
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.result import CandidateScore, ModelReference, ScoreResult, TrainingResult
from unit.jobs.test_termination_message import manifest

KEEP = 3


def told(candidates: list[tuple[int, float]]) -> PodResult:
    """Return what a worker tells that had these candidates, each with its place in the search and its score."""
    best = sorted(candidates, key=lambda each: (-each[1], each[0]))[:KEEP]
    models = tuple(
        ModelReference(
            name=f"m-{hash_of(index)}",
            uri=f"s3://models/{index}",
            digest="sha256:1",
            candidate=hash_of(index),
            validation=ScoreResult(name="auc", value=score),
        )
        for index, score in best
    )
    result = TrainingResult(
        candidates="s3://candidates",
        total=len(candidates),
        succeeded=len(candidates),
        failed=0,
        best=tuple(
            CandidateScore(candidate=hash_of(index), algorithm="a", score=score, index=index) for index, score in best
        ),
        models=models,
    )
    return PodResult(result, tuple(named(model.name) for model in models))


def hash_of(index: int) -> str:
    return f"{(index * 7919) % 1009:04x}"


def named(name: str) -> ModelManifest:
    return msgspec.structs.replace(manifest(0), name=name)


@given(st.lists(st.sampled_from([0.5, 0.7, 0.9]), min_size=KEEP, max_size=12), st.data())
def test_the_best_of_all_workers_are_those_of_one(scores: list[float], data: st.DataObject) -> None:
    candidates = list(enumerate(scores))
    owners = data.draw(st.lists(st.integers(0, 2), min_size=len(scores), max_size=len(scores)))
    shares = [[each for each, owner in zip(candidates, owners, strict=True) if owner == worker] for worker in range(3)]

    alone = told(candidates)
    together = merge_results({worker: told(share) for worker, share in enumerate(shares)}, KEEP)

    assert together is not None
    assert isinstance(together.result, TrainingResult)
    assert isinstance(alone.result, TrainingResult)
    assert together.result.models == alone.result.models
    assert together.result.best == alone.result.best

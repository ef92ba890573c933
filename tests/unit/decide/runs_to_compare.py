"""Finished runs as a home or a cluster holds them: for the tests of what is said of two of them."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.decide.commands.run_evidence import RunEvidence, run_evidence
from penstock.decide.objects.results import results
from penstock.decide.objects.revision import revision, snapshot_of
from penstock.decide.ownership import run_owner
from penstock.decide.settings import Settings
from penstock.decide.summaries import dataset_summary, testing_summary, training_summary
from penstock_jobs.contract.result import DatasetResult, JobResult, ScoreResult, SourceResult, TestingResult
from unit.decide_run import examples_of_runs as examples

ROC = ScoreResult("roc_auc", 0.9, 0.85, 0.95)
TIMES = {"startTime": "2026-03-01T12:00:00Z", "completionTime": "2026-03-01T12:00:07Z"}


def outcome_of_test(
    version: int = 3, digest: str = "digest-testing", scores: Any = (ROC,), points: int = 10
) -> TestingResult:
    tested = examples.outcome_of_testing((examples.model_name(0),))
    models = tuple(replace(each, scores=tuple(scores), points=points) for each in tested.models)
    return replace(tested, testing_version=version, digest=digest, points=10, models=models)


def dataset(**digests: str) -> DatasetResult:
    made = examples.dataset_result()
    tables = {name: replace(getattr(made, name), digest=digest) for name, digest in digests.items()}
    return replace(made, **tables)


def evidence(
    name: str = "one",
    *,
    made: DatasetResult | None = None,
    tested: TestingResult | None = None,
    commit: str | None = None,
    left: str = "snapshot status results",
    steps: bool = True,
    state: str = "True",
    run: Any = None,
    **spec: Any,
) -> RunEvidence:
    """Return what is left of a run that has ended: of its snapshot, status and results, those that are named."""
    made, tested, trained = made or dataset(), tested or outcome_of_test(), examples.training_result()
    asked = examples.run(name=f"churn-{name}", uid=f"uid-{name}", executionName=name, **run or {})
    told: dict[str, JobResult] = {"dataset": made, "training": trained, "testing": tested}
    if commit is not None:
        told["source"] = SourceResult(commit=commit, archive="", digest="", files=1)
    condition = {"type": "Succeeded", "status": state, "reason": "Succeeded" if state == "True" else "Running"}
    status = {
        "executionName": name,
        "revision": f"churn-{name}-revision",
        "conditions": [{**condition, "message": "", "lastTransitionTime": "2026-03-01T12:00:00Z"}],
        "steps": [
            {"name": "dataset", "state": "Succeeded", **TIMES, "dataset": dataset_summary(made)},
            {"name": "training", "state": "Succeeded", **TIMES, "training": training_summary(trained)},
            {"name": "testing", "state": "Succeeded", **TIMES, "testing": testing_summary(tested)},
            {
                "name": "deployment",
                "state": "Succeeded",
                "deployment": {"verdict": "First", "served": examples.model_name(0), "message": "It is the first."},
            },
        ]
        if steps
        else [],
        **({"commit": commit} if commit else {}),
    }
    found = {**asked, "status": msgspec.to_builtins(status)} if "status" in left else asked
    taken = msgspec.convert(found, PipelineRun)
    owner = run_owner(found)
    pipeline = msgspec.convert(examples.pipeline(**spec), Pipeline)
    held = revision(owner, snapshot_of(pipeline, taken.spec, Settings()))
    messages = {part: examples.whole_message(result) for part, result in told.items()}
    return run_evidence(
        taken,
        "Succeeded" if state == "True" else "Running",
        held if "snapshot" in left else None,
        results(owner, messages) if "results" in left else None,
        {},
    )


# Runs of which anything may be otherwise, and anything gone.
runs = st.builds(
    evidence,
    name=st.sampled_from(["one", "other", "third"]),
    made=st.builds(dataset, training=st.sampled_from("ab"), validation=st.sampled_from("ab")),
    tested=st.builds(
        outcome_of_test,
        version=st.integers(1, 2),
        digest=st.sampled_from("ab"),
        points=st.sampled_from([9, 10]),
        scores=st.lists(
            st.builds(ScoreResult, st.sampled_from(["roc_auc", "neg_log_loss"]), st.floats(-1, 1, allow_nan=False)),
            max_size=2,
            unique_by=lambda score: score.name,
        ),
    ),
    commit=st.sampled_from([None, "a" * 40, f"{'a' * 40}-dirty", "b" * 40]),
    left=st.sampled_from(["snapshot status results", "snapshot status", "status", "snapshot results", "results", ""]),
    steps=st.booleans(),
    state=st.sampled_from(["True", "Unknown", "False"]),
    testing=st.sampled_from([{}, {"minimumPoints": 3}, {"scoring": [{"name": "cost", "function": "mine.cost"}]}]),
)

"""No status is over 32 KiB, whatever a job reports, in whatever script it is written."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.api.run import DeploymentSummary, PipelineRun, PipelineRunSpec, PipelineRunStatus
from penstock.api.schema import JOBS
from penstock.decide import summaries
from penstock.decide.conditions import shorten
from penstock.decide.run_state import pending_steps, with_outcome, with_step
from penstock_jobs.contract import result

MOST = 32 * 1024
NOW = "2026-03-01T12:00:00Z"
TEXT = st.text(st.sampled_from('aé漢🙂"\\\n\x00<&'), max_size=3000) | st.sampled_from(
    ["x" * 10**6, "漢" * 5000, "\x00" * 5000]
)
NUMBER = st.floats(allow_nan=True, allow_infinity=True)
NAMES = st.integers(0, 200).map(lambda length: "m" * min(length, 63) or "m")


def size(value: Any) -> int:
    """Return how many bytes etcd keeps: JSON as Go writes it, which escapes <, > and &."""
    text = msgspec.json.encode(value).decode()
    return len(text.encode()) + 5 * sum(text.count(each) for each in "<>&")


@given(TEXT)
def test_a_message_takes_a_kibibyte_at_most_as_it_is_stored(message: str) -> None:
    assert size(shorten(message)) <= 1024 + 2
    assert shorten(shorten(message)) == shorten(message)


@settings(max_examples=60, deadline=None)
@given(message=TEXT, uri=TEXT, many=st.integers(0, 200), number=NUMBER)
def test_the_status_of_a_run_takes_32_kibibytes_at_most(message: str, uri: str, many: int, number: float) -> None:
    run = PipelineRun(
        api_version="penstock.dev/v1alpha1",
        kind="PipelineRun",
        spec=PipelineRunSpec(pipeline_ref={"name": "churn"}),  # type: ignore[arg-type]
        status=PipelineRunStatus(steps=pending_steps(JOBS), execution_name="e" * 63, storage="s" * 512),
    )
    for job, figures in _figures(uri, many, number, message).items():
        run = with_step(run, job, "Failed", reason="r" * 128, message=shorten(message), **{job: figures})  # type: ignore[arg-type]
    run = with_outcome(run, "False", "Failed", message, NOW)

    assert size(run.status) <= MOST


def _figures(uri: str, many: int, number: float, message: str) -> dict[str, Any]:
    table = result.TableVersion(uri=uri, version=10**12, rows=10**12, digest="d" * 128)
    score = result.ScoreResult(name="s" * 63, value=number, low=number, high=number, spread=number)
    names = [f"{index:03}{'m' * 60}" for index in range(many)]
    made = result.DatasetResult(
        training=table,
        validation=table,
        testing=table,
        columns=(),
        task="Classification",
        epoch=1,
        generation=1,
        rows_read=1,
        duplicates=0,
        new=0,
        changed=0,
        vanished=0,
        retired=0,
        left_out=0,
        leak_proof=result.LeakProof(points_in_common=0, groups_in_common=0, compared_training=1, compared_testing=1),
        remarks=(result.Remark(code="NumbersAsText", message=message, column=message),) * many,
    )
    trained = result.TrainingResult(
        candidates=uri,
        total=15_000,
        succeeded=15_000,
        failed=0,
        best=(),
        models=tuple(result.ModelReference(name=name, uri=uri, digest="") for name in names),
    )
    tested = result.TestingResult(
        testing_version=1,
        epoch=1,
        digest="d" * 128,
        points=1,
        models=tuple(
            result.ModelScores(model=name, points=1, scores=(score,) * many, new=_new_points(many, number))
            for name in names
        ),
        report=uri,
    )
    return {
        "dataset": summaries.dataset_summary(made),
        "training": summaries.training_summary(trained),
        "testing": summaries.testing_summary(tested),
        "deployment": DeploymentSummary(
            verdict="Improved", challenger="m" * 63, served="m" * 63, message=shorten(message)
        ),
    }


def _new_points(many: int, number: float) -> result.NewPointsResult:
    return result.NewPointsResult(points=10**9, scores={f"{index:03}{'s' * 60}": number for index in range(many)})

"""A run may have other values for fields of its Pipeline, where the whole is still right."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.credentials import SecretReference
from penstock.api.overrides import apply_overrides, override_faults, with_overrides
from penstock.api.pipeline import GitSource, Pipeline, Source
from penstock.api.run import Override
from penstock.api.validation import check_text, load_file

MANIFESTS = Path(__file__).parent / "manifests"
RUN = """
apiVersion: penstock.dev/v1alpha1
kind: PipelineRun
metadata: {name: churn-1}
spec:
  pipelineRef: {name: churn}
  overrides:
"""


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    (found,) = load_file(MANIFESTS / "pipeline.yaml")
    assert isinstance(found, Pipeline)
    return found


def taken(pipeline: Pipeline, path: str, *value: Any) -> Pipeline:
    overrides = (Override(path=path, value=value[0] if value else None),)
    assert override_faults(pipeline, overrides) == ()
    return with_overrides(pipeline, overrides)


def said(pipeline: Pipeline, *overrides: tuple[str, Any]) -> list[str]:
    return [
        each.full_sentence
        for each in override_faults(pipeline, [Override(path=path, value=to) for path, to in overrides])
    ]


def test_a_field_has_another_value_and_all_others_are_as_they_were(pipeline: Pipeline) -> None:
    made = taken(pipeline, "training.keep", 1).spec

    assert pipeline.spec.training is not None
    assert made.training is not None
    assert (pipeline.spec.training.keep, made.training.keep) == (3, 1)
    assert made.training.algorithms == pipeline.spec.training.algorithms
    assert made.dataset == pipeline.spec.dataset


def test_a_job_goes_by_its_name_whether_the_pipeline_says_anything_of_it_or_not(pipeline: Pipeline) -> None:
    silent = msgspec.structs.replace(pipeline, spec=msgspec.structs.replace(pipeline.spec, jobs=()))

    for each in (pipeline, silent):
        jobs = {job.name: job for job in taken(each, "jobs.training.timeout", "3h").spec.jobs}
        assert jobs["training"].timeout == "3h"
        assert set(jobs) == {"training", *(job.name for job in each.spec.jobs)}
    assert "names walking" in said(pipeline, ("jobs.walking.timeout", "3h"))[0]


def test_an_item_of_a_list_goes_by_its_name(pipeline: Pipeline) -> None:
    made = taken(pipeline, "training.algorithms.linear.parameters.C.values", [5]).spec.training

    assert made is not None
    assert pipeline.spec.training is not None
    linear = next(each for each in made.algorithms if each.name == "linear")
    assert next(each for each in linear.parameters if each.name == "C").values == (5,)
    assert [each.name for each in made.algorithms] == [each.name for each in pipeline.spec.training.algorithms]


def test_a_name_that_the_list_does_not_have_becomes_a_new_item(pipeline: Pipeline) -> None:
    estimator = {"estimator": "sklearn.naive_bayes.GaussianNB"}
    made = taken(pipeline, "training.algorithms.bayes", estimator).spec.training

    assert made is not None
    assert made.algorithms[-1].name == "bayes"


def test_without_a_value_a_field_or_an_item_is_as_if_nobody_had_said_it(pipeline: Pipeline) -> None:
    assert taken(pipeline, "deployment.selection").spec.deployment.selection is None  # type: ignore[union-attr]
    names = [each.name for each in taken(pipeline, "training.algorithms.forest").spec.training.algorithms]  # type: ignore[union-attr]
    assert "forest" not in names


def test_a_value_replaces_all_that_was_there(pipeline: Pipeline) -> None:
    validation = taken(pipeline, "training.validation", {"folds": 5}).spec.training.validation  # type: ignore[union-attr]

    assert (validation.folds, validation.holdout) == (5, None)


def test_what_they_make_is_checked_as_a_whole_in_the_sentences_of_a_pipeline(pipeline: Pipeline) -> None:
    assert said(pipeline, ("training.keep", 0)) == [
        "spec.overrides[0].value is 0, which is too little; give it 1 at least."
    ]
    (sentence,) = said(pipeline, ("training.scoring.name", "acuracy"))
    assert sentence.startswith("spec.overrides[0].value is acuracy, which scikit-learn does not have; did you mean ")
    (sentence,) = said(pipeline, ("training.keep", 2), ("dataset.key", ["left"]))
    assert sentence.startswith("spec.overrides[1].value")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("training.kep", "has kep, which is an unknown field; did you mean keep?"),
        ("training.algorithms.florest.scale", "names florest, and the Pipeline has no such item; there are "),
        ("training.keep.most", "goes on with most where there is a value without fields; end it before that."),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(pipeline: Pipeline, path: str, sentence: str) -> None:
    (found,) = said(pipeline, (path, 1))

    assert found.startswith(f"spec.overrides[0].path {sentence}")


def test_credentials_of_the_pipeline_do_not_go_to_another_address(pipeline: Pipeline) -> None:
    assert pipeline.spec.dataset is not None
    table = pipeline.spec.dataset.inputs[0]
    assert table.credentials is not None

    moved = taken(pipeline, f"dataset.inputs.{table.name}.uri", "s3://elsewhere/rows.parquet").spec.dataset

    assert moved is not None
    assert moved.inputs[0].credentials is None


def test_credentials_of_the_pipeline_do_not_go_to_another_repository(pipeline: Pipeline) -> None:
    secret = SecretReference(secret_name="git")
    source = Source(git=GitSource(url="https://git.example/team/own", credentials=secret))
    given = msgspec.structs.replace(pipeline, spec=msgspec.structs.replace(pipeline.spec, source=source))

    other = taken(given, "source.git.url", "https://git.example/team/other").spec.source
    newer = taken(given, "source.git.revision", "next").spec.source

    assert other is not None
    assert newer is not None
    assert (other.git.credentials, newer.git.credentials) == (None, secret)


def test_a_file_is_refused_with_the_line_of_the_override() -> None:
    text = (MANIFESTS / "pipeline.yaml").read_text("utf-8")
    run = f"{RUN}  - {{path: training.keep, value: 2}}\n  - {{path: training.search.seed, value: many}}\n"

    (finding,) = check_text(f"{text}---{run}", "m.yaml").findings

    assert finding.field == "spec.overrides[1].value"
    assert finding.line == text.count("\n") + 9


@given(path=st.text("abcdefgijklnoprstuvy._-", min_size=1, max_size=40), value=st.none() | st.integers() | st.text())
def test_whatever_is_overridden_is_refused_with_a_sentence_or_is_a_pipeline(path: str, value: Any) -> None:
    (pipeline,) = load_file(MANIFESTS / "pipeline-shortest.yaml")
    assert isinstance(pipeline, Pipeline)
    override = Override(path=path.strip("."), value=value)

    if not override_faults(pipeline, [override]):
        with_overrides(pipeline, [override])


def test_the_pipeline_itself_is_left_as_it_is() -> None:
    spec = {"training": {"algorithms": [{"name": "linear"}]}}

    apply_overrides(spec, [Override(path="training.algorithms.linear.scale", value=True)])

    assert spec == {"training": {"algorithms": [{"name": "linear"}]}}


def test_a_trigger_beside_its_pipeline_is_refused_for_what_its_runs_override() -> None:
    text = (MANIFESTS / "pipeline.yaml").read_text("utf-8")
    trigger = RUN.replace("PipelineRun", "Trigger").replace(
        "  overrides:\n", "  schedule: {cron: ['0 3 * * *']}\n  run:\n    overrides:\n"
    )

    (finding,) = check_text(f"{text}---{trigger}    - {{path: training.keep, value: 0}}\n", "m.yaml").findings

    assert finding.sentence == "spec.run.overrides[0].value is 0, which is too little; give it 1 at least."


def test_a_run_alone_is_right_whatever_its_pipeline_says() -> None:
    assert check_text(f"{RUN}  - {{path: training.keep, value: 0}}\n", "m.yaml").findings == ()


@pytest.mark.parametrize("path", ["jobs.training", "dataset.inputs", "storage.s3.bucket", "parameters.asOf.default"])
def test_what_no_run_may_change_is_refused_at_its_path(path: str) -> None:
    (finding,) = check_text(f"{RUN}  - {{path: {path}, value: a}}\n", "m.yaml").findings

    assert finding.sentence == (
        "spec.overrides[0].path: No run may override this field, or one that is beneath it; name one of "
        "docs/reference/overrides.md, use spec.storage, spec.credentials or spec.parameters of the run, or change the "
        "Pipeline."
    )


def test_an_item_has_the_name_of_its_path_whatever_its_value_says(pipeline: Pipeline) -> None:
    value = {"name": "module", "value": "1.0"}
    made = taken(pipeline, "training.algorithms.linear.parameters.C", value).spec.training

    assert made is not None
    linear = next(each for each in made.algorithms if each.name == "linear")
    assert "module" not in {each.name for each in linear.parameters}

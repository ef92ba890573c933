"""What a manifest says reaches the jobs: text as numbers, literals as values, and what a run says over the Pipeline."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from penstock.api.dataset import Input
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import JobRequest
from penstock.api.validation import check_text
from penstock.decide import job_specification
from penstock.decide.job_specification import PastDecisions, dataset_job, selection_of, settings_of, training_job
from penstock_jobs.contract import document, specification
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.gate import is_error
from penstock_jobs.contract.result import Column, DatasetResult, LeakProof, ModelReference, TableVersion
from penstock_jobs.contract.specification import (
    DatasetJob,
    JobSpecification,
    Location,
    ParameterSpec,
    Run,
    ScoringSpec,
    SourceSpec,
    SplitSpec,
    TrainingJob,
)

MANIFESTS = Path(__file__).parents[1] / "api" / "manifests"
RUN = Run(uid="u", execution_name="first-try", pipeline="churn", pipeline_uid="p")
TABLE = TableVersion(uri="file:///t", version=3, rows=10, digest="d")
MADE = DatasetResult(
    training=TABLE,
    validation=TABLE,
    testing=TABLE,
    columns=(Column(name="age", type="Integer"),),
    task="Classification",
    epoch=1,
    generation=1,
    rows_read=30,
    duplicates=0,
    new=0,
    changed=0,
    vanished=0,
    retired=0,
    left_out=0,
    leak_proof=LeakProof(points_in_common=0, groups_in_common=0, compared_training=1, compared_testing=1),
)


@dataclass(frozen=True)
class Placed:
    """Locations that say with which right they were asked for."""

    def tables(self, *, write: bool) -> Location:
        return Location(uri="s3://tables/write" if write else "s3://tables/read")

    def run(self) -> Location:
        return Location(uri="s3://run")

    def models(self, *, write: bool) -> Location:
        return Location(uri="s3://models/write" if write else "s3://models/read")

    def input(self, table: Input) -> Location:
        return Location(uri=table.uri)

    def source(self) -> SourceSpec | None:
        return SourceSpec(folder="/operations", commit="c0ffee")


def test_what_a_manifest_says_in_camel_case_reaches_scikit_learn_in_its_own_words() -> None:
    preprocessing = "preprocessing: {numericImputation: MostFrequent}\n    keep: 3"
    spec = spec_of("pipeline", "keep: 3", f"additionalScoring: [{{name: f1, average: Macro}}]\n    {preprocessing}")
    own = "{name: cost, function: scores.cost, response: PredictProba"
    asked = training_job(spec, RUN, Placed(), JobRequest(name="training"), MADE, 1)

    assert asked.preprocessing.numeric_imputation == "most_frequent"
    assert [each.average for each in asked.also_scoring] == ["macro"]
    other = training_job(
        spec_of("pipeline", "{name: cost, function: scores.cost", own),
        RUN,
        Placed(),
        JobRequest(name="training"),
        MADE,
        1,
    )
    assert [each.response for each in other.later_scoring] == ["predict", "predict", "predict_proba"]


def spec_of(name: str = "pipeline", old: str = "", new: str = "") -> PipelineSpec:
    checked = check_text((MANIFESTS / f"{name}.yaml").read_text("utf-8").replace(old, new, 1), "m.yaml")
    assert checked.findings == ()
    spec = checked.resources[0].spec
    assert isinstance(spec, PipelineSpec)
    return spec


def trained(spec: PipelineSpec, request: JobRequest | None = None) -> TrainingJob:
    return training_job(spec, RUN, Placed(), request or JobRequest(name="training"), MADE, processors=2)


PAST = PastDecisions(decisions=4, decided_generation=2)


def scored(spec: PipelineSpec) -> specification.TestingJob:
    model = ModelReference(name="m", uri="file:///m", digest="sha256:0")
    return job_specification.testing_job(
        spec, RUN, Placed(), JobRequest(name="testing"), MADE, None, (model,), PAST, "2026-01-01"
    )


def generated(spec: PipelineSpec, request: JobRequest | None = None) -> DatasetJob:
    return dataset_job(spec, RUN, Placed(), request or JobRequest(name="dataset"))


def test_the_dataset_job_is_asked_for_what_the_manifest_says() -> None:
    job = generated(spec_of(), JobRequest(name="dataset", reset_testing="2026-11-30"))
    assert (job.split.testing, job.split.strategy, job.split.group_columns) == (0.2, "Group", ("customer_id",))
    assert (job.target.column, job.target.positive, job.task) == ("left", "yes", "Classification")
    assert (job.key, job.updates, job.reset_testing) == (("customer_id", "month"), "Freeze", "2026-11-30")
    assert (job.validation.holdout, job.keep_versions, job.timeout) == (0.2, 90 * 86400, 3600)
    assert job.inputs[0].location.uri == "s3://lake/customers/*.parquet"


def test_what_is_expected_of_the_rows_reaches_the_job_as_numbers() -> None:
    expected = (
        "[{remark: ManyTexts, column: plan}, {column: age, nulls: 5%}, {column: age, range: {low: '0', high: '120'}}, "
        "{rows: {minimum: 9, decrease: 20%, increase: 150%}}]"
    )
    job = generated(spec_of("pipeline", "updates: Freeze", f"expect: {expected}"))

    assert job.expect == (
        specification.Expectation(remark="ManyTexts", column="plan"),
        specification.Expectation(column="age", nulls=0.05),
        specification.Expectation(column="age", low=0.0, high=120.0),
        specification.Expectation(minimum=9, decrease=0.2, increase=1.5),
    )


def test_a_time_split_is_in_seconds() -> None:
    job = generated(spec_of("pipeline-shortest", "target: {column: cultivar}", TIME))
    assert (job.split.time_column, job.split.window, job.split.gap) == ("day", 30 * 86400, 86400)


@pytest.mark.parametrize(("written", "asked"), [("", "Train"), (", retired: Leave", "Leave")])
def test_retired_points_are_trained_on_unless_the_manifest_leaves_them_alone(written: str, asked: str) -> None:
    job = generated(spec_of("pipeline-shortest", "target: {column: cultivar}", TIME.replace("1d}", f"1d{written}}}")))
    assert job.split.retired == asked


TIME = "target: {column: cultivar}\n    split: {strategy: Time, time: {column: day, window: 30d, gap: 1d}}"


def test_the_types_of_columns_are_the_manifests() -> None:
    job = generated(spec_of("pipeline-shortest", "uri: wine.csv", "uri: wine.csv, types: [{column: a, type: Float}]"))
    assert job.inputs[0].types == {"a": "Float"}


def test_hyper_parameters_have_the_values_that_their_literals_mean() -> None:
    linear, forest = trained(spec_of()).algorithms
    assert linear.parameters == (ParameterSpec(name="C", values=(0.1, 1, 10)),)
    assert forest.parameters == (
        ParameterSpec(name="n_estimators", value=300),
        ParameterSpec(name="max_depth", values=(None, 4, 8)),
        ParameterSpec(name="max_features", values=("sqrt", 1.0)),
    )


def test_a_range_is_numbers_with_their_scale_and_type() -> None:
    drawn = "estimator: sklearn.ensemble.RandomForestClassifier, parameters: [{name: max_depth, range: {low: "
    spec = spec_of(
        "pipeline-shortest",
        "algorithms: [{name: forest, estimator: sklearn.ensemble.RandomForestClassifier}]",
        "search: {strategy: Random, samples: 5, seed: 7}\n    algorithms: [{name: forest, "
        + drawn
        + '"1", high: "64", scale: Log, type: Integer}}]}]',
    )
    job = trained(spec)
    assert job.algorithms[0].parameters == (ParameterSpec(name="max_depth", low=1, high=64, log=True, integer=True),)
    assert (job.search.strategy, job.search.samples, job.search.seed) == ("Random", 5, 7)


def test_training_and_testing_have_what_the_manifest_says() -> None:
    job, test = trained(spec_of()), scored(spec_of())
    assert (job.keep, job.refit, job.scoring.name, job.gpu, job.timeout) == (3, "None", "roc_auc", "Required", 7200)
    assert (job.decision.threshold, job.source) == (0.3, SourceSpec(folder="/operations", commit="c0ffee"))
    assert [(each.name, each.function, each.greater_is_better) for each in test.scoring] == [
        ("roc_auc", None, True),
        ("f1", None, True),
        ("cost", "scores.cost", False),
    ]
    assert (test.minimum_points, test.decisions_so_far, test.decided_generation) == (200, 4, 2)


def test_the_gate_is_that_of_the_manifest() -> None:
    gate = selection_of(spec_of())
    assert gate is not None
    assert (gate.scoring, gate.minimum, gate.must_improve, gate.confidence, gate.margin) == (
        "roc_auc",
        0.8,
        True,
        0.95,
        0,
    )


def test_without_a_word_on_testing_it_scores_as_training_ranked() -> None:
    assert [each.name for each in scored(spec_of("pipeline-shortest")).scoring] == ["accuracy"]


def test_each_job_gets_only_the_rights_that_it_needs() -> None:
    spec = spec_of()
    assert generated(spec).storage.uri == "s3://tables/write"
    assert (trained(spec).storage.uri, trained(spec).models.uri) == ("s3://tables/read", "s3://models/write")
    test = scored(spec)
    assert (test.storage.uri, test.models_storage) == ("s3://tables/read", Location(uri="s3://models/read"))


def test_what_a_run_asks_of_a_job_goes_over_what_the_pipeline_says() -> None:
    spec = spec_of()
    request = JobRequest(name="training", timeout="5m", threads=4, processes=3)
    job = trained(spec, request)
    assert (job.timeout, job.threads, job.processes) == (300, 4, 3)
    settings = settings_of(spec, "training", JobRequest(name="training", parallelism=8))
    assert (settings.parallelism, settings.profile, settings.timeout) == (8, "gpu-large", "2h")


def test_a_pipeline_without_the_part_that_a_job_needs_is_refused() -> None:
    spec = spec_of("pipeline-serving")
    with pytest.raises(Refused, match=r"The Pipeline has no spec\.dataset; add it\."):
        generated(spec)
    with pytest.raises(Refused, match=r"The Pipeline has no spec\.training; add it\."):
        trained(spec)


@pytest.mark.parametrize("name", ["pipeline", "pipeline-shortest"])
def test_every_specification_is_read_back_equal(name: str) -> None:
    spec = spec_of(name)
    for job in (generated(spec), trained(spec), scored(spec)):
        assert document.decode(document.encode(job), JobSpecification, "job.json") == job


def test_the_same_manifest_always_gives_the_same_specification() -> None:
    first, second = spec_of(), spec_of()
    assert msgspec.json.encode(trained(first)) == msgspec.json.encode(trained(second))


def test_a_threshold_is_tuned_for_the_function_that_the_manifest_gives_that_name() -> None:
    spec = spec_of(old='decision: {threshold: "0.3"}', new="decision: {tune: cost}")

    assert trained(spec).decision.scoring == ScoringSpec(name="cost", function="scores.cost", greater_is_better=False)


def test_the_gate_knows_an_error_of_ones_own_and_its_maximum() -> None:
    spec = spec_of(old='scoring: roc_auc, minimum: "0.8"', new='scoring: cost, maximum: "5"')
    gate = selection_of(spec)

    assert gate is not None
    assert (gate.scoring, gate.maximum, gate.minimum, is_error(gate)) == ("cost", 5.0, None, True)


def test_the_split_of_a_model_is_that_of_its_tables_and_not_what_the_manifest_says_by_now() -> None:
    then = SplitSpec(testing=0.1, strategy="Key", salt="earlier")
    made = msgspec.structs.replace(MADE, split=then, identity=("id Integer",))
    spec = spec_of()
    model = ModelReference(name="m", uri="file:///m", digest="sha256:0")
    training = training_job(spec, RUN, Placed(), JobRequest(name="training"), made, processors=2)
    testing = job_specification.testing_job(
        spec, RUN, Placed(), JobRequest(name="testing"), made, None, (model,), PAST, "2026-01-01"
    )

    assert (training.split, training.identity) == (testing.split, testing.identity) == (then, ("id Integer",))

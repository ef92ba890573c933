"""What a run leaves of itself: the revision that it is, the results of its steps, its Models."""

import json
from typing import Any

import msgspec
import pytest

from penstock.api.jobs import EnvironmentVariable, Gpu, JobSettings, PipelineJob, ResourceAmounts, Resources
from penstock.api.metadata import ObjectMeta
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import JobRequest, PipelineReference, PipelineRunSpec
from penstock.api.schema import API_VERSION
from penstock.decide.job_specification import settings_of
from penstock.decide.model_resource import model_resource
from penstock.decide.objects import results, revision
from penstock.decide.objects.images import image_of, serving_image
from penstock.decide.objects.model import model
from penstock.decide.objects.profiles import processors_of
from penstock.decide.settings import Images, Settings
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.termination_message import TerminationMessage
from unit.jobs.test_termination_message import manifest, training
from unit.objects.examples_of_objects import MADE, MODEL, OWNER, spec_of
from unit.objects.golden_files import assert_golden

CALLED = PipelineReference(name="churn")
LARGE = JobSettings(
    gpu=Gpu(count=2),
    timeout="4h",
    env=(EnvironmentVariable(name="A", value="profile"), EnvironmentVariable(name="B", value="profile")),
)
DEFAULTS = JobSettings(timeout="24h", pending_limit="1h", resources=Resources(requests=ResourceAmounts(cpu="500m")))
SETTINGS = Settings(profiles={"gpu-large": LARGE}, defaults=DEFAULTS)


def pipeline(testing: JobSettings | None = None) -> Pipeline:
    spec = spec_of()
    others = tuple(each for each in spec.jobs if each.name != "testing")
    own = (PipelineJob(name="testing", **msgspec.structs.asdict(testing)),) if testing else ()
    return Pipeline(
        api_version=API_VERSION,
        kind="Pipeline",
        metadata=ObjectMeta(name="churn", uid="9d1e", generation=3, labels={"team": "ml"}),
        spec=msgspec.structs.replace(spec, jobs=(*others, *own) if own else spec.jobs),
    )


def as_stored(made: dict[str, object]) -> dict[str, object]:
    stored: dict[str, object] = json.loads(json.dumps(made))
    return stored


def test_a_revision_holds_all_that_a_run_needs_and_is_read_back_as_it_was() -> None:
    snapshot = revision.snapshot_of(pipeline(), PipelineRunSpec(pipeline_ref=CALLED), SETTINGS)
    made = revision.revision(OWNER, snapshot)

    assert_golden("revision", made)
    assert revision.read(as_stored(made)) == snapshot


def test_a_run_goes_before_the_pipeline_and_that_before_its_profile_and_that_before_the_defaults() -> None:
    own = JobSettings(profile="gpu-large", threads=3, env=(EnvironmentVariable(name="A", value="own"),))
    run = PipelineRunSpec(pipeline_ref=CALLED, jobs=(JobRequest(name="testing", threads=5),))
    spec = revision.snapshot_of(pipeline(testing=own), run, SETTINGS).pipeline.spec
    resolved = settings_of(spec, "testing")

    assert (resolved.threads, resolved.gpu, resolved.timeout, resolved.pending_limit) == (5, LARGE.gpu, "4h", "1h")
    assert {each.name: each.value for each in resolved.env} == {"A": "own", "B": "profile"}
    assert settings_of(spec, "testing", run.jobs[0]) == resolved


def test_a_run_may_name_another_profile() -> None:
    run = PipelineRunSpec(pipeline_ref=CALLED, jobs=(JobRequest(name="testing", profile="gpu-large"),))

    assert settings_of(revision.snapshot_of(pipeline(), run, SETTINGS).pipeline.spec, "testing").gpu == LARGE.gpu


def test_a_profile_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(Refused) as refused:
        revision.snapshot_of(
            pipeline(testing=JobSettings(profile="gpu-huge")), PipelineRunSpec(pipeline_ref=CALLED), SETTINGS
        )

    assert str(refused.value) == (
        "spec.jobs[testing].profile is gpu-huge, and the operator has no such profile (there are gpu-large); name one "
        "that it has, or ask who runs it."
    )


@pytest.mark.parametrize("models", [1, 200])
def test_results_are_read_back_as_they_were_however_large(models: int) -> None:
    reported = {
        "dataset": TerminationMessage(result=MADE, stored="s3://a"),
        "training": TerminationMessage(result=training(models=models), manifests=(manifest(30),) * models),
    }
    made = results.results(OWNER, reported)

    assert results.read(as_stored(made)) == reported
    assert len(json.dumps(made)) < 400_000


def test_results_are_found_by_their_run_and_are_no_specification() -> None:
    labels = results.results(OWNER, {})["metadata"]["labels"]

    assert labels["penstock.dev/run-uid"] == OWNER.uid
    assert "penstock.dev/step" not in labels


def model_of() -> Model:
    return model_resource(MODEL, manifest(2), run=OWNER.name, pipeline_uid="9d1e")


def test_a_model_is_found_by_its_pipeline_and_run_and_owned_by_nobody() -> None:
    made = model(OWNER, model_of())

    assert_golden("model", made)
    assert "ownerReferences" not in made["metadata"]


def test_an_image_is_the_smallest_that_has_what_the_step_needs() -> None:
    spec, images = spec_of(), Images()
    training_spec = spec.training
    assert training_spec is not None
    network = msgspec.structs.replace(
        training_spec.algorithms[0], estimator="penstock_jobs.networks.NeuralNetworkClassifier"
    )
    with_network = msgspec.structs.replace(spec, training=msgspec.structs.replace(training_spec, algorithms=(network,)))

    assert image_of("training", spec, JobSettings(), images) == images.jobs
    assert image_of("training", with_network, JobSettings(), images) == images.torch
    assert image_of("testing", spec, JobSettings(gpu=Gpu()), images) == images.torch
    assert image_of("testing", spec, JobSettings(image="mine"), images) == "mine"


def test_a_model_that_needs_scikit_learn_is_served_where_that_is() -> None:
    made, images = model_of(), Images()
    serving = msgspec.structs.replace(made.spec.serving, format="Skops")
    needing = msgspec.structs.replace(made, spec=msgspec.structs.replace(made.spec, serving=serving))

    assert serving_image(made, JobSettings(), images) == images.serving
    assert serving_image(needing, JobSettings(), images) == images.jobs
    assert serving_image(needing, JobSettings(image="mine"), images) == "mine"

    trained_in = msgspec.structs.replace(serving, image="team/own@sha256:1")
    kept = msgspec.structs.replace(made, spec=msgspec.structs.replace(made.spec, serving=trained_in))
    assert serving_image(kept, JobSettings(), images) == "team/own@sha256:1"


@pytest.mark.parametrize(("kind", "image"), [("skops", "team/own:1"), ("ONNX", None)])
def test_a_model_names_the_image_that_can_read_it_where_not_all_servers_can(kind: Any, image: str | None) -> None:
    saved = manifest(2)
    saved = msgspec.structs.replace(saved, serving=msgspec.structs.replace(saved.serving, format=kind))

    made = model_resource(MODEL, saved, run=OWNER.name, pipeline_uid="9d1e", image="team/own:1")

    assert made.spec.serving.image == image


@pytest.mark.parametrize(("cpu", "processors"), [("500m", 1), ("2500m", 2), ("4", 4), (3, 3), (None, 1)])
def test_processors_are_the_whole_ones_that_are_requested(cpu: str | int | None, processors: int) -> None:
    assert processors_of(JobSettings(resources=Resources(requests=ResourceAmounts(cpu=cpu)))) == processors

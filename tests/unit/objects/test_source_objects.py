"""The source of a run: its job alone has the credentials of the repository."""

from penstock.api.jobs import JobSettings
from penstock.api.run import PipelineReference, PipelineRunSpec
from penstock.decide.objects.job import StepJob, job
from penstock.decide.objects.mounts import secrets_of
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.objects.source import operations, source_job
from penstock.decide.run_places import RunPlaces
from penstock_jobs.contract.result import SourceResult
from penstock_jobs.contract.specification import SourceJob
from unit.objects.examples_of_objects import CHURN, OWNER, RUN, for_testing, for_training, places_of, spec_of
from unit.objects.golden_files import assert_golden

CALLED = PipelineRunSpec(pipeline_ref=PipelineReference(name="churn"))
SOURCE = "  source: {git: {url: https://git.example/ml.git, path: ml, credentials: {secretName: repo}}}\n  storage:\n"
MADE = SourceResult(commit="c0ffee", archive="source/c0ffee.tar.gz", digest="sha256:1", files=3)
SPEC = spec_of(CHURN.replace("  storage:\n", SOURCE, 1))


def asked() -> SourceJob:
    return source_job(SPEC, RUN, CALLED, ClusterPlaces("team"), places_of(SPEC).run(), None)


def test_its_job_has_the_credentials_of_the_repository_and_writes_to_the_runs_storage() -> None:
    assert secrets_of(asked()) == {"repo", "churn-write"}
    assert_golden("source", job(StepJob(OWNER, "source", asked(), JobSettings(), "penstock/source:0.1.0")))


def test_no_job_that_runs_the_code_has_them() -> None:
    places = places_of(SPEC)
    places = RunPlaces(places.places, places.pipeline, SPEC, CALLED, places.execution, operations(MADE, places.run()))
    trained, judged = for_training(SPEC, places), for_testing(SPEC, places)

    assert trained.source is not None
    assert trained.source == judged.source
    assert trained.source.commit == "c0ffee"
    assert "repo" not in secrets_of(trained) | secrets_of(judged)

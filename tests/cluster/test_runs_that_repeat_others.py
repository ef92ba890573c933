"""A run that repeats another does no more than it has to, with what that one was, whatever was edited since."""

import pytest

from cluster.kubernetes_api import Object
from cluster.sites import MODELS, PIPELINES, Site, step_of
from penstock.decide.objects.children import STEP

NAME = "repeated"


@pytest.fixture(scope="module")
def first(site: Site) -> Object:
    """A run that has succeeded; its Pipeline has been edited since."""
    pipeline = site.pipeline(NAME)
    run = site.wait_for_success(site.run(pipeline, "dataset", "training", "testing"))
    site.api.patch(
        PIPELINES, pipeline, {"spec": {"training": {"keep": 5}, "testing": {"minimumPoints": 100}}}, site.namespace
    )
    return run


def repeat(site: Site, first: Object, name: str, job: str) -> str:
    """Apply a run that repeats the first from that job on; return its name."""
    return site.run(NAME, name=name, jobs=[], rerunOf={"name": first["metadata"]["name"], "from": job})


def test_only_the_job_that_is_asked_for_has_a_pod_and_it_finds_what_the_first_found(site: Site, first: Object) -> None:
    models = site.api.objects(MODELS, site.namespace)

    run = repeat(site, first, "tested-again", "testing")
    again = site.wait_for_success(run)

    assert [step["state"] for step in again["status"]["steps"]] == ["Reused", "Reused", "Succeeded"]
    assert {job["metadata"]["labels"][STEP] for job in site.jobs(run)} == {"testing"}
    scores, before = (step_of(each, "testing")["testing"]["models"] for each in (again, first))
    assert scores == before
    assert len(site.api.objects(MODELS, site.namespace)) == len(models)


def test_a_re_run_of_all_jobs_gives_the_same_tables_and_scores(site: Site, first: Object) -> None:
    again = site.wait_for_success(repeat(site, first, "made-again", "dataset"))

    tables, before = (
        {table["name"]: table["digest"] for table in step_of(each, "dataset")["dataset"]["tables"]}
        for each in (again, first)
    )
    assert tables == before
    made, made_before = (
        [each["scores"] for each in step_of(run, "testing")["testing"]["models"]] for run in (again, first)
    )
    assert made == made_before


def test_tables_that_would_be_others_are_refused_and_nothing_is_written(site: Site, first: Object) -> None:
    larger = [{"path": "dataset.split.testing", "value": "50%"}]
    grown = site.wait_for_success(site.run(NAME, name="larger", overrides=larger))

    reason, message = site.wait_for_failure(repeat(site, first, "refused", "dataset"))

    assert reason == "Refused"
    assert f"would not be what the run {first['metadata']['name']} made" in message
    after = site.wait_for_success(site.run(NAME, name="larger-again", overrides=larger))
    generations = [step_of(each, "dataset")["dataset"]["generation"] for each in (grown, after)]
    assert generations[1] == generations[0] + 1

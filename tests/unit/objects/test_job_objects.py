"""The Job of a step: what the API server is given for it, in whole."""

import msgspec

from penstock.api.jobs import JobSettings
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.job import StepJob, job
from penstock.decide.objects.sharing import share_out
from penstock.decide.objects.specification_file import specification_file
from unit.objects.examples_of_objects import IMAGE, OWNER, for_dataset, for_testing, for_training, spec_of
from unit.objects.golden_files import assert_golden


def test_a_dataset_step_is_one_pod_with_the_credentials_of_what_it_reads_and_writes() -> None:
    spec = spec_of()
    step = StepJob(OWNER, "dataset", for_dataset(spec), settings_of(spec, "dataset"), IMAGE)

    assert_golden("dataset", specification_file(OWNER, "dataset", step.specification), job(step))


def test_a_training_step_is_an_indexed_job_of_workers_with_all_that_settings_can_say() -> None:
    spec = spec_of()
    settings = settings_of(spec, "training")
    step = StepJob(OWNER, "training", share_out(for_training(spec), settings), settings, settings.image or IMAGE)

    assert_golden("training", job(step))


def test_a_testing_step_with_nothing_said_is_the_shortest_job() -> None:
    spec = spec_of()

    assert_golden("testing", job(StepJob(OWNER, "testing", for_testing(spec), JobSettings(), IMAGE)))


def test_another_attempt_is_another_job_that_reads_the_same_specification() -> None:
    spec = spec_of()
    first = job(StepJob(OWNER, "dataset", for_dataset(spec), JobSettings(), IMAGE))
    second = job(StepJob(OWNER, "dataset", for_dataset(spec), JobSettings(), IMAGE, attempt=2))

    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert first["spec"]["template"]["spec"] == second["spec"]["template"]["spec"]


def test_a_deadline_of_the_job_is_above_all_that_its_tries_may_take() -> None:
    spec = spec_of()
    limited = msgspec.structs.replace(for_dataset(spec), timeout=3600.0)
    made = job(StepJob(OWNER, "dataset", limited, settings_of(spec, "dataset"), IMAGE))["spec"]

    assert made["template"]["spec"]["activeDeadlineSeconds"] > 3600
    assert made["activeDeadlineSeconds"] > 3 * made["template"]["spec"]["activeDeadlineSeconds"]

"""Files are deleted for one reason only: the run or Model that they belong to was deleted, by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.decide.cleaning import models
from penstock.decide.cleaning.job import Cleaning, objects_of
from penstock.decide.cleaning.observation import ModelObservation, RecordObservation
from penstock.decide.cleaning.reconcile import decide, pause
from penstock.decide.cleaning.record import (
    EXPIRED,
    FAILURES,
    Identity,
    Record,
    RunFiles,
    is_record,
    read,
    record_object,
    record_of_run,
)
from penstock.decide.decision import ApiObject, Create, Decision, Delete, Patch
from penstock.decide.objects.children import STEP
from penstock.decide.settings import Settings
from penstock_jobs.contract import errors
from penstock_jobs.contract.result import CleaningResult, Failure, JobResult
from penstock_jobs.contract.specification import CleaningJob, Location, OwnedFolder
from penstock_jobs.contract.termination_message import TerminationMessage
from unit.decide_run.examples_of_runs import BEGINNING
from unit.decide_run.runs_at_work import apply_run
from unit.objects.examples_of_objects import CHURN, OWNER, places_of, spec_of
from unit.objects.golden_files import assert_golden

Object = dict[str, Any]
HERE = Identity(definition="definition-1", namespace="namespace-1")
ELSEWHERE = [
    Identity(definition="definition-2", namespace="namespace-1"),
    Identity(definition="definition-1", namespace="namespace-2"),
]
SETTINGS = Settings()
SPEC = spec_of(CHURN.replace("\nspec:", "\nspec:\n  logs: {retention: 30d}"))
RECORD = record_object(OWNER, record_of_run(OWNER, RunFiles(places_of(SPEC), workers=4), HERE))


def record(**annotations: str) -> Object:
    spec = spec_of(
        CHURN.replace("metadata: {name: churn}\nspec:", "metadata: {name: churn}\nspec:\n  logs: {retention: 30d}")
    )
    made = record_object(OWNER, record_of_run(OWNER, RunFiles(places_of(spec), workers=4), HERE))
    names = {"expired": EXPIRED, "failures": FAILURES}
    made["metadata"] |= {"uid": "record-1", "annotations": {names[key]: value for key, value in annotations.items()}}
    return made


def record_of_a_model(policy: str = "Delete") -> Object:
    made = Record(
        kind="Model",
        name="churn-linear",
        uid="model-1",
        identity=HERE,
        folder=OwnedFolder(Location(uri="s3://ml-team/churn/models/churn-linear"), "manifest.json", digest="sha256:1"),
    )
    there = record()
    return there | {"data": msgspec.to_builtins(made)}


def observed(there: Object | None = None, **known: Any) -> RecordObservation:
    known = {"identity": HERE} | known
    return RecordObservation(record=there or record(), settings=SETTINGS, **known)


def job_of(decision: Decision) -> Object:
    return next(
        dict(each.object) for each in decision.writes if isinstance(each, Create) and each.object["kind"] == "Job"
    )


def over(job: Object, kind: str = "Complete") -> Object:
    condition = {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "It failed too often."}
    metadata = job["metadata"] | {"uid": "job-1", "creationTimestamp": "2026-03-01T12:00:00Z"}
    return job | {"metadata": metadata, "status": {"conditions": [condition]}}


def pod(code: int, result: JobResult) -> Object:
    message = msgspec.json.encode(TerminationMessage(result=result)).decode()
    state = {"terminated": {"exitCode": code, "message": message}}
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": "job", "state": state}]}}


def ended_run(finished: datetime | None) -> Object:
    return {"metadata": {"name": "churn-1"}, "status": {"completionTime": finished.isoformat()} if finished else {}}


def creates_a_job(decision: Decision) -> bool:
    return any(isinstance(each, Create) for each in decision.writes)


# --- when files go ----------------------------------------------------------------------------------------------------


def test_a_run_that_is_gone_is_cleaned_by_a_job_with_the_credentials_to_write_and_nothing_else() -> None:
    decision = decide(observed(), BEGINNING)

    assert_golden("cleaning", *(dict(each.object) for each in decision.writes if isinstance(each, Create)))
    assert_golden("record-of-files", record())


@pytest.mark.parametrize("identity", ELSEWHERE)
def test_no_file_goes_where_the_kind_or_the_namespace_was_deleted_and_made_again(identity: Identity) -> None:
    decision = decide(observed(identity=identity), BEGINNING)

    assert not creates_a_job(decision)
    assert [each.kind for each in decision.writes if isinstance(each, Delete)] == ["ControllerRevision"]


def test_no_file_goes_while_the_kind_or_the_namespace_is_being_deleted() -> None:
    decision = decide(observed(identity=None), BEGINNING)

    assert decision.writes == ()
    assert decision.requeue_after is not None


def test_no_file_goes_while_a_pod_of_the_run_may_still_write() -> None:
    decision = decide(observed(others=({"kind": "Pod", "metadata": {"name": "p"}},)), BEGINNING)

    assert decision.writes == ()
    assert decision.requeue_after is not None


def test_no_file_of_a_model_goes_that_another_model_has_by_now() -> None:
    again = {"spec": {"uri": "s3://ml-team/churn/models/churn-linear"}}
    decision = decide(observed(record_of_a_model(), models=(again,)), BEGINNING)

    assert not creates_a_job(decision)


def test_what_cannot_be_read_deletes_nothing_and_is_told_in_the_log() -> None:
    strange = record() | {"data": {"kind": "Trigger"}}

    decision = decide(observed(strange), BEGINNING)

    assert decision == Decision(warnings=decision.warnings)
    assert "data.kind is 'Trigger'" in decision.warnings[0]


@settings(deadline=None)
@given(
    subject=st.none() | st.just(ended_run(None)) | st.just(ended_run(BEGINNING)),
    identity=st.sampled_from([None, HERE, *ELSEWHERE]),
    busy=st.booleans(),
    seconds=st.integers(0, 10**8),
)
def test_all_files_go_only_where_the_run_alone_is_gone(
    subject: Object | None, identity: Identity | None, busy: bool, seconds: int
) -> None:
    others: tuple[ApiObject, ...] = ({"kind": "Pod", "metadata": {"name": "p"}},) if busy else ()
    found = observed(subject=subject, identity=identity, others=others)

    decision = decide(found, BEGINNING + timedelta(seconds=seconds))

    steps = {
        each.object["metadata"]["labels"][STEP]
        for each in decision.writes
        if isinstance(each, Create) and each.object["kind"] == "Job"
    }
    assert ("cleaning" in steps) == (subject is None and identity == HERE and not busy)


# --- how it goes on ---------------------------------------------------------------------------------------------------


def test_once_the_files_are_gone_the_record_goes_too_and_an_event_says_how_many_they_were() -> None:
    job = over(job_of(decide(observed(), BEGINNING)))
    decision = decide(observed(jobs=(job,), pods=(pod(0, CleaningResult(files=12)),)), BEGINNING)

    assert [each.kind for each in decision.writes if isinstance(each, Delete)] == ["ControllerRevision"]
    assert decision.events[0].message == "12 files of the PipelineRun churn-1, which was deleted, are deleted."


def test_cleaning_that_fails_says_why_and_is_tried_again_later_and_later() -> None:
    job = over(job_of(decide(observed(), BEGINNING)), "Failed")
    why = Failure(reason="Refused", message="The bucket ml-team refuses the credentials.")
    decision = decide(observed(jobs=(job,), pods=(pod(errors.REFUSED, why),)), BEGINNING)

    assert "refuses the credentials" in decision.events[0].message
    [told] = [each for each in decision.writes if isinstance(each, Patch)]
    after = record()
    after["metadata"]["annotations"] = told.content["metadata"]["annotations"]

    waiting = decide(observed(after), BEGINNING + timedelta(seconds=59))
    assert (waiting.writes, waiting.requeue_after) == ((), 1.0)
    second = job_of(decide(observed(after), BEGINNING + timedelta(seconds=60)))
    assert second["metadata"]["name"] != job["metadata"]["name"]


@given(st.integers(1, 1000))
def test_the_pause_grows_and_is_never_longer_than_six_hours(failures: int) -> None:
    assert timedelta(minutes=1) <= pause(failures) <= pause(failures + 1) <= timedelta(hours=6)


def test_while_a_job_is_at_it_no_other_is_made() -> None:
    running = over(job_of(decide(observed(), BEGINNING))) | {"status": {}}

    assert decide(observed(jobs=(running,)), BEGINNING) == Decision()


# --- logs -------------------------------------------------------------------------------------------------------------


def test_the_logs_of_a_run_go_when_they_are_as_old_as_the_pipeline_says_and_nothing_else_does() -> None:
    run = ended_run(BEGINNING)
    early = decide(observed(subject=run), BEGINNING + timedelta(days=29))
    due = decide(observed(subject=run), BEGINNING + timedelta(days=30))

    assert (early.writes, early.requeue_after) == ((), 86400.0)
    asked = next(dict(each.object) for each in due.writes if isinstance(each, Create))
    specification: Any = msgspec.json.decode(asked["data"]["specification.json"], type=CleaningJob)
    assert [folder.beneath for folder in specification.folders] == [("logs/",)]
    assert specification.unmade == ()


def test_logs_of_a_live_run_stay() -> None:
    assert decide(observed(subject=ended_run(None)), BEGINNING + timedelta(days=300)) == Decision()


def test_a_run_beyond_those_that_are_kept_loses_its_jobs_and_logs() -> None:
    metadata = {"name": "j", "namespace": "team", "uid": "u", "labels": {}}
    left = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    found = observed(record(expired="true"), subject=ended_run(BEGINNING), others=(left,))
    decision = decide(found, BEGINNING)

    assert [each.name for each in decision.writes if isinstance(each, Delete)] == ["j"]
    assert creates_a_job(decision)


def test_logs_are_cleaned_once() -> None:
    run = ended_run(BEGINNING)
    month = BEGINNING + timedelta(days=31)
    job = over(job_of(decide(observed(subject=run), month)))
    done = decide(observed(subject=run, jobs=(job,)), month)
    [told] = [each for each in done.writes if isinstance(each, Patch)]
    after = record()
    after["metadata"]["annotations"] = told.content["metadata"]["annotations"]

    assert decide(observed(after, subject=run), month) == Decision()


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written() -> None:
    found = read(record())

    assert isinstance(found, Record)
    assert found.identity == HERE
    assert found.folder.location.uri == "s3://ml-team/churn/runs/first-try"
    assert found.folder.location.credentials.folder is not None
    assert found.folder.location.credentials.folder.endswith("write/churn-write")


def test_a_model_without_a_policy_has_no_record_and_one_whose_policy_is_taken_back_loses_it() -> None:
    model = {"kind": "Model", "metadata": {"name": "m", "uid": "u"}, "spec": {"deletionPolicy": "Retain"}}
    seen = ModelObservation(model=model, settings=SETTINGS, identity=HERE)

    assert models.decide(seen, BEGINNING).writes == ()
    assert [type(each) for each in models.decide(replace(seen, record=record()), BEGINNING).writes] == [Delete]


def test_a_model_whose_address_goes_up_has_no_record_and_is_told_in_the_log() -> None:
    model = yaml.safe_load((Path(__file__).parents[1] / "api/manifests/model.yaml").read_text("utf-8"))
    model["metadata"] |= {"uid": "u", "namespace": "team"}
    model["spec"] |= {"deletionPolicy": "Delete", "uri": "file:///volumes/data/../../var"}

    decision = models.decide(ModelObservation(model=model, settings=SETTINGS, identity=HERE), BEGINNING)

    assert decision.writes == ()
    assert "has a .., in some form" in decision.warnings[0]


def test_no_cleaning_asks_for_more_than_the_record_says() -> None:
    there = record()
    recorded = read(there)
    assert isinstance(recorded, Record)
    _, job = objects_of(Cleaning(there, recorded, "cleaning", 1, SETTINGS))
    volumes = job["spec"]["template"]["spec"]["volumes"]

    assert {each["secret"]["secretName"] for each in volumes if "secret" in each} == {"churn-write"}


# --- of a run ---------------------------------------------------------------------------------------------------------


def test_where_the_files_of_a_run_are_is_recorded_before_its_first_job() -> None:
    cluster, operator = apply_run()

    while not cluster.of("Job"):
        assert not [each for each in cluster.of("ConfigMap") if STEP in each["metadata"]["labels"]]
        operator.reconcile("churn-1")
        operator.looks()

    [there] = [each for each in cluster.of("ControllerRevision") if is_record(each)]
    recorded = read(there)
    assert isinstance(recorded, Record)
    assert recorded.folder.location.uri == cluster.objects["PipelineRun", "churn-1"]["status"]["storage"]

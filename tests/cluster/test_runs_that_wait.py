"""Waiting is not failing: what a run lacks, it says in the words of who knows, and it goes on when that comes."""

import pytest

from cluster.hand_made_runs import READER
from cluster.kubernetes_api import Object
from cluster.sites import Site, step_of
from testcluster.s3 import Account

CLAIM: Object = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "files"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
NO_IMAGE = "penstock.invalid/jobs:1"


def test_a_run_waits_for_a_pipeline_that_is_applied_after_it(site: Site) -> None:
    run = site.run("late")

    assert "There is no Pipeline late in this namespace yet" in site.wait_for_reason(run, "PipelineNotFound")
    site.pipeline("late")
    site.wait_for_success(run)


def test_a_run_waits_for_a_secret_until_somebody_makes_it(site: Site) -> None:
    credentials = {"read": {"secretName": READER}, "write": {"secretName": "later"}}
    run = site.run(site.pipeline("unwritten", storage__credentials=credentials))

    assert 'secret "later" not found' in site.wait_for_reason(run, "NotMounted")
    writer = site.buckets.server.writer
    site.api.create(Account(writer.access_key, writer.secret_key).secret("later", site.namespace))
    site.wait_for_success(run)
    assert len(site.jobs(run)) == len(site.pods(run)) == 1


@pytest.mark.needs("storage-class")
def test_a_run_waits_for_a_volume_claim_until_somebody_makes_it(site: Site) -> None:
    run = site.run(site.pipeline("on-a-volume", storage={"pvc": {"claimName": "files"}}))

    assert 'persistentvolumeclaim "files" not found' in site.wait_for_reason(run, "Unschedulable")
    site.api.create(CLAIM, site.namespace)
    site.wait_for_success(run)


def test_a_run_waits_for_a_claim_that_no_volume_is_bound_to(site: Site) -> None:
    unbound = CLAIM | {"metadata": {"name": "unbound"}, "spec": CLAIM["spec"] | {"storageClassName": ""}}
    site.api.create(unbound, site.namespace)
    run = site.run(site.pipeline("on-no-volume", storage={"pvc": {"claimName": "unbound"}}))

    assert "unbound immediate PersistentVolumeClaims" in site.wait_for_reason(run, "Unschedulable")
    site.cancel(run)


def test_a_run_whose_image_is_nowhere_waits_with_the_kubelets_sentence_and_fails_with_it_at_its_pending_limit(
    site: Site,
) -> None:
    run = site.run(site.pipeline("imageless", jobs__dataset={"image": NO_IMAGE, "pendingLimit": "15s"}))

    assert NO_IMAGE in site.wait_for_reason(run, "ImageNotPulled")
    reason, sentence = site.wait_for_failure(run)

    assert reason == "PendingLimitExceeded"
    assert "longer than its pendingLimit of 15s" in sentence
    assert NO_IMAGE in sentence
    assert site.jobs(run) == site.pods(run) == []
    assert step_of(site.wait_for_end(run), "dataset")["state"] == "Failed"


def test_a_run_waits_where_the_api_server_refuses_its_pod_and_says_why(site: Site) -> None:
    run = site.run(site.pipeline("classless", jobs__dataset={"priorityClassName": "nobody-made-this"}))

    assert "no PriorityClass with name nobody-made-this was found" in site.wait_for_reason(run, "Forbidden")
    site.cancel(run)


def test_a_run_that_names_a_service_account_that_is_not_there_waits_until_it_is(site: Site) -> None:
    run = site.run(site.pipeline("unaccountable", jobs__dataset={"serviceAccountName": "later"}))

    assert 'serviceaccount "later" not found' in site.wait_for_reason(run, "Forbidden")
    site.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "later"}}, site.namespace)
    site.wait_for_success(run)

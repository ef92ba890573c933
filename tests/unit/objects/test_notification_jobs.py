"""The Job that notifies: restricted, without a token or an identity, with one key of one Secret."""

from typing import Any

import msgspec

from penstock.api.credentials import SecretKey
from penstock.api.jobs import EnvironmentVariable, ImagePullSecret, JobSettings
from penstock.api.notifications import Notification
from penstock.decide.objects.notification import NotificationJob, notification_job, notification_job_name
from penstock.decide.objects.pod import PYTHON
from penstock_jobs.contract.notification import NotificationRequest, OutboundData, OutboundEvent
from unit.objects.examples_of_objects import OWNER
from unit.objects.golden_files import assert_golden
from unit.objects.pod_security import violations

EVENT = OutboundEvent(
    id="5f0d3c2b9a8e7d6c5b4a",
    event="RunFailed",
    source="/apis/penstock.dev/v1alpha1/namespaces/team/pipelines/churn",
    subject="churn-1",
    time="2026-03-01T12:00:00Z",
    sentence="The run churn-1 of the Pipeline churn failed in its dataset step: Refused.",
    data=OutboundData(namespace="team", pipeline="churn", run="churn-1", reason="Refused", step="dataset"),
)
NOTIFICATION = Notification(name="team", url=SecretKey(secret_name="hook", key="SLACK_URL"), format="Slack")
SETTINGS = JobSettings(
    service_account_name="reads-tables",
    image="registry.example/own",
    image_pull_secrets=(ImagePullSecret(name="registry"),),
    env=(EnvironmentVariable(name="HTTPS_PROXY", value="http://proxy"),),
    pod_template={"spec": {"hostNetwork": True}},
)


def made() -> Any:
    return notification_job(NotificationJob(OWNER, EVENT, NOTIFICATION, "penstock/jobs:1", SETTINGS))


def test_the_job() -> None:
    assert_golden("notification", made())


def test_its_pod_is_restricted_and_is_nobody_to_any_cluster_or_cloud() -> None:
    pod = made()["spec"]["template"]["spec"]

    assert list(violations(pod)) == []
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod


def test_it_mounts_the_one_key_of_the_one_secret_and_does_not_wait_for_it() -> None:
    pod = made()["spec"]["template"]["spec"]

    [secret] = [each["secret"] for each in pod["volumes"] if "secret" in each]
    assert secret == {"secretName": "hook", "items": [{"key": "SLACK_URL", "path": "url"}], "optional": True}
    request = msgspec.json.decode(pod["containers"][0]["command"][len(PYTHON) + 1], type=NotificationRequest)
    assert request.url_file == f"{pod['containers'][0]['volumeMounts'][-1]['mountPath']}/url"


def test_two_events_and_two_notifications_have_jobs_of_their_own_and_one_has_the_same_name_each_time() -> None:
    names = {notification_job_name(OWNER, name, event) for name in ("a", "b") for event in ("0", "1")}

    assert len(names) == 4
    assert notification_job_name(OWNER, "team", EVENT.id) == made()["metadata"]["name"]

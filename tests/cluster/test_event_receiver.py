"""Events by HTTP on a cluster: who may bring them the API server says, and each that is accepted is one run.

The receiver is a process that has the token of the chart's service account, and so the rights of the chart alone.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.event_receivers import Receiver, open_receiver_site, signature_of
from cluster.kubernetes_api import KubernetesApi
from testcluster.cluster import Cluster


@pytest.fixture
def receiver(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Receiver]:
    """A receiver for the Triggers of a namespace."""
    with open_receiver_site(api, cluster, namespace, tmp_path) as site, site.run_receiver() as running:
        yield running


def test_a_signed_webhook_makes_one_run_however_often_it_comes(receiver: Receiver) -> None:
    body = json.dumps({"ref": "refs/heads/main", "after": "4bf5122f"}).encode()
    signature = signature_of(body)

    sent = [receiver.post("pushed", body, X_Hub_Signature_256=signature, X_GitHub_Event="push") for _ in range(3)]

    assert sent == [202, 202, 202]
    (run,) = receiver.runs()
    assert run["spec"]["suspend"] is True
    assert run["spec"]["trigger"]["event"]["type"] == "push"
    assert receiver.post("pushed", body + b" ", X_Hub_Signature_256=signature) == 401
    assert len(receiver.runs()) == 1


def test_only_a_service_account_with_the_right_and_a_token_for_us_brings_events(receiver: Receiver) -> None:
    def bring(token: str, trigger: str = "arrivals") -> int:
        return receiver.post(trigger, b"{}", Authorization=f"Bearer {token}")

    assert receiver.post("arrivals", b"{}") == 401
    assert bring(receiver.token("stranger")) == 403
    assert bring(receiver.token("sender", "https://kubernetes.default.svc.cluster.local")) == 401
    assert bring(receiver.token("sender"), "another") == 403
    assert receiver.runs() == []

    assert bring(receiver.token("sender")) == 202
    assert len(receiver.runs()) == 1


def test_an_accepted_event_is_there_when_the_receiver_is_killed(receiver: Receiver) -> None:
    token = receiver.token("sender")
    assert receiver.post("arrivals", b"{}", Authorization=f"Bearer {token}", Idempotency_Key="one") == 202

    receiver.process.kill()

    (run,) = receiver.runs()
    assert run["spec"]["trigger"]["event"]["id"] == "one"
    (owner,) = run["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Trigger", "arrivals")

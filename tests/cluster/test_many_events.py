"""Many events at once, while those who take them are killed: each that was accepted has its one run, and no more."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from threading import Lock

import pytest

from cluster.event_receivers import Receiver, ReceiverSite, open_receiver_site
from cluster.kubernetes_api import KubernetesApi
from cluster.operator_process import run_operator
from testcluster.cluster import Cluster
from testcluster.patience import attempts

BATCH = 50
SENDERS = 4
KILLS_OF_THE_OPERATOR = 3
KILLS_OF_THE_RECEIVER = 2
SECONDS = 900


@pytest.fixture
def site(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[ReceiverSite]:
    settings = {"limits": {"pending": 20_000}}
    with open_receiver_site(api, cluster, namespace, tmp_path, settings) as made:
        yield made


@dataclass
class Senders:
    """Who sends the events: each batch until it is accepted, as a broker does, and every fifth once more."""

    receiver: Receiver
    token: str
    accepted: int = 0
    lock: Lock = field(default_factory=Lock)

    def send(self, batch: int) -> None:
        events = [
            {"specversion": "1.0", "id": f"event-{batch}-{number}", "source": "/tests", "type": "arrived"}
            for number in range(BATCH)
        ]
        body = json.dumps(events).encode()
        for _ in range(2 if batch % 5 == 0 else 1):
            assert any(self._is_accepted(body) for _ in attempts("a batch to be accepted", SECONDS))
        with self.lock:
            self.accepted += 1

    def _is_accepted(self, body: bytes) -> bool:
        headers = {"Content_Type": "application/cloudevents-batch+json", "Authorization": f"Bearer {self.token}"}
        try:
            return self.receiver.post("arrivals", body, **headers) == 202
        except (OSError, HTTPException):
            return False  # it was killed


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("number", [500, pytest.param(10_000, marks=pytest.mark.soak)])
def test_each_event_has_its_one_run_however_often_those_who_take_it_are_killed(
    site: ReceiverSite, cluster: Cluster, number: int
) -> None:
    batches = number // BATCH
    with ExitStack() as stack:
        receiver = stack.enter_context(site.run_receiver())
        operator = stack.enter_context(run_operator(cluster.kubeconfig, site.namespace, site.folder))
        senders = Senders(receiver, receiver.token("sender"))
        pool = stack.enter_context(ThreadPoolExecutor(SENDERS))
        sent = [pool.submit(senders.send, batch) for batch in range(batches)]
        moments = KILLS_OF_THE_OPERATOR + KILLS_OF_THE_RECEIVER
        for moment in range(1, moments + 1):
            assert any(senders.accepted >= batches * moment // (moments + 1) for _ in attempts("events", SECONDS))
            if moment % 2:
                operator.kill()
                operator = stack.enter_context(run_operator(cluster.kubeconfig, site.namespace, site.folder))
            else:
                receiver.process.kill()
                receiver = stack.enter_context(site.run_receiver())
        for each in sent:
            each.result()
        operator.wait_until_ready()
        assert operator.ask("/healthz")[0] == 200
        made = Counter(run["spec"]["trigger"]["event"]["id"] for run in receiver.runs())

    assert made == Counter(f"event-{batch}-{event}" for batch in range(batches) for event in range(BATCH))

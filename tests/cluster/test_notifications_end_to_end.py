"""A run that ends in real pods is told to a receiver in the cluster, once, at a URL that only that one pod mounts."""

import json
from collections.abc import Callable, Iterator

import pytest

from cluster.kubernetes_api import JOBS, PODS, Object
from cluster.sites import Site
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY

NAME, PORT = "hook", 8000
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}}
# Runs in the jobs image; the first event is answered with 503, so that it comes twice, with one id.
_SERVER = """
import http.server

class Receiver(http.server.BaseHTTPRequestHandler):
    answers = [503]

    def do_POST(self):
        print(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(self.answers.pop() if self.answers else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()

http.server.HTTPServer(("", 8000), Receiver).serve_forever()
"""


@pytest.fixture(scope="module")
def receiver(site: Site, image: Callable[[str], str]) -> Iterator[None]:
    """A server that prints what is posted to it, and the Secret that holds its URL."""
    for each in _manifests(image("jobs")):
        site.api.create(each, site.namespace)
    site.api.wait_for(PODS, NAME, site.namespace, _is_ready, what="the receiver ready", seconds=120)
    url = f"http://{NAME}.{site.namespace}:{PORT}/sesame"
    site.api.create(SECRET | {"stringData": {"url": url}}, site.namespace)
    yield
    site.api.delete(PODS, NAME, site.namespace)


@pytest.mark.usefixtures("receiver")
def test_the_end_of_a_run_is_told_with_one_id_until_it_is_taken_and_its_job_goes(site: Site) -> None:
    asked = {"name": "team", "url": {"secretName": NAME}, "events": ["RunSucceeded"]}
    pipeline = site.pipeline("telling", notifications=[asked])
    run = site.run(pipeline)
    site.wait_for_success(run)

    ended = site.wait_until(run, _is_settled, "a run whose end was told")
    posted = [line.partition(" ") for line in site.api.logs(NAME, site.namespace, NAME).splitlines() if "dev." in line]
    events = [json.loads(body) for _, _, body in posted]

    assert ended["status"]["notifications"] == [{"name": "team", "state": "Delivered"}]
    assert {path for path, _, _ in posted} == {"/sesame"}
    assert [each["type"] for each in events] == ["dev.penstock.RunSucceeded"] * 2
    assert len({each["id"] for each in events}) == 1
    assert events[0]["subject"] == run
    left = f"penstock.dev/notification={ended['metadata']['uid']}"
    site.api.wait(JOBS, site.namespace, lambda there: None if there else True, what="no Job that tells", labels=left)


def test_a_secret_that_is_not_there_is_said_and_the_run_has_succeeded_all_the_same(site: Site) -> None:
    asked = {"name": "team", "url": {"secretName": "nowhere"}}
    run = site.run(site.pipeline("untold", notifications=[asked]))
    site.wait_for_success(run)

    ended = site.wait_until(run, _is_settled, "a run whose end could not be told")

    assert ended["status"]["notifications"] == [{"name": "team", "state": "Refused"}]


def _is_settled(run: Object) -> bool:
    told = run["status"].get("notifications", ())
    return bool(told) and all(each["state"] != "Pending" for each in told)


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _manifests(image: str) -> tuple[Object, ...]:
    container = {
        "name": NAME,
        "image": image,
        "command": ["python", "-c", _SERVER],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "securityContext": CONTAINER_SECURITY,
    }
    spec = {
        "automountServiceAccountToken": False,
        "securityContext": POD_SECURITY,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    named = {"name": NAME, "labels": {"app": NAME}}
    service = {"selector": {"app": NAME}, "ports": [{"port": PORT}]}
    return (
        {"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": service},
        {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": spec},
    )

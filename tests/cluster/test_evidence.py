"""What is left of a test that failed: enough to find out why, and nothing that is secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import evidence
from cluster.kubernetes_api import PODS, ApiRefused, KubernetesApi, Object
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY

# The first time it fails, the second time it stays.
_STUMBLE = """
import pathlib, sys, time
mark = pathlib.Path("/tmp/mark")
print("the second" if mark.exists() else "the first", "time", flush=True)
if not mark.exists():
    mark.touch()
    sys.exit(1)
time.sleep(3600)
"""


def pod(name: str, image: str, words: list[str], **container: object) -> Object:
    made = {"name": "it", "image": image, "command": words, "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [made | container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def kept(api: KubernetesApi, namespace: str, image: Callable[[str], str], tmp_path: Path) -> Path:
    api.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": "hush"}}, namespace
    )
    made = pod("stumbling", image("jobs"), ["python", "-c", _STUMBLE], securityContext=CONTAINER_SECURITY)
    made["spec"]["securityContext"] = POD_SECURITY
    api.create(made, namespace)
    api.wait_for(
        PODS,
        "stumbling",
        namespace,
        lambda each: any(status["restartCount"] and "running" in status["state"] for status in _statuses(each)),
        what="a container that was started again",
    )
    evidence.collect(api, namespace, tmp_path)
    return tmp_path


def test_logs_events_and_objects_are_kept_and_no_secret(kept: Path) -> None:
    assert (kept / "logs" / "stumbling-it.log").read_text() == "the second time\n"
    assert (kept / "logs" / "stumbling-it-previous.log").read_text() == "the first time\n"
    assert "Pod/stumbling Started" in (kept / "events.txt").read_text()
    assert "name: stumbling" in (kept / "pods.yaml").read_text()
    assert "key: (8 characters)" in (kept / "secrets.yaml").read_text()
    assert not any("hush" in path.read_text() or "aHVzaA" in path.read_text() for path in kept.rglob("*.*"))


def test_a_namespace_of_a_test_admits_no_pod_that_may_do_more_than_restricted(
    api: KubernetesApi, namespace: str
) -> None:
    with pytest.raises(ApiRefused, match='violates PodSecurity "restricted') as refused:
        api.create(pod("loose", "any", ["true"]), namespace)
    assert refused.value.code == 403


def _statuses(each: Object) -> list[Object]:
    statuses: list[Object] = each.get("status", {}).get("containerStatuses", [])
    return statuses

"""Triggers on a cluster: a moment, files that arrive, and the end of another Pipeline's run each make a run once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.buckets import LAKE
from cluster.hand_made_runs import INPUTS
from cluster.kubernetes_api import DEADLINE, JOBS, PODS, Object, Resource
from cluster.sites import RUNS, SECONDS, Site
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY
from penstock.decide.settings import Pods
from penstock.decide.times import write_time

TRIGGERS = Resource("penstock.dev/v1alpha1", "triggers")
OF_TRIGGER = "penstock.dev/trigger"
CLAIM: Object = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "arriving"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
PUT = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
path.parent.mkdir(exist_ok=True)
path.write_text(sys.argv[2])
"""


def test_a_moment_a_few_seconds_ahead_makes_its_run_once(site: Site) -> None:
    moment = write_time(datetime.now(UTC) + timedelta(seconds=5))
    apply_trigger(site, "moment", site.pipeline("of-a-moment"), schedule={"moments": [moment]})

    fired = wait_until_fired(site, "moment")
    run = site.wait_for_success(fired["status"]["lastRun"])
    assert run["spec"]["trigger"]["scheduledTime"] == moment
    assert run["metadata"]["ownerReferences"][0]["uid"] == fired["metadata"]["uid"]
    assert runs_of(site, "moment") == [run["metadata"]["name"]]
    assert ready(site, "moment") == ("True", "NoMoreMoments")


@pytest.mark.parametrize("place", ["bucket", pytest.param("volume", marks=pytest.mark.needs("storage-class"))])
def test_a_file_that_arrives_starts_a_run_once(
    site: Site, image: Callable[[str], str], tmp_path: Path, place: str
) -> None:
    name = f"arriving-in-a-{place}"
    put: Callable[[Site, str, str, Path], None]
    access: dict[str, Any]
    if place == "bucket":
        uri, put = f"s3://{LAKE}/{site.namespace}/arriving/*.csv", put_into_bucket
        access = {"endpoint": site.buckets.server.inside, "credentials": {"secretName": INPUTS}}
    else:
        site.api.create(CLAIM, site.namespace)
        uri, put, access = "pvc://arriving/rows/*.csv", put_on_volume(image("jobs")), {}
    put(site, "first.csv", rows(0), tmp_path)
    pipeline = site.pipeline(name, dataset__inputs=[{"name": "samples", "uri": uri, **access}])
    apply_trigger(site, name, pipeline, objects={"input": "samples", "interval": "1s"})
    wait_for(site, name, lambda there: look_of(there).get("files") == 1, "a first look", SECONDS)
    put(site, "second.csv", rows(200), tmp_path)

    fired = wait_until_fired(site, name, SECONDS)
    run = site.wait_for_success(fired["status"]["lastRun"])
    assert run["spec"]["trigger"]["event"]["type"] == "dev.penstock.files.arrived"
    assert run["spec"]["trigger"]["event"]["id"] == look_of(fired)["event"]
    later = look_of(site.api.get(TRIGGERS, name, site.namespace))["number"] + 2
    wait_for(site, name, lambda there: look_of(there)["number"] >= later, "two more looks", SECONDS)
    assert runs_of(site, name) == [run["metadata"]["name"]]
    assert ready(site, name) == ("True", "Active")

    site.api.delete(TRIGGERS, name, site.namespace)
    labels = f"{OF_TRIGGER}={name}"
    site.api.wait(
        JOBS, site.namespace, lambda there: None if there else True, what="an end of its looks", labels=labels
    )


def test_the_end_of_a_run_starts_a_run_of_another_pipeline(site: Site) -> None:
    first, second = site.pipeline("chain-first"), site.pipeline("chain-second")
    apply_trigger(site, "chain", second, runs={"pipelineRef": {"name": first}})
    wait_for(site, "chain", lambda there: "startTime" in there.get("status", {}), "a Trigger that has begun")

    before = site.wait_for_success(site.run(first))
    run = site.wait_for_success(wait_until_fired(site, "chain")["status"]["lastRun"])
    assert run["spec"]["pipelineRef"]["name"] == second
    assert run["spec"]["trigger"]["event"]["id"] == before["metadata"]["uid"]
    assert runs_of(site, "chain") == [run["metadata"]["name"]]


def test_triggers_in_a_circle_are_refused(site: Site) -> None:
    one, other = "circle-one", "circle-other"  # the Pipelines need not be there
    apply_trigger(site, "forth", other, runs={"pipelineRef": {"name": one}})
    apply_trigger(site, "back", one, runs={"pipelineRef": {"name": other}})

    for name in ("forth", "back"):
        wait_for(site, name, lambda there: condition(there).get("reason") == "Loop", "a loop that is refused")


def test_a_trigger_that_stops_is_told_of_by_a_job_of_its_own(site: Site) -> None:
    pipeline = site.pipeline("stops", notifications=[{"name": "team", "url": {"secretName": "never-there"}}])
    moment = write_time(datetime.now(UTC) + timedelta(seconds=5))
    schedule, without_tables = {"moments": [moment]}, {"jobs": [{"name": "training"}]}
    apply_trigger(site, "stops", pipeline, schedule=schedule, failureLimit=1, run=without_tables)

    def is_settled(there: Object) -> bool:
        events = there.get("status", {}).get("notifications", [])
        return bool(events) and all(each["state"] != "Pending" for each in events[0]["deliveries"])

    stopped = wait_for(site, "stops", is_settled, "a Trigger of whose stop somebody is told, or not")
    (event,) = stopped["status"]["notifications"]
    assert ready(site, "stops") == ("False", "FailureLimit")
    assert (event["event"], event["reason"]) == ("TriggerStopped", "FailureLimit")
    assert event["run"] == stopped["status"]["lastRun"]
    assert event["deliveries"] == [{"name": "team", "state": "Refused"}]  # by the pod: the Secret is not there


def apply_trigger(site: Site, name: str, pipeline: str, **spec: Any) -> None:
    """Apply a Trigger whose runs make the tables of the Pipeline, and no more."""
    manifest: Object = {
        "apiVersion": TRIGGERS.api_version,
        "kind": "Trigger",
        "metadata": {"name": name},
        "spec": {"pipelineRef": {"name": pipeline}, "run": {"jobs": [{"name": "dataset"}]}, **spec},
    }
    site.api.create(manifest, site.namespace)


def rows(first: int) -> str:
    """Return a table of two hundred samples, as CSV."""
    samples = range(first, first + 200)
    lines = (f"{each},{'malignant' if each % 3 else 'benign'},{each * 7 % 31}" for each in samples)
    return "\n".join(["sample,diagnosis,size", *lines])


def put_into_bucket(site: Site, name: str, content: str, folder: Path) -> None:
    """Put a file into the bucket of inputs."""
    (folder / name).write_text(content)
    site.buckets.upload(folder / name, f"{site.namespace}/arriving/{name}")


def put_on_volume(image: str) -> Callable[[Site, str, str, Path], None]:
    """Return what puts a file on the volume, by a pod of that image."""

    def put(site: Site, name: str, content: str, _: Path) -> None:
        pod = f"put-{name.replace('.', '-')}"
        container = {
            "name": "put",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", "-c", PUT, f"/data/rows/{name}", content],
            "securityContext": CONTAINER_SECURITY,
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {**POD_SECURITY, "fsGroup": Pods().group},
            "containers": [container],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIM["metadata"]["name"]}}],
        }
        site.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod}, "spec": spec}, site.namespace)

        def is_put(there: Object) -> bool:
            phase = there.get("status", {}).get("phase")
            assert phase != "Failed", there["status"]
            return bool(phase == "Succeeded")

        site.api.wait_for(PODS, pod, site.namespace, is_put, what=f"{name} on the volume", seconds=SECONDS)

    return put


def look_of(there: Object) -> Object:
    """Return what the Trigger's status says of its last look."""
    look: Object = there.get("status", {}).get("look", {})
    return look


def wait_until_fired(site: Site, name: str, seconds: float = DEADLINE) -> Object:
    """Return the Trigger once it has started one run."""

    def fired(there: Object) -> bool:
        return bool(there.get("status", {}).get("counts", {}).get("fired") == 1)

    return wait_for(site, name, fired, "a Trigger that fired", seconds)


def wait_for(site: Site, name: str, holds: Any, what: str, seconds: float = DEADLINE) -> Object:
    """Return the Trigger once that holds of it."""
    return site.api.wait_for(TRIGGERS, name, site.namespace, holds, what=what, seconds=seconds)


def runs_of(site: Site, trigger: str) -> list[str]:
    """Return the names of the runs that the Trigger made."""
    found = site.api.objects(RUNS, site.namespace, labels=f"{OF_TRIGGER}={trigger}")
    return [each["metadata"]["name"] for each in found]


def ready(site: Site, name: str) -> tuple[str, str]:
    """Return status and reason of the Trigger's `Ready`."""
    found = condition(site.api.get(TRIGGERS, name, site.namespace))
    return found["status"], found["reason"]


def condition(there: Object) -> Object:
    """Return the Trigger's `Ready`; empty where the operator has not seen it yet."""
    conditions = there.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})

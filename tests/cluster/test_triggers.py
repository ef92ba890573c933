"""Triggers on a cluster: a moment makes its run once, and the end of one Pipeline's run starts another's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cluster.kubernetes_api import Object, Resource
from cluster.sites import RUNS, Site
from penstock.decide.times import write_time

TRIGGERS = Resource("penstock.dev/v1alpha1", "triggers")
OF_TRIGGER = "penstock.dev/trigger"


def test_a_moment_a_few_seconds_ahead_makes_its_run_once(site: Site) -> None:
    moment = write_time(datetime.now(UTC) + timedelta(seconds=5))
    apply_trigger(site, "moment", site.pipeline("of-a-moment"), schedule={"moments": [moment]})

    fired = wait_until_fired(site, "moment")
    run = site.wait_for_success(fired["status"]["lastRun"])
    assert run["spec"]["trigger"]["scheduledTime"] == moment
    assert run["metadata"]["ownerReferences"][0]["uid"] == fired["metadata"]["uid"]
    assert runs_of(site, "moment") == [run["metadata"]["name"]]
    assert ready(site, "moment") == ("True", "NoMoreMoments")


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


def apply_trigger(site: Site, name: str, pipeline: str, **spec: Any) -> None:
    """Apply a Trigger whose runs make the tables of the Pipeline, and no more."""
    manifest: Object = {
        "apiVersion": TRIGGERS.api_version,
        "kind": "Trigger",
        "metadata": {"name": name},
        "spec": {"pipelineRef": {"name": pipeline}, "run": {"jobs": [{"name": "dataset"}]}, **spec},
    }
    site.api.create(manifest, site.namespace)


def wait_until_fired(site: Site, name: str) -> Object:
    """Return the Trigger once it has started one run."""

    def fired(there: Object) -> bool:
        return bool(there.get("status", {}).get("counts", {}).get("fired") == 1)

    return wait_for(site, name, fired, "a Trigger that fired")


def wait_for(site: Site, name: str, holds: Any, what: str) -> Object:
    """Return the Trigger once that holds of it."""
    return site.api.wait_for(TRIGGERS, name, site.namespace, holds, what=what)


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

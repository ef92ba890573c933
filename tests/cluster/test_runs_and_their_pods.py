"""What is in a run's pods: what the Pipeline asks for, laid over what must hold; and no credential beyond its job's."""

import json
from typing import Any

import pytest

from cluster.hand_made_runs import INPUTS, READER, WRITER
from cluster.kubernetes_api import CONFIG_MAPS, Object
from cluster.sites import Site

STEPS = ("dataset", "training", "testing")
MODELS_READER, MODELS_WRITER = "models-read", "models-write"
# What a process of the job's own container finds around itself; it ends there, and the run with it.
LOOK = """
import json, os, pathlib
def writable(folder):
    try:
        pathlib.Path(folder, "probe").touch()
        return True
    except OSError:
        return False
said = {
    "environment": os.environ.get("GREETING"),
    "file": pathlib.Path("/extra/greeting").read_text(),
    "token": pathlib.Path("/var/run/secrets/kubernetes.io").exists(),
    "root": os.getuid() == 0,
    "writable": [folder for folder in ("/", "/opt", "/tmp", "/extra", "/roomy") if writable(folder)],
    "credentials": sorted(str(each) for each in pathlib.Path("/var/run/penstock/credentials").glob("*/*")),
}
pathlib.Path("/dev/termination-log").write_text("Looked around: " + json.dumps(said))
raise SystemExit(2)
"""


@pytest.fixture(scope="module")
def looked_around(site: Site) -> tuple[Object, Any]:
    """The pod of a dataset job with much in its podTemplate, and what a process in it found."""
    greeting: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "greeting"}}
    site.api.create(greeting | {"data": {"greeting": "good morning"}}, site.namespace)
    template = {
        "metadata": {"annotations": {"example.com/owner": "team"}},
        "spec": {
            "volumes": [{"name": "extra", "configMap": {"name": "greeting"}}, {"name": "roomy", "emptyDir": {}}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": on_any_real_node()}},
            "containers": [
                {
                    "name": "job",
                    "command": ["python", "-c", LOOK],
                    "volumeMounts": [
                        {"name": "extra", "mountPath": "/extra"},
                        {"name": "roomy", "mountPath": "/roomy"},
                    ],
                    "resources": {"limits": {"ephemeral-storage": "1Gi"}},
                }
            ],
        },
    }
    settings = {
        "podTemplate": template,
        "env": [{"name": "GREETING", "value": "good evening"}],
        "resources": {"requests": {"memory": "64Mi"}},
    }
    run = site.run(site.pipeline("looking", jobs__dataset=settings))
    reason, sentence = site.wait_for_failure(run)
    assert reason == "Failed", sentence
    (pod,) = site.pods(run)
    return pod, json.loads(sentence.partition("Looked around: ")[2])


def on_any_real_node() -> Object:
    linux = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
    return {"nodeSelectorTerms": [{"matchExpressions": [linux]}]}


def test_environment_and_volumes_of_the_pipeline_are_there_for_the_job(looked_around: tuple[Object, Any]) -> None:
    _, said = looked_around

    assert (said["environment"], said["file"]) == ("good evening", "good morning")


def test_a_job_has_no_token_of_the_api_and_is_not_root_and_writes_only_where_it_is_given_room(
    looked_around: tuple[Object, Any],
) -> None:
    _, said = looked_around

    assert said["token"] is False
    assert said["root"] is False
    assert said["writable"] == ["/tmp", "/roomy"]


def test_a_pod_template_is_merged_with_what_the_settings_say(looked_around: tuple[Object, Any]) -> None:
    pod, _ = looked_around
    (container,) = pod["spec"]["containers"]

    assert pod["metadata"]["annotations"]["example.com/owner"] == "team"
    assert pod["metadata"]["labels"]["penstock.dev/step"] == "dataset"
    assert container["resources"]["requests"]["memory"] == "64Mi"
    assert container["resources"]["limits"]["ephemeral-storage"] == "1Gi"
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert required == on_any_real_node()


def test_a_dataset_job_holds_the_credentials_of_its_inputs_and_of_its_storage(
    looked_around: tuple[Object, Any],
) -> None:
    _, said = looked_around
    folder = "/var/run/penstock/credentials"

    assert said["credentials"] == [f"{folder}/inputs.samples/{INPUTS}", f"{folder}/write/{WRITER}"]


def test_each_job_mounts_the_credentials_of_what_it_reads_or_writes_and_no_other(site: Site) -> None:
    server = site.buckets.server
    site.api.create(server.reader.secret(MODELS_READER, site.namespace))
    site.api.create(server.writer.secret(MODELS_WRITER, site.namespace))
    manifest = site.manifest("apart")
    own: Object = {"read": {"secretName": MODELS_READER}, "write": {"secretName": MODELS_WRITER}}
    s3 = manifest["spec"]["storage"]["s3"] | {"prefix": f"{site.namespace}/apart-models"}
    site.pipeline("apart", models__storage={"s3": s3, "credentials": own})
    run = site.run("apart", *STEPS)
    site.wait_for_success(run)

    assert {step: secrets_of(site, run, step) for step in STEPS} == {
        "dataset": {INPUTS, WRITER},
        "training": {READER, WRITER, MODELS_WRITER},
        "testing": {READER, WRITER, MODELS_READER},
    }


def secrets_of(site: Site, run: str, step: str) -> set[str]:
    (pod,) = site.pods(run, step)
    return {each["secret"]["secretName"] for each in pod["spec"]["volumes"] if "secret" in each}


def test_a_runtime_class_that_is_not_there_holds_the_run_up_and_is_named(site: Site) -> None:
    run = site.run(site.pipeline("other-runtime", jobs__dataset={"runtimeClassName": "nobody-made-this"}))

    assert 'RuntimeClass "nobody-made-this" not found' in site.wait_for_reason(run, "Forbidden")
    site.cancel(run)


@pytest.mark.parametrize(
    ("name", "template", "field"),
    [
        ("host", {"hostNetwork": True}, "hostNetwork"),
        ("node-files", {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "volumes[x].hostPath"),
        ("token", {"automountServiceAccountToken": True}, "automountServiceAccountToken"),
        (
            "root",
            {"containers": [{"name": "job", "securityContext": {"runAsUser": 0}}]},
            "containers[job].securityContext.runAsUser",
        ),
    ],
)
def test_a_pod_template_that_breaks_what_must_hold_is_refused_by_its_field(
    site: Site, name: str, template: Object, field: str
) -> None:
    run = site.run(site.pipeline(name, jobs__dataset={"podTemplate": {"spec": template}}))
    reason, sentence = site.wait_for_failure(run)

    assert reason == "Refused"
    assert f"spec.jobs[dataset].podTemplate.spec.{field}" in sentence
    assert site.jobs(run) == []


def test_what_a_job_is_asked_holds_no_credential(site: Site, looked_around: tuple[Object, Any]) -> None:
    secret = site.buckets.server.writer.secret_key

    assert looked_around
    assert all(secret not in json.dumps(each) for each in site.api.objects(CONFIG_MAPS, site.namespace))

"""`podTemplate`: all of a pod can be said, and nothing that takes a pod out of `restricted`, or gives it a token."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.api.jobs import EnvironmentVariable, JobSettings
from penstock.decide.objects.children import Object
from penstock.decide.objects.job import StepJob, job
from penstock_jobs.contract.errors import Refused
from unit.objects.examples_of_objects import IMAGE, OWNER, for_dataset, spec_of
from unit.objects.pod_security import violations

CONTAINER: dict[str, list[dict[str, Any]]] = {
    "privileged": [{"securityContext": {"privileged": True}}],
    "escalation": [{"securityContext": {"allowPrivilegeEscalation": True}}, {"securityContext": None}],
    "capabilities": [
        {"securityContext": {"capabilities": {"drop": []}}},
        {"securityContext": {"capabilities": {"add": ["SYS_ADMIN", "NET_BIND_SERVICE"]}}},
        {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}},
        {"securityContext": {"capabilities": None}},
    ],
    "user": [
        {"securityContext": {"runAsUser": 0}},
        {"securityContext": {"runAsUser": 1000}},
        {"securityContext": {"runAsNonRoot": False}},
    ],
    "profiles": [
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
        {"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}}},
        {"securityContext": {"procMount": "Unmasked"}},
        {"securityContext": {"seLinuxOptions": {"user": "root"}}},
        {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
    ],
    "network": [{"ports": [{"containerPort": 80, "hostPort": 80}]}, {"ports": [{"containerPort": 80}]}],
    "probes": [{"livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 80}}}],
    "words": [{"env": [{"name": "A", "value": "1"}]}, {"workingDir": "/tmp"}],
}
POD: list[dict[str, Any]] = [
    {"hostNetwork": True},
    {"hostPID": True},
    {"hostIPC": False},
    {"automountServiceAccountToken": True},
    {"automountServiceAccountToken": None},
    {"restartPolicy": "Always"},
    {"securityContext": {"runAsNonRoot": False}},
    {"securityContext": {"runAsUser": 0}},
    {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
    {"securityContext": {"seccompProfile": None}},
    {"securityContext": None},
    {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
    {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]},
    {"volumes": [{"name": "scratch", "emptyDir": None, "hostPath": {"path": "/"}}]},
    {"volumes": [{"name": "fast", "ephemeral": {}}]},
    {"volumes": [{"name": "nfs", "nfs": {"server": "a", "path": "/"}}]},
    {"volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]},
    {"affinity": {"nodeAffinity": {}}},
    {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]},
    {"initContainers": [{"name": "more", "image": "busybox"}]},
]
NAMES = ["spec", "metadata", "containers", "volumes", "securityContext", "name", "env", "tolerations", "projected"]
NAMES += ["capabilities", "drop", "sysctls", "ports", "emptyDir", "labels", "initContainers", "sources", "lifecycle"]
containers = st.builds(
    lambda name, parts: {"name": name, **{key: value for part in parts.values() for key, value in part.items()}},
    st.sampled_from(["job", "beside"]),
    st.fixed_dictionaries({name: st.sampled_from([{}, *fragments]) for name, fragments in CONTAINER.items()}),
)
templates = st.builds(
    lambda parts, listed, init: {
        "spec": {
            **{key: value for part in parts for key, value in part.items()},
            **({"containers": listed} if listed else {}),
            **({"initContainers": init} if init else {}),
        }
    },
    st.lists(st.sampled_from(POD), max_size=3),
    st.lists(containers, max_size=2),
    st.lists(containers, max_size=1),
)


def made(template: dict[str, Any]) -> Object:
    step = StepJob(OWNER, "dataset", for_dataset(spec_of()), JobSettings(pod_template=template), IMAGE)
    content: Object = job(step)["spec"]["template"]
    return content


@settings(deadline=None, max_examples=150)
@given(templates)
def test_whatever_is_laid_over_it_a_pod_is_restricted_or_refused(template: dict[str, Any]) -> None:
    try:
        spec = made(template)["spec"]
    except Refused:
        return
    assert list(violations(spec)) == []
    assert spec["automountServiceAccountToken"] is False
    assert "serviceAccountToken" not in msgspec.json.encode(spec.get("volumes", [])).decode()
    assert spec["restartPolicy"] == "Never"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (
            {"hostNetwork": True},
            "hostNetwork shares the node's own with the pod, which Penstock's pods may not; remove it.",
        ),
        (
            {"automountServiceAccountToken": True},
            "automountServiceAccountToken would give the job a token of the API; remove it.",
        ),
        (
            {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]},
            "volumes[node].hostPath is a kind of volume that Penstock's pods may not have; use another.",
        ),
        (
            {"containers": [{"name": "job", "securityContext": {"privileged": True}}]},
            "containers[job].securityContext.privileged gives the container the node; remove it.",
        ),
        (
            {"containers": [{"name": "job", "securityContext": {"runAsUser": 0}}]},
            "containers[job].securityContext.runAsUser may not be 0, which is root; name another user.",
        ),
        (
            {"containers": [{"name": "job", "terminationMessagePolicy": "FallbackToLogsOnError"}]},
            "containers[job].terminationMessagePolicy is how the job's result is read; remove it.",
        ),
        (
            {"serviceAccountName": "admin"},
            "serviceAccountName has a field of the job's own; use serviceAccountName there.",
        ),
        ({"restartPolicy": "OnFailure"}, "restartPolicy is Penstock's own, which counts the attempts; remove it."),
    ],
)
def test_what_it_may_not_say_is_refused_with_its_field(template: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        made({"spec": template})

    assert str(refused.value) == f"spec.jobs[dataset].podTemplate.spec.{sentence}"


def test_lists_are_merged_by_name_and_a_container_beside_ours_is_restricted_too() -> None:
    pod = made(
        {
            "spec": {
                "containers": [
                    {"name": "job", "env": [{"name": "HOME", "value": "/home"}], "workingDir": "/tmp"},
                    {"name": "beside", "image": "busybox"},
                ],
                "volumes": [{"name": "cache", "emptyDir": {}}],
            }
        }
    )["spec"]
    ours, beside = pod["containers"]

    assert {each["name"]: each["value"] for each in ours["env"]}["HOME"] == "/home"
    assert ours["image"] == IMAGE
    assert beside["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert [each["name"] for each in pod["volumes"]][:2] == ["scratch", "specification"]
    assert pod["volumes"][-1] == {"name": "cache", "emptyDir": {}}


json = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 1) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES[:2]), json, max_size=2))
def test_what_is_no_template_at_all_is_refused_and_never_a_crash(template: dict[str, Any]) -> None:
    try:
        spec = made(template)["spec"]
    except Refused:
        return
    assert list(violations(spec)) == []


def test_a_null_takes_a_field_away() -> None:
    assert "terminationGracePeriodSeconds" not in made({"spec": {"terminationGracePeriodSeconds": None}})["spec"]


def test_labels_by_which_a_pod_is_found_stay_ours() -> None:
    labels = made({"metadata": {"labels": {"team": "ml", "penstock.dev/run": "another"}}})["metadata"]["labels"]

    assert (labels["team"], labels["penstock.dev/run"]) == ("ml", OWNER.name)


def test_a_finalizer_is_refused() -> None:
    with pytest.raises(Refused, match=r"podTemplate.metadata.finalizers is not for a pod of a Job"):
        made({"metadata": {"finalizers": ["example.com/wait"]}})


def test_a_directive_of_a_patch_is_refused() -> None:
    with pytest.raises(Refused, match=r"podTemplate.spec.containers\[0\].\$patch is a directive"):
        made({"spec": {"containers": [{"name": "job", "$patch": "delete"}]}})


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PYTHONPATH", "GIT_SSH_COMMAND", "PATH", "JOB_COMPLETION_INDEX"])
def test_what_decides_which_code_a_job_runs_is_set_by_no_template(name: str) -> None:
    variable = {"name": name, "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}

    with pytest.raises(Refused, match=rf"podTemplate.spec.containers\[job\].env\[{name}\]: Nobody may set"):
        made({"spec": {"containers": [{"name": "job", "env": [variable]}]}})
    assert made({"spec": {"initContainers": [{"name": "own", "image": "a", "env": [{"name": name, "value": "b"}]}]}})


def test_variables_whose_names_others_choose_are_refused() -> None:
    source = {"configMapRef": {"name": "anybodys"}}

    with pytest.raises(Refused, match=r"containers\[job\].envFrom sets variables whose names others choose"):
        made({"spec": {"containers": [{"name": "job", "envFrom": [source]}]}})


def test_a_name_that_was_there_before_the_rule_is_refused_by_the_operator_too() -> None:
    settings = JobSettings(env=(EnvironmentVariable(name="LD_PRELOAD", value="/volumes/data/a.so"),))

    with pytest.raises(Refused, match=r"^spec.jobs\[dataset\].env\[LD_PRELOAD\]: Nobody may set this variable"):
        job(StepJob(OWNER, "dataset", for_dataset(spec_of()), settings, IMAGE))

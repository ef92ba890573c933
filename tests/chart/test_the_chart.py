"""The chart: what helm makes of it, before any cluster sees it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
import yaml

from chart.helm_program import CHART, ChartObjects, HelmError, helm, render_chart
from penstock.act import chart
from penstock.act.settings import OperatorSettings, read_settings
from penstock.api.credentials import SecretKey, SecretReference
from penstock.api.model import ModelSpec
from penstock.api.override_rights import path_pattern
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRunSpec
from penstock.api.schema import JOBS
from penstock.api.trigger import TriggerSpec
from penstock.decide.events.limits import Limits
from penstock.receiver.settings import ReceiverSettings
from penstock.receiver.settings import read_settings as read_receiver_settings
from unit.objects.pod_security import violations

GOLDEN = Path(__file__).parent / "golden"
CRDS = Path(__file__).parents[2] / "crds"
MANY: dict[str, Any] = {
    "registry": "registry.example/team/",
    "replicas": 2,
    "namespaces": ["team-a", "team-b"],
    "images__jobs__digest": f"sha256:{'0f' * 32}",
    "imagePullSecrets": [{"name": "registry"}],
    "settings__storage": {"s3": {"bucket": "all", "endpoint": "http://s3.data:9000"}},
    "settings__profiles": {"gpu-large": {"gpu": {"count": 2}, "nodeSelector": {"nvidia.com/gpu.present": "true"}}},
    "settings__notifications": [{"name": "platform", "url": {"secretName": "events"}, "events": ["RunFailed"]}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "podLabels": {"team": "platform"},
}


RECEIVER: dict[str, Any] = {
    "receiver__enabled": True,
    "receiver__replicas": 2,
    "receiver__tls__secretName": "receiver-tls",
    "receiver__keys__secretName": "receiver-keys",
    "receiver__limits__pending": 10_000,
    "receiver__service__type": "LoadBalancer",
}


def assert_golden(name: str, made: ChartObjects) -> None:
    objects = [each for each in made.objects if each["kind"] != "CustomResourceDefinition"]
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("PENSTOCK_GOLDEN") == "write":
        path.write_text(yaml.safe_dump_all(objects, sort_keys=False, width=120), "utf-8")
    assert list(yaml.safe_load_all(path.read_text("utf-8"))) == objects


def test_what_an_installation_without_any_values_is() -> None:
    assert_golden("default", render_chart())


def test_what_an_installation_with_many_values_is() -> None:
    assert_golden("many", render_chart(**MANY))


def test_what_an_installation_with_the_receiver_is() -> None:
    plain, made = render_chart().objects, render_chart(**RECEIVER).objects

    more = [each for each in made if each not in plain and each["kind"] != "ValidatingAdmissionPolicy"]
    assert_golden("receiver", ChartObjects(tuple(more)))


def test_helm_finds_nothing_wrong_with_it() -> None:
    assert "0 chart(s) failed" in helm("lint", str(CHART), "--kube-version", "1.34.0", "--strict")


# --- settings ---


@pytest.mark.parametrize("values", [{}, MANY])
def test_the_operator_reads_the_settings_that_the_chart_writes(values: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(render_chart(**values).one("ConfigMap")["data"]["settings.yaml"], "utf-8")

    settings = read_settings(file)

    assert settings.namespaces == tuple(values.get("namespaces", ()))
    assert settings.lease is not None, "one replica holds a Lease too: a lost node may still have another"
    assert settings.pods.image_pull_policy == "IfNotPresent"


def test_images_have_the_registry_before_them_and_the_charts_version_after() -> None:
    settings = yaml.safe_load(render_chart(**MANY).one("ConfigMap")["data"]["settings.yaml"])

    assert settings["images"] == {
        "jobs": f"registry.example/team/penstock/jobs@sha256:{'0f' * 32}",
        "torch": "registry.example/team/penstock/torch:0.1.0",
        "serving": "registry.example/team/penstock/serving:0.1.0",
        "source": "registry.example/team/penstock/source:0.1.0",
    }


def test_an_operator_is_started_anew_when_its_settings_change() -> None:
    def checksum(made: ChartObjects) -> str:
        found: str = made.one("Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
        return found

    assert checksum(render_chart()) != checksum(render_chart(settings__workers=4))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replica": 2}, "additional properties 'replica' not allowed"),
        ({"settings__profiles": {"big": {"gpu": {"cout": 2}}}}, "additional properties 'cout' not allowed"),
        ({"settings__defaults": {"timeout": "never"}}, "'never' does not match pattern"),
        ({"settings__notifications": [{"name": "x", "url": "https://hook"}]}, "want object"),
        ({"images__jobs__digest": "latest"}, "'latest' does not match pattern"),
        ({"namespaces": ["Team"]}, "'Team' does not match pattern"),
    ],
)
def test_a_mistake_in_the_values_is_refused_by_helm(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(HelmError) as refused:
        render_chart(**values)

    assert sentence in str(refused.value)


def test_the_schema_of_the_values_is_that_of_the_types() -> None:
    there = json.loads((CHART / "values.schema.json").read_text("utf-8"))

    assert there == chart.schema(), "write it anew: python -m penstock.act.chart helm/penstock/values.schema.json"


def test_every_setting_of_the_operator_can_be_said_or_follows_from_what_is() -> None:
    follows = {"images", "namespaces", "port", "lease", "rights_checked"}

    assert set(OperatorSettings.__struct_fields__) == set(chart.ChartSettings.__struct_fields__) | follows


def test_the_values_that_the_chart_comes_with_are_those_of_the_types() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))

    assert set(values) | {"global"} == set(chart.schema()["$defs"]["Values"]["properties"])
    assert msgspec.convert(values, chart.Values).settings.workers == OperatorSettings().workers


# --- CRDs ---


def test_crds_are_those_of_the_types_and_stay_when_the_release_goes() -> None:
    made = {each["metadata"]["name"]: each for each in render_chart().all("CustomResourceDefinition")}

    for file in CRDS.glob("*.yaml"):
        crd = yaml.safe_load(file.read_text("utf-8"))
        crd["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
        assert made[crd["metadata"]["name"]] == crd
    assert len(made) == 4


def test_crds_can_be_left_to_somebody_else() -> None:
    assert render_chart(crds__install=False).all("CustomResourceDefinition") == []


# --- rights ---


@pytest.mark.parametrize("values", [{}, MANY, RECEIVER])
def test_no_right_is_to_secrets_or_to_everything(values: dict[str, Any]) -> None:
    for role in render_chart(**values).all("Role", "ClusterRole"):
        for rule in role["rules"]:
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not {"secrets", "serviceaccounts", "pods/exec"} & set(rule["resources"])
            assert not {"impersonate", "escalate", "bind"} & set(rule["verbs"])


def test_nobody_who_looks_after_it_can_change_a_spec_of_a_user() -> None:
    rules = render_chart().one("ClusterRole", "penstock")["rules"]
    ours = [rule for rule in rules if rule["apiGroups"] == ["penstock.dev"]]

    for rule in ours:
        if set(rule["resources"]) & {"pipelines", "triggers"}:
            assert not {"update", "patch"} & set(rule["verbs"])


def test_of_a_run_it_can_change_what_anybody_can_and_nothing_else() -> None:
    """It lets runs of Triggers begin, and cancels them; the definition itself forbids every other change of a run."""
    rules = render_chart().one("ClusterRole", "penstock")["rules"]
    [rule] = [rule for rule in rules if "pipelineruns" in rule["resources"]]
    assert {"update", "patch"} & set(rule["verbs"]) == {"patch"}

    changeable = set(PipelineRunSpec.__struct_encode_fields__) - {
        each.field.strip(".") for each in PipelineRunSpec.rules if each.field and "oldSelf" in each.rule
    }
    assert changeable <= {"suspend"}


def test_an_operator_of_some_namespaces_has_rights_in_these_alone() -> None:
    made = render_chart(**MANY, aggregateRoles=False)

    [everywhere] = made.all("ClusterRole")  # to look at two definitions by name, and nothing else
    [rule] = everywhere["rules"]
    assert (rule["resources"], rule["verbs"]) == (["customresourcedefinitions"], ["get"])
    assert rule["resourceNames"] == ["models.penstock.dev", "pipelineruns.penstock.dev"]
    assert {each["metadata"]["namespace"] for each in made.all("Role")} == {"team-a", "team-b", "penstock-system"}


# --- pods ---


@pytest.mark.parametrize("values", [{}, MANY, RECEIVER])
def test_its_own_pods_are_restricted_and_their_files_cannot_be_written(values: dict[str, Any]) -> None:
    made = render_chart(**values)
    pods = [each["spec"]["template"]["spec"] for each in made.all("Deployment")] + [made.one("Pod")["spec"]]

    for pod in pods:
        assert list(violations(pod)) == []
        assert all(each["securityContext"]["readOnlyRootFilesystem"] for each in pod["containers"])


def test_one_operator_is_gone_before_the_next_comes_and_however_many_agree_by_a_lease() -> None:
    assert render_chart().one("Deployment")["spec"]["strategy"]["type"] == "Recreate"
    assert render_chart(replicas=2).one("Deployment")["spec"]["strategy"]["type"] == "RollingUpdate"
    for replicas in (1, 2):
        role = render_chart(replicas=replicas).one("Role", "penstock-lease")
        assert role["rules"][1]["resourceNames"] == ["penstock"]


# --- the receiver of events ---


def test_the_receiver_reads_the_settings_that_the_chart_writes(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    made = render_chart(**RECEIVER, namespaces=["team-a"], receiver__audience="events.example")
    file.write_text(made.one("ConfigMap", "penstock-receiver")["data"]["settings.yaml"], "utf-8")

    settings = read_receiver_settings(file)

    assert settings.limits == Limits(pending=10_000)
    assert (settings.namespaces, settings.audience) == (("team-a",), "events.example")
    pod = made.one("Deployment", "penstock-receiver")["spec"]["template"]["spec"]
    mounts = {each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert {settings.certificates, settings.keys} < mounts


def test_the_values_of_its_limits_are_those_of_the_types() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["receiver"]

    assert msgspec.convert(values["limits"], Limits) == Limits()
    assert set(values["limits"]) == set(Limits.__struct_encode_fields__)
    assert values["audience"] == ReceiverSettings().audience


def test_no_service_or_deployment_of_the_operator_selects_the_receiver() -> None:
    made = render_chart(**RECEIVER)

    for name, other in (("penstock", "penstock-receiver"), ("penstock-receiver", "penstock")):
        labels = made.one("Deployment", other)["spec"]["template"]["metadata"]["labels"]
        selectors = made.one("Service", name)["spec"]["selector"], made.one("Deployment", name)["spec"]["selector"]
        for selector in (selectors[0], selectors[1]["matchLabels"]):
            assert not selector.items() <= labels.items()


def test_the_receiver_changes_nothing_and_makes_only_runs_and_events() -> None:
    rules = render_chart(**RECEIVER).one("ClusterRole", "penstock-receiver")["rules"]
    writes = {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}

    assert {each for each in writes if each[1] not in ("get", "list", "watch")} == {
        ("tokenreviews", "create"),
        ("subjectaccessreviews", "create"),
        ("pipelineruns", "create"),
        ("events", "create"),
    }


def test_a_receiver_of_some_namespaces_has_rights_in_these_alone() -> None:
    made = render_chart(**RECEIVER, namespaces=["team-a", "team-b"])

    everywhere = made.one("ClusterRole", "penstock-receiver")["rules"]
    assert [rule["resources"] for rule in everywhere] == [["tokenreviews"], ["subjectaccessreviews"]]
    roles = [each for each in made.all("Role") if each["metadata"]["name"] == "penstock-receiver"]
    assert {each["metadata"]["namespace"] for each in roles} == {"team-a", "team-b"}


def test_a_receiver_without_a_certificate_has_to_be_asked_for() -> None:
    with pytest.raises(HelmError, match=r"receiver\.tls\.secretName is empty; name a Secret"):
        render_chart(receiver__enabled=True)
    made = render_chart(receiver__enabled=True, receiver__tls__enabled=False)

    assert "certificates" not in made.one("ConfigMap", "penstock-receiver")["data"]["settings.yaml"]


def test_the_runs_of_the_receiver_are_not_asked_for_rights_that_the_author_of_the_trigger_had() -> None:
    for policy in render_chart(**RECEIVER).all("ValidatingAdmissionPolicy"):
        if {"rights", "overrides"} & set(policy["metadata"]["name"].split("-")):
            conditions = " ".join(each["expression"] for each in policy["spec"]["matchConditions"])
            assert '"system:serviceaccount:penstock-system:penstock-receiver"' in conditions


def test_whoever_edits_a_namespace_may_let_a_caller_bring_events() -> None:
    rules = render_chart().one("ClusterRole", "penstock-edit")["rules"]

    assert {"apiGroups": ["penstock.dev"], "resources": ["triggers/events"], "verbs": ["create"]} in rules


# --- policies ---


def secret_paths(kind: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each field, of a type, that names a Secret or a service account."""
    for name, hint in get_type_hints(kind, include_extras=False).items():
        field = (
            kind.__struct_encode_fields__[kind.__struct_fields__.index(name)] if name in kind.__struct_fields__ else ""
        )
        if not field:
            continue
        if field in ("imagePullSecrets", "serviceAccountName", "podTemplate"):
            yield f"{path}.{field}"
        for each in _structs(hint):
            if each in (SecretKey, SecretReference):
                yield f"{path}.{field}"
            else:
                yield from secret_paths(each, f"{path}.{field}")


def _structs(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for each in get_args(hint):
        yield from _structs(each)


def of_jobs(field: str) -> list[str]:
    """Return how a policy looks at a field of each job; CEL cannot make one list of several, so those one by one."""
    if field == "imagePullSecrets":
        return [f"object.spec.jobs[{index}].{field}" for index in range(len(JOBS))]
    path = f"job.{field}.spec" if field == "podTemplate" else f"job.{field}"
    return [f"has({path})).map(job,{path})"]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [("pipelines", PipelineSpec), ("pipelineruns", PipelineRunSpec), ("triggers", TriggerSpec), ("models", ModelSpec)],
)
def test_each_field_that_names_a_secret_or_a_service_account_is_asked_about(resource: str, kind: Any) -> None:
    policy = render_chart().one("ValidatingAdmissionPolicy", f"penstock-rights-{resource}")
    text = re.sub(r"\?|\s", "", " ".join(each["expression"] for each in policy["spec"]["variables"]))
    paths = sorted(set(secret_paths(kind)))

    assert paths
    for path in paths:
        if path.startswith(".jobs."):
            assert all(each in text for each in of_jobs(path.removeprefix(".jobs."))), (
                f"no policy asks about spec{path}"
            )
            continue
        listed = re.sub(r"\.(inputs|notifications)\.(credentials|secret|url)$", r".\1.orValue([])", path)
        assert f"object.spec{listed}" in text, f"no policy asks about spec{path}"


@pytest.mark.parametrize("resource", ["pipelineruns", "triggers"])
def test_whatever_is_not_listed_for_every_run_is_asked_about_by_the_right_to_update_the_pipeline(resource: str) -> None:
    policy = render_chart().one("ValidatingAdmissionPolicy", f"penstock-overrides-{resource}")
    (variable,), (asked,) = policy["spec"]["variables"], policy["spec"]["validations"]

    assert variable["expression"].endswith(f".filter(path, !path.matches('{path_pattern('Run')}'))")
    assert 'resource("pipelines")' in asked["expression"]
    assert asked["expression"].endswith('.name(object.spec.pipelineRef.name).check("update").allowed()')


@pytest.mark.parametrize("enabled", [True, False])
def test_the_operator_knows_whether_the_policies_ask_for_rights(enabled: bool) -> None:
    made = render_chart(admissionPolicies__enabled=enabled)

    assert yaml.safe_load(made.one("ConfigMap", "penstock")["data"]["settings.yaml"])["rightsChecked"] is enabled


def test_the_operator_and_the_receiver_alone_are_not_asked_for_the_right_to_make_runs_of_a_trigger() -> None:
    policy = render_chart(**RECEIVER).one("ValidatingAdmissionPolicy", "penstock-runs-of-triggers")
    exempt = [each["expression"] for each in policy["spec"]["matchConditions"] if "username" in each["expression"]]

    assert exempt == [
        f'request.userInfo.username != "system:serviceaccount:penstock-system:{name}"'
        for name in ("penstock", "penstock-receiver")
    ]


def test_policies_look_at_the_namespaces_of_the_operator_alone() -> None:
    for binding in render_chart(**MANY).all("ValidatingAdmissionPolicyBinding"):
        (expression,) = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert expression["values"] == ["team-a", "team-b"]


def test_a_person_is_told_when_the_policies_are_off() -> None:
    assert render_chart(admissionPolicies__enabled=False).all("ValidatingAdmissionPolicy") == []

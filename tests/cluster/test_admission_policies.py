"""Nobody reaches through Penstock what they could not reach themselves: the author's own right is asked for."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from cluster.kubernetes_api import ApiRefused, KubernetesApi, Object
from cluster.namespaces import Namespaces
from cluster.policies import by, changed, policies_of_chart, refuse_at_last, rule, said, secret
from plain_manifests import PIPELINE as PLAIN_PIPELINE
from plain_manifests import RUN, TRIGGER

OURS = "penstock.dev"
PIPELINE = changed(changed(PLAIN_PIPELINE, "storage", {"s3": {"bucket": "ml-team"}}), "dataset.key", ["id"])
RIGHTS_OF_ADA = [
    rule(OURS, ["pipelines", "pipelineruns", "triggers"], ["get", "create", "patch"]),
    rule(OURS, ["triggers/events"], ["create"], "hers"),
    rule(OURS, ["pipelines"], ["update"], "hers"),
    rule("", ["persistentvolumeclaims"], ["use"], "mine"),
    rule("", ["secrets"], ["get"], "mine"),
    rule("", ["serviceaccounts"], ["impersonate"], "trainer"),
]


@pytest.fixture(scope="module")
def place(api: KubernetesApi, namespaces: Namespaces, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace under the policies, in which ada may read the Secret mine and act as the service account trainer.

    She may use the claim mine, and update the Pipeline hers.
    """
    with policies_of_chart(api, namespaces, request.node.nodeid, {"ada": RIGHTS_OF_ADA}) as name:
        for each in (
            changed(PIPELINE, "storage.credentials", {"read": secret("theirs")}),
            changed(PIPELINE, "jobs.dataset.podTemplate", {"spec": {"hostNetwork": True}}),
            changed(RUN, "credentials.source", secret("theirs")),
            changed(TRIGGER, "run.credentials.source", secret("theirs")),
            of_trigger(spec=True),
            of_hers(RUN, "storage", {"pvc": {"claimName": "theirs"}}),
            changed(TRIGGER, "run.storage", {"s3": {"bucket": "elsewhere"}}),
        ):
            refuse_at_last(by(api, "ada"), each, name)
        yield name


def of_trigger(*, spec: bool = False, controller: bool = False, name: str = "nightly") -> Object:
    """Return a run that says, in its spec or by its controller, that a Trigger made it."""
    uid = "6c4a1e9e-6f0a-4a4e-9a55-5f0f5b6d2c11"
    made = changed(RUN, "trigger", {"name": name, "uid": uid}) if spec else deepcopy(RUN)
    if controller:
        owner = {"apiVersion": TRIGGER["apiVersion"], "kind": "Trigger", "name": name, "uid": uid, "controller": True}
        made["metadata"]["ownerReferences"] = [owner]
    return made


def of_hers(manifest: Object, path: str, value: Any) -> Object:
    """Return the run or Trigger, of the Pipeline that ada may update, with a field of its spec set."""
    return changed(changed(manifest, "pipelineRef", {"name": "hers"}), path, value)


RUN_OF_HERS, TRIGGER_OF_HERS = (changed(each, "pipelineRef", {"name": "hers"}) for each in (RUN, TRIGGER))
SECRETS: list[tuple[Object, str, Any]] = [
    (PIPELINE, "storage.credentials", {"read": secret("NAME")}),
    (PIPELINE, "storage.credentials", {"read": secret("mine"), "write": secret("NAME")}),
    (PIPELINE, "models.storage", {"s3": {"bucket": "models"}, "credentials": {"write": secret("NAME")}}),
    (PIPELINE, "source", {"git": {"url": "https://git.example/ml.git", "credentials": secret("NAME")}}),
    (PIPELINE, "dataset.inputs", [{"name": "rows", "uri": "s3://lake/rows.parquet", "credentials": secret("NAME")}]),
    (PIPELINE, "jobs.testing.imagePullSecrets", [{"name": "NAME"}]),
    (PIPELINE, "notifications", [{"name": "team", "url": secret("NAME")}]),
    (RUN_OF_HERS, "storage", {"s3": {"bucket": "elsewhere"}, "credentials": {"read": secret("NAME")}}),
    (RUN, "credentials.inputs", [{"name": "rows", "secret": secret("NAME")}]),
    (RUN, "credentials.source", secret("NAME")),
    (TRIGGER_OF_HERS, "run.storage", {"s3": {"bucket": "elsewhere"}, "credentials": {"read": secret("NAME")}}),
    (TRIGGER, "run.credentials.inputs", [{"name": "rows", "secret": secret("NAME")}]),
]


def filled(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(each, name) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, name) for each in value]
    return value.replace("NAME", name) if isinstance(value, str) else value


@pytest.mark.parametrize(("manifest", "path", "value"), SECRETS)
def test_a_secret_that_its_author_may_not_read_is_refused(
    api: KubernetesApi, place: str, manifest: Object, path: str, value: Any
) -> None:
    theirs = said(by(api, "ada"), changed(manifest, path, filled(value, "theirs")), place)

    assert theirs is not None
    assert theirs.endswith(
        "The Secret theirs is named, and ada may not read it; ask for the right to get it, or name another."
    )
    assert said(by(api, "ada"), changed(manifest, path, filled(value, "mine")), place) is None
    assert said(api, changed(manifest, path, filled(value, "theirs")), place) is None


def test_a_service_account_that_its_author_may_not_act_as_is_refused(api: KubernetesApi, place: str) -> None:
    def named(name: str) -> Object:
        return changed(PIPELINE, "jobs.training.serviceAccountName", name)

    theirs = said(by(api, "ada"), named("admin"), place)

    assert theirs is not None
    assert theirs.endswith(
        "The service account admin is named, and ada may not act as it; ask for the right to impersonate it, or name "
        "another."
    )
    assert said(by(api, "ada"), named("trainer"), place) is None


CLAIMS: list[tuple[Object, str, Any]] = [
    (PIPELINE, "storage", {"pvc": {"claimName": "NAME"}}),
    (PIPELINE, "dataset.inputs", [{"name": "rows", "uri": "pvc://NAME/rows.parquet"}]),
    (RUN_OF_HERS, "storage", {"pvc": {"claimName": "NAME"}}),
    (TRIGGER_OF_HERS, "run.storage", {"pvc": {"claimName": "NAME"}}),
]


@pytest.mark.parametrize(("manifest", "path", "value"), CLAIMS)
def test_a_claim_that_its_author_may_not_mount_is_refused(
    api: KubernetesApi, place: str, manifest: Object, path: str, value: Any
) -> None:
    theirs = said(by(api, "ada"), changed(manifest, path, filled(value, "theirs")), place)

    assert theirs is not None
    assert "The volume claim theirs would be mounted, and ada may neither create pods nor use that claim" in theirs
    assert said(by(api, "ada"), changed(manifest, path, filled(value, "mine")), place) is None
    assert said(api, changed(manifest, path, filled(value, "theirs")), place) is None


@pytest.mark.parametrize(("manifest", "path"), [(RUN, "storage"), (TRIGGER, "run.storage")])
def test_where_a_run_writes_is_said_by_who_may_update_its_pipeline(
    api: KubernetesApi, place: str, manifest: Object, path: str
) -> None:
    elsewhere = {"s3": {"bucket": "elsewhere"}}
    theirs = said(by(api, "ada"), changed(manifest, path, elsewhere), place)

    assert theirs is not None
    assert "data of the Pipeline churn would be written, and ada may not update that Pipeline" in theirs
    assert said(by(api, "ada"), of_hers(manifest, path, elsewhere), place) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"volumes": [{"name": "a", "secret": {"secretName": "mine"}}]},
        {"volumes": [{"name": "a", "projected": {"sources": [{"secret": {"name": "mine"}}]}}]},
        {"volumes": [{"name": "a", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "mine"}}}]},
        {"containers": [{"name": "job", "envFrom": [{"secretRef": {"name": "mine"}}]}]},
        {"initContainers": [{"name": "a", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "mine"}}}]}]},
    ],
)
def test_a_secret_in_a_template_is_for_who_may_read_all_of_them(api: KubernetesApi, place: str, spec: Object) -> None:
    manifest = changed(PIPELINE, "jobs.dataset.podTemplate", {"spec": spec})
    theirs = said(by(api, "ada"), manifest, place)

    assert theirs is not None
    assert "A podTemplate names a Secret, which only who may read all Secrets of the namespace can do" in theirs
    assert said(api, manifest, place) is None


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"hostNetwork": True}, "may not share the node's network"),
        ({"automountServiceAccountToken": True}, "may not give the job a token of the API"),
        ({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, "may have volumes of configMap, csi"),
        (
            {"volumes": [{"name": "a", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            "may not give the job a token of the API",
        ),
        ({"serviceAccountName": "admin"}, "may not name a service account or pull secrets"),
        ({"imagePullSecrets": [{"name": "theirs"}]}, "may not name a service account or pull secrets"),
        ({"containers": [{"name": "job", "securityContext": {"privileged": True}}]}, "may not be privileged"),
        (
            {"containers": [{"name": "job", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]},
            "may add NET_BIND_SERVICE alone",
        ),
        ({"securityContext": {"runAsUser": 0}}, "may not run as root"),
        ({"containers": [{"name": "a", "securityContext": {"runAsNonRoot": False}}]}, "may not run as root"),
        (
            {"containers": [{"name": "a", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}]},
            "keeps the profiles of seccomp",
        ),
        ({"containers": [{"name": "a", "ports": [{"containerPort": 1, "hostPort": 1}]}]}, "a port of the node"),
    ],
)
def test_a_template_that_is_less_than_restricted_is_refused_whoever_applies_it(
    api: KubernetesApi, place: str, spec: Object, sentence: str
) -> None:
    refused = said(api, changed(PIPELINE, "jobs.training.podTemplate", {"spec": spec}), place)

    assert refused is not None
    assert sentence in refused


def test_a_template_that_says_what_it_may_is_accepted(api: KubernetesApi, place: str) -> None:
    spec = {
        "affinity": {"nodeAffinity": {}},
        "securityContext": {"runAsUser": 1000, "fsGroup": 1000},
        "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}],
        "containers": [{"name": "job", "volumeMounts": [{"name": "cache", "mountPath": "/cache"}]}],
    }

    assert said(by(api, "ada"), changed(PIPELINE, "jobs.training.podTemplate", {"spec": spec}), place) is None


def test_who_may_read_all_secrets_may_name_more_than_can_be_asked_about(api: KubernetesApi, place: str) -> None:
    inputs = [
        {"name": f"rows_{number}", "uri": "s3://lake/rows.parquet", "credentials": secret("mine")}
        for number in range(20)
    ]
    manifest = changed(changed(PIPELINE, "dataset.inputs", inputs), "dataset.query", "SELECT * FROM rows_0")
    theirs = said(by(api, "ada"), manifest, place)

    assert said(api, manifest, place) is None
    assert theirs is not None
    assert "More than 16 Secrets are named" in theirs


@pytest.mark.parametrize("made", [of_trigger(spec=True), of_trigger(controller=True)], ids=["spec", "controller"])
def test_nobody_says_that_a_trigger_made_a_run_who_may_not_bring_events_to_it(
    api: KubernetesApi, place: str, made: Object
) -> None:
    theirs = said(by(api, "ada"), made, place)

    assert theirs is not None
    assert theirs.endswith(
        "The run says that the Trigger nightly made it, and ada may not create triggers/events of that name; remove "
        "spec.trigger and that owner, or ask for the right."
    )
    assert said(api, made, place) is None
    assert said(by(api, "ada"), of_trigger(spec=True, controller=True, name="hers"), place) is None
    assert said(by(api, "ada"), RUN, place) is None


def test_a_run_is_not_given_to_a_trigger_by_who_may_not_bring_events_to_it(api: KubernetesApi, place: str) -> None:
    resource = api.resource(api.create(RUN | {"metadata": {"name": "by-ada"}}, place))
    owners = of_trigger(controller=True)["metadata"]["ownerReferences"]

    with pytest.raises(ApiRefused, match="says that the Trigger nightly made it, and ada may not create"):
        by(api, "ada").patch(resource, "by-ada", {"metadata": {"ownerReferences": owners}}, place)

    by(api, "ada").patch(resource, "by-ada", {"metadata": {"labels": {"team": "ml"}}}, place)


def test_a_change_that_leaves_the_spec_alone_asks_for_nothing(api: KubernetesApi, place: str) -> None:
    made = api.create(changed(PIPELINE, "storage.credentials", {"read": secret("theirs")}), place)
    resource = api.resource(made)

    by(api, "ada").patch(resource, "churn", {"metadata": {"labels": {"team": "ml"}}}, place)

    with pytest.raises(ApiRefused, match="The Secret theirs is named, and ada may not read it"):
        by(api, "ada").patch(resource, "churn", {"spec": {"description": "Another."}}, place)

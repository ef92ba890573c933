"""What a run may override of its Pipeline, by whose right: by a run nobody reaches what they could not reach before.

Ada may make runs and Triggers, and nothing more; bob may update the Pipeline churn too, and no other.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from cluster.kubernetes_api import DEADLINE, ApiRefused, KubernetesApi, Object
from cluster.namespaces import Namespaces
from cluster.policies import by, changed, policies_of_chart, refuse_at_last, rule, said, secret
from plain_manifests import RUN, TRIGGER
from testcluster.patience import attempts

OURS = "penstock.dev"
MAKES_RUNS = rule(OURS, ["pipelineruns", "triggers"], ["get", "create", "patch"])
UPDATES_CHURN = rule(OURS, ["pipelines"], ["update"], "churn")


@pytest.fixture(scope="module")
def place(api: KubernetesApi, namespaces: Namespaces, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace under the policies, in which ada and bob have their rights."""
    rules = {"ada": [MAKES_RUNS], "bob": [MAKES_RUNS, UPDATES_CHURN]}
    with policies_of_chart(api, namespaces, request.node.nodeid, rules) as name:
        for manifest in (RUN, TRIGGER):
            made = overriding(manifest, "jobs.dataset.env", [])
            refuse_at_last(by(api, "ada"), made, name)
            for _ in attempts("the rights of bob", DEADLINE):
                if said(by(api, "bob"), made, name) is None:
                    break
        yield name


def overriding(manifest: Object, path: str, value: Any) -> Object:
    """Return a run, or a Trigger whose runs do, that overrides what is at the path."""
    field = "run.overrides" if manifest["kind"] == "Trigger" else "overrides"
    return changed(manifest, field, [{"path": path, "value": value}])


FOR_EVERY_RUN: list[tuple[str, Any]] = [
    ("training.keep", 3),
    ("training.validation", {"folds": 5}),
    ("training.algorithms.linear.parameters.C.values", ["1.0", "10.0"]),
    ("dataset.split.testing", "50%"),
    ("deployment.selection.mustImprove.margin", "-0.01"),
    ("jobs.training.resources", {"limits": {"memory": "2Gi"}}),
]
FOR_AUTHORS: list[tuple[str, Any]] = [
    ("jobs.dataset.env", [{"name": "STAGE", "value": "test"}]),
    ("jobs.training.image", "registry.example/own"),
    ("jobs.training.tolerations", [{"operator": "Exists"}]),
    ("dataset.inputs.rows.uri", "s3://elsewhere/rows.parquet"),
    ("dataset.query", "SELECT * FROM rows"),
    ("training.algorithms.linear", {"estimator": "sklearn.linear_model.LogisticRegression"}),
    ("training.algorithms.net.parameters.module.value", "own.Network"),
    ("source.git.revision", "next"),
]
FOR_NO_RUN: list[tuple[str, Any]] = [
    ("dataset.inputs", [{"name": "rows", "uri": "s3://lake/rows.parquet", "credentials": secret("theirs")}]),
    ("dataset.inputs.rows.credentials", secret("theirs")),
    ("jobs.training", {"imagePullSecrets": [{"name": "theirs"}]}),
    ("jobs.training.imagePullSecrets", [{"name": "theirs"}]),
    ("jobs.training.serviceAccountName", "admin"),
    ("jobs.training.podTemplate", {"spec": {"hostNetwork": True}}),
    ("storage.s3.bucket", "elsewhere"),
    ("models.trustedTypes", ["os.system"]),
    ("training.kep", 1),
]


@pytest.mark.parametrize("manifest", [RUN, TRIGGER], ids=["run", "trigger"])
@pytest.mark.parametrize(("path", "value"), FOR_EVERY_RUN)
def test_whoever_may_make_a_run_may_override_values(
    api: KubernetesApi, place: str, manifest: Object, path: str, value: Any
) -> None:
    for user in ("ada", "bob"):
        assert said(by(api, user), overriding(manifest, path, value), place) is None


@pytest.mark.parametrize("manifest", [RUN, TRIGGER], ids=["run", "trigger"])
@pytest.mark.parametrize(("path", "value"), FOR_AUTHORS)
def test_code_addresses_and_places_are_overridden_by_who_may_update_that_pipeline(
    api: KubernetesApi, place: str, manifest: Object, path: str, value: Any
) -> None:
    made = overriding(manifest, path, value)
    field = "spec.run.overrides" if manifest is TRIGGER else "spec.overrides"
    theirs = said(by(api, "ada"), made, place)

    assert theirs is not None
    assert theirs.endswith(
        f"An override of {path} ({field}) is for who may update the Pipeline churn, and ada may not; remove it, ask "
        "for the right, or have the Pipeline changed."
    )
    assert said(by(api, "bob"), made, place) is None
    assert "the Pipeline other, and bob may not" in str(
        said(by(api, "bob"), changed(made, "pipelineRef.name", "other"), place)
    )


@pytest.mark.parametrize("manifest", [RUN, TRIGGER], ids=["run", "trigger"])
@pytest.mark.parametrize(("path", "value"), FOR_NO_RUN)
def test_what_names_secrets_identities_or_storage_is_overridden_by_nobody(
    api: KubernetesApi, place: str, manifest: Object, path: str, value: Any
) -> None:
    for each in (api, by(api, "ada"), by(api, "bob")):
        assert "No run may override this field" in str(said(each, overriding(manifest, path, value), place))


def test_a_run_with_overrides_of_an_author_is_cancelled_by_whoever_may_change_it(
    api: KubernetesApi, place: str
) -> None:
    made = overriding(RUN, "jobs.dataset.env", []) | {"metadata": {"name": "by-bob"}}
    resource = api.resource(by(api, "bob").create(made, place))

    by(api, "ada").patch(resource, "by-bob", {"spec": {"cancel": True}}, place)


def test_a_trigger_gets_no_override_of_an_author_later_either(api: KubernetesApi, place: str) -> None:
    resource = api.resource(by(api, "ada").create(TRIGGER | {"metadata": {"name": "later"}}, place))
    overrides = {"spec": {"run": {"overrides": [{"path": "jobs.dataset.env", "value": []}]}}}

    with pytest.raises(ApiRefused, match="is for who may update the Pipeline churn, and ada may not"):
        by(api, "ada").patch(resource, "later", overrides, place)

    by(api, "bob").patch(resource, "later", overrides, place)
    by(api, "ada").patch(resource, "later", {"spec": {"suspend": True}}, place)

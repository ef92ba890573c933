"""The table of rights: whatever of Penstock somebody may apply, it reaches what they could reach by themselves.

What a manifest reaches is written beside it, in the words of RBAC, and the API server is asked of each of these whether
the person has that right, with no policy of ours in it. Both answers have to be the same: no more, and no less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import pytest

from cluster.kubernetes_api import DEADLINE, KubernetesApi, Object
from cluster.namespaces import Namespaces
from cluster.policies import by, changed, policies_of_chart, refuse_at_last, rule, said, secret
from plain_manifests import MODEL, PIPELINE, RUN, TRIGGER
from testcluster.patience import attempts

OURS = "penstock.dev"
DEFAULT_STORAGE = {
    "s3": {"bucket": "all"},
    "credentials": {"read": secret("all-read"), "write": secret("all-write")},
}


@dataclass(frozen=True)
class Right:
    """A right in the namespace; without a name, to all of its objects."""

    verb: str
    resource: str
    name: str = ""
    group: str = ""

    def is_had_by(self, api: KubernetesApi, user: str, namespace: str) -> bool:
        """Return what the API server says of it."""
        asked = {"namespace": namespace, "verb": self.verb, "group": self.group, "resource": self.resource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "resourceAttributes": {**asked, "name": self.name}},
        }
        answer = api.json("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return bool(answer["status"]["allowed"])


Ways = tuple[Right, ...]


@dataclass(frozen=True)
class Reach:
    """A manifest, and the ways to come to each thing that its pods would reach: one right of each has to be had.

    `default` are those to the operator's default storage, where it has one and the manifest comes to it.
    """

    manifest: Object
    ways: tuple[Ways, ...] = ()
    default: tuple[Ways, ...] = ()

    def needs(self, *, has_default: bool) -> tuple[Ways, ...]:
        """Return all that has to be had to apply it."""
        creation = Right("create", f"{self.manifest['kind'].lower()}s", group=OURS)
        return ((creation,), *self.ways, *(self.default if has_default else ()))


def reads(name: str) -> Ways:
    return (Right("get", "secrets", name),)


def mounts(name: str) -> Ways:
    return (Right("use", "persistentvolumeclaims", name), Right("create", "pods"))


def acts_as(name: str) -> Ways:
    return (Right("impersonate", "serviceaccounts", name),)


def updates(name: str) -> Ways:
    return (Right("update", "pipelines", name, OURS),)


OWN = changed(PIPELINE, "storage", {"s3": {"bucket": "ml-team"}})
VOLUME = {"pvc": {"claimName": "lake"}}
OVERRIDE = {"path": "jobs.dataset.env", "value": [{"name": "STAGE", "value": "test"}]}
REACHES = {
    "a Pipeline with a storage of its own": Reach(OWN),
    "a Pipeline with no storage": Reach(PIPELINE, default=(reads("all-read"), reads("all-write"))),
    "a Pipeline that reads with a Secret": Reach(
        changed(OWN, "storage.credentials", {"read": secret("mine")}), (reads("mine"),)
    ),
    "a Pipeline that tells somebody": Reach(
        changed(OWN, "notifications", [{"name": "team", "url": secret("hook")}]), (reads("hook"),)
    ),
    "a Pipeline whose pods pull": Reach(
        changed(OWN, "jobs.training.imagePullSecrets", [{"name": "pull"}]), (reads("pull"),)
    ),
    "a Pipeline on a volume": Reach(changed(PIPELINE, "storage", VOLUME), (mounts("lake"),)),
    "a Pipeline with an identity": Reach(
        changed(OWN, "jobs.training.serviceAccountName", "trainer"), (acts_as("trainer"),)
    ),
    "a run": Reach(RUN),
    "a run that writes elsewhere": Reach(changed(RUN, "storage", {"s3": {"bucket": "else"}}), (updates("churn"),)),
    "a run on a volume": Reach(changed(RUN, "storage", VOLUME), (updates("churn"), mounts("lake"))),
    "a run with a Secret": Reach(changed(RUN, "credentials.source", secret("mine")), (reads("mine"),)),
    "a run with an environment": Reach(changed(RUN, "overrides", [OVERRIDE]), (updates("churn"),)),
    "a Trigger": Reach(TRIGGER),
    "a Trigger with an environment": Reach(changed(TRIGGER, "run.overrides", [OVERRIDE]), (updates("churn"),)),
    "a Model": Reach(MODEL),
    "a Model that is read with a Secret": Reach(changed(MODEL, "credentials", secret("mine")), (reads("mine"),)),
    "a Model on a volume": Reach(changed(MODEL, "uri", "file:///volumes/lake/churn/models/churn-1"), (mounts("lake"),)),
}

MAKING: dict[str, list[Object]] = {
    "runs": [rule(OURS, ["pipelineruns", "triggers"], ["create"])],
    "pipelines": [rule(OURS, ["pipelines", "models"], ["create", "update"])],
    "both": [rule(OURS, ["pipelineruns", "triggers", "pipelines", "models"], ["create", "update"])],
}
REACHING: dict[str, list[Object]] = {
    "nothing": [],
    "mine": [rule("", ["secrets"], ["get"], "mine"), rule("", ["persistentvolumeclaims"], ["use"], "lake")],
    "default": [rule("", ["secrets"], ["get"], "all-read", "all-write")],
    "half": [rule("", ["secrets"], ["get"], "all-read", "hook", "pull")],
    "identity": [rule("", ["serviceaccounts"], ["impersonate"], "trainer"), rule("", ["secrets"], ["list"])],
    "everything": [rule("", ["secrets", "pods"], ["get", "create"])],
}
PEOPLE = {
    f"{making}-{reaching}": MAKING[making] + REACHING[reaching] for making, reaching in product(MAKING, REACHING)
} | {
    "no-maker": REACHING["everything"],
    "runs-one-pipeline": [*MAKING["runs"], rule(OURS, ["pipelines"], ["update"], "churn"), *REACHING["everything"]],
}


@dataclass(frozen=True)
class Place:
    """A namespace in which each person has their rights, under the policies of an operator."""

    namespace: str
    has_default: bool


@pytest.fixture(scope="module", params=[True, False], ids=["with a default storage", "without one"])
def place(api: KubernetesApi, namespaces: Namespaces, request: pytest.FixtureRequest) -> Iterator[Place]:
    values = {"settings__storage": DEFAULT_STORAGE} if request.param else {}
    with policies_of_chart(api, namespaces, request.node.nodeid, PEOPLE, **values) as name:
        for each in REACHES.values():
            if each.ways or (each.default and request.param):
                making = "runs" if "pipelineRef" in each.manifest["spec"] else "pipelines"
                refuse_at_last(by(api, f"{making}-nothing"), each.manifest, name)
        for _ in attempts("the rights of all", DEADLINE):
            if Right("create", "pipelineruns", group=OURS).is_had_by(api, "runs-one-pipeline", name):
                break
        yield Place(name, has_default=request.param)


@pytest.mark.parametrize("person", PEOPLE)
def test_what_somebody_may_apply_reaches_what_they_could_reach_without_penstock(
    api: KubernetesApi, place: Place, person: str
) -> None:
    asked = cache(lambda right: right.is_had_by(api, person, place.namespace))

    could, may = {}, {}
    for name, reach in REACHES.items():
        could[name] = all(any(map(asked, ways)) for ways in reach.needs(has_default=place.has_default))
        may[name] = said(by(api, person), reach.manifest, place.namespace) is None

    assert may == could


def test_the_table_has_people_who_may_and_people_who_may_not_apply_each_of_these(
    api: KubernetesApi, place: Place
) -> None:
    for name, reach in REACHES.items():
        refusals = [said(by(api, person), reach.manifest, place.namespace) for person in PEOPLE]
        assert None in refusals, name
        assert any(refusals), name

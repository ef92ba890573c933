"""What the operator may do is what it does: the rights of its roles, and the policy that bounds what it writes to."""

from copy import deepcopy
from functools import lru_cache
from typing import Any

import pytest

from asked_rights import Asked, rights_in_words
from chart.admission import Attempt, Object, refusals
from chart.helm_program import render_chart
from chart.operator_requests import Requests, requests_of_stories
from penstock.act.rights import RIGHTS as OPERATOR
from penstock.act.watched import WATCHED
from penstock.receiver.rights import RIGHTS as RECEIVER
from plain_manifests import MODEL, RUN

ACCOUNT = "system:serviceaccount:penstock-system:penstock"
RELEASE: dict[str, Any] = {"receiver__enabled": True, "receiver__tls__secretName": "receiver-tls"}
# What the stories do not come to: watches, what the shell around them asks, and a second look at what was refused.
ELSEWHERE: set[Asked] = {
    *((each.kind.group, each.kind.plural, "watch") for each in WATCHED),
    *((kind.group, kind.plural, "get") for (kind, _), verbs in OPERATOR.items() if {"watch", "get"} <= verbs),
    ("batch", "jobs", "patch"),  # labels that were taken off are put back, as to every child
    ("", "pods/log", "get"),
    ("", "events", "list"),
    *(("kueue.x-k8s.io", "workloads", verb) for verb in ("list", "watch")),
    *(("coordination.k8s.io", "leases", verb) for verb in ("get", "create", "patch")),
}


@lru_cache
def stories() -> Requests:
    return requests_of_stories()


def granted(*names: str) -> set[Asked]:
    """Return each single right of these roles."""
    return {
        (group, resource, verb)
        for role in render_chart(**RELEASE).all("Role", "ClusterRole")
        if role["metadata"]["name"] in names
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


# --- RBAC ---


def test_the_roles_of_the_operator_give_what_it_asks_and_nothing_else() -> None:
    assert granted("penstock", "penstock-definitions", "penstock-lease") == rights_in_words(OPERATOR)


def test_the_role_of_the_receiver_gives_what_it_asks_and_nothing_else() -> None:
    assert granted("penstock-receiver") == rights_in_words(RECEIVER)


def test_there_is_no_right_that_the_operator_does_not_use() -> None:
    assert rights_in_words(OPERATOR) - ELSEWHERE <= stories().asked <= rights_in_words(OPERATOR)


# --- the policy that bounds its writes ---


def bound(*attempts: Attempt, **values: Any) -> list[list[str]]:
    """Return what is said against the attempts by the policy about the operator."""
    policies = render_chart(**values).all("ValidatingAdmissionPolicy")
    return refusals([each for each in policies if each["metadata"]["name"] == "penstock-operator"], *attempts)


def test_whatever_the_operator_writes_is_within_its_bounds() -> None:
    written = [Attempt(after, before, user=ACCOUNT) for before, after in stories().written]

    assert {each.operation for each in written} == {"CREATE", "UPDATE", "DELETE"}
    refused = [
        (attempt.operation, attempt.object or attempt.old, said)
        for attempt, said in zip(written, bound(*written), strict=True)
        if said
    ]
    assert refused == []


def thing(kind: str, **metadata: Any) -> Object:
    version = {"ConfigMap": "v1", "Service": "v1", "Job": "batch/v1"}.get(kind, "apps/v1")
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "theirs", "namespace": "ml", **metadata}}


LABELLED = {"labels": {"penstock.dev/pipeline": "churn"}}


@pytest.mark.parametrize("kind", ["ConfigMap", "Service", "Job", "Deployment", "ControllerRevision"])
def test_the_operator_writes_to_nothing_of_others(kind: str) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1", "controller": True}
    theirs, owned = thing(kind), thing(kind, ownerReferences=[owner], labels={"app": "web"})
    attempts = [
        Attempt(theirs),
        Attempt(owned),
        Attempt(thing(kind, **LABELLED), theirs),  # a label that it puts on itself makes nothing its own
        Attempt(None, theirs),
        Attempt(None, owned),
    ]

    for said in bound(*(Attempt(each.object, each.old, user=ACCOUNT) for each in attempts)):
        assert said == [
            f"The operator writes to what is Penstock's alone, and {kind} theirs has no label and no owner of it."
        ]
    assert not any(bound(*attempts)), "nobody else is asked"


def test_a_label_that_somebody_took_off_does_not_hide_what_is_the_operators_own() -> None:
    run = {"apiVersion": "penstock.dev/v1alpha1", "kind": "PipelineRun", "name": "churn-1", "uid": "1"}
    bare = thing("Job", ownerReferences=[run])
    record = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "name": "files", "uid": "2", "controller": True}
    cleaning = thing("Job", ownerReferences=[record])

    for there in (bare, cleaning):
        labelled = {**there, "metadata": {**there["metadata"], **LABELLED}}
        assert bound(Attempt(labelled, there, user=ACCOUNT), Attempt(None, there, user=ACCOUNT)) == [[], []]


def test_the_operator_makes_no_run_but_those_of_triggers_and_changes_no_model() -> None:
    moved = deepcopy(MODEL)
    moved["spec"]["uri"] = "s3://elsewhere/churn-1"
    noted = {**MODEL, "metadata": {"name": "churn-1", "annotations": {"penstock.dev/anchor-since": "now"}}}

    made, changed, annotated = bound(
        Attempt(RUN, user=ACCOUNT), Attempt(moved, MODEL, user=ACCOUNT), Attempt(noted, MODEL, user=ACCOUNT)
    )
    assert made == ["The operator makes the runs of Triggers alone."]
    assert changed == [
        "The operator makes Models and changes none; only labels, annotations and the status are its own."
    ]
    assert annotated == []


def test_the_bounds_can_be_taken_off() -> None:
    theirs = thing("ConfigMap")

    assert refusals(
        render_chart(admissionPolicies__boundOperator=False).all("ValidatingAdmissionPolicy"),
        Attempt(theirs, user=ACCOUNT),
    ) == [[]]

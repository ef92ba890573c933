"""A Pipeline under a new name: when it can be, what the copy is, and when the old one may go."""

from typing import Any

import pytest

from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.decide.commands.rename import (
    RENAMED_FROM,
    Renaming,
    copy_of,
    remaining_mentions,
    require_possible,
    takes_over,
)
from penstock.decide.serving import FIRST_MODEL
from penstock_jobs.contract.errors import Refused

Object = dict[str, Any]
SERVED = {"servedModel": {"name": "forest", "startTime": "2026-03-01T12:00:00Z"}}
READY = {"type": "Ready", "status": "True", "message": "."}


def pipeline(name: str = "churn", uid: str = "u-1", **others: Any) -> Object:
    metadata = {"name": name, "namespace": "team", "uid": uid, **others.pop("metadata", {})}
    return {"metadata": metadata, "spec": {"deployment": {}}, **others}


def run(name: str, *, ended: bool, of: str = "churn") -> Object:
    status = {"completionTime": "2026-03-01T13:00:00Z"} if ended else {}
    return {"metadata": {"name": name}, "spec": {"pipelineRef": {"name": of}}, "status": status}


def asked(new_name: str = "leavers", **others: Any) -> Renaming:
    return Renaming(**{"old_name": "churn", "new_name": new_name, "old": pipeline(), "new": None} | others)


COPY = pipeline("leavers", "u-2", metadata={"annotations": {RENAMED_FROM: "churn/u-1"}})


@pytest.mark.parametrize(
    ("renaming", "sentence"),
    [
        (asked("churn"), "Both names are churn"),
        (asked("Leavers"), "Leavers is no name of a Pipeline"),
        (asked("x" * 53), "at most 52"),
        (asked(old=None), "There is no Pipeline churn"),
        (asked(new=pipeline("leavers", "u-3")), "There is a Pipeline leavers already, which is no copy of churn"),
        (
            Renaming("fraud", "leavers", None, COPY),
            "There is no Pipeline fraud",
        ),
        (asked(runs=(run("night", ended=False),)), "A run of churn has not ended: night"),
    ],
)
def test_what_cannot_be_renamed_is_said_in_a_sentence(renaming: Renaming, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        require_possible(renaming)


@pytest.mark.parametrize(
    "renaming",
    [
        asked(),
        Renaming("churn", "leavers", pipeline(), COPY),
        Renaming("churn", "leavers", None, COPY),
        asked(runs=(run("night", ended=True), run("other", ended=False, of="fraud"))),
    ],
    ids=["not begun", "interrupted", "done", "with runs that have ended"],
)
def test_it_can_be_begun_gone_on_with_and_said_once_more(renaming: Renaming) -> None:
    require_possible(renaming)


def test_the_copy_goes_on_with_what_is_served_and_is_known_for_a_copy() -> None:
    annotations = {"team": "ml", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    old = pipeline(metadata={"annotations": annotations, "labels": {"tier": "gold"}}, status=SERVED)

    made = copy_of(asked(old=old), None)

    assert made["metadata"] == {
        "name": "leavers",
        "namespace": "team",
        "labels": {"tier": "gold"},
        "annotations": {"team": "ml", RENAMED_FROM: "churn/u-1", FIRST_MODEL: "forest"},
    }
    assert made["spec"] == old["spec"]


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        (None, None),
        (Storage(s3=S3Storage(bucket="all")), {"s3": {"bucket": "all", "prefix": "team/churn"}}),
        (
            Storage(s3=S3Storage(bucket="all", prefix="ml", endpoint="http://s3:9000")),
            {"s3": {"bucket": "all", "prefix": "ml/team/churn", "endpoint": "http://s3:9000"}},
        ),
        (Storage(pvc=VolumeStorage(claim_name="files")), {"pvc": {"claimName": "files", "path": "team/churn"}}),
    ],
)
def test_files_in_the_operators_storage_are_found_under_the_old_name(default: Storage | None, expected: Object) -> None:
    assert copy_of(asked(), default)["spec"].get("storage") == expected


def test_a_storage_of_its_own_stays_what_it_is() -> None:
    own = {"s3": {"bucket": "own"}}
    old = pipeline() | {"spec": {"storage": own}}

    assert copy_of(asked(old=old), Storage(s3=S3Storage(bucket="all")))["spec"]["storage"] == own


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, True),
        (SERVED, {}, False),
        (SERVED, {"conditions": [READY]}, False),
        (SERVED, SERVED | {"conditions": [READY | {"status": "Unknown"}]}, False),
        (SERVED, SERVED | {"conditions": [READY]}, True),
    ],
)
def test_the_old_one_serves_until_the_new_one_does(old: Object, new: Object, *, expected: bool) -> None:
    assert takes_over(pipeline(status=old), pipeline("leavers", status=new)) is expected


def test_a_copy_that_cannot_serve_leaves_the_old_one() -> None:
    stalled = {"type": "Stalled", "status": "True", "message": "There is a Service leavers."}

    with pytest.raises(Refused, match="so the old one stays: There is a Service leavers"):
        takes_over(pipeline(status=SERVED), pipeline("leavers", status={"conditions": [stalled]}))


def test_one_that_serves_nothing_can_be_renamed_though_it_cannot_work() -> None:
    stalled = {"type": "Stalled", "status": "True", "message": "There is no profile huge."}

    assert takes_over(pipeline(), pipeline("leavers", status={"conditions": [stalled]}))


def test_what_else_has_the_old_name_is_told() -> None:
    trigger = {"metadata": {"name": "nightly"}, "spec": {"pipelineRef": {"name": "churn"}}}
    other = {"metadata": {"name": "weekly"}, "spec": {"pipelineRef": {"name": "fraud"}}}

    told = remaining_mentions(asked(runs=(run("first", ended=True),), triggers=(trigger, other)))

    assert told == [
        "A Trigger runs churn: nightly. Apply it with pipelineRef.name leavers.",
        "A run that has ended keeps the name churn: first.",
    ]

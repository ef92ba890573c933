"""What a cluster has is read from its own objects; what it has not is told at the end of a run."""

from pathlib import Path
from typing import Any

import pytest

from testcluster import addons, features
from testcluster.features import FEATURES, ClusterFeature, why_not
from testcluster.nodes import gpus, real_nodes
from testcluster.sentences import Lacking
from testcluster.what_was_shown import ACCEPTED_ONLY, summary


def a_node(
    name: str = "one",
    *,
    ready: str = "True",
    annotations: dict[str, str] | None = None,
    allocatable: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": ready}], "allocatable": allocatable or {}}
    return {"metadata": {"name": name, "annotations": annotations or {}}, "spec": spec, "status": status}


def test_nodes_that_run_pods_are_counted_and_no_others() -> None:
    control_plane = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    nodes = [
        a_node("good"),
        a_node("gpu", taints=[{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]),
        a_node("not-ready", ready="False"),
        a_node("cordoned", unschedulable=True),
        a_node("control-plane", taints=control_plane),
        a_node("simulated", annotations={"kwok.x-k8s.io/node": "fake"}),
        {"metadata": {"name": "new"}, "spec": {}, "status": {}},
    ]
    assert [node["metadata"]["name"] for node in real_nodes(nodes)] == ["good", "gpu", "cordoned"]


@pytest.mark.parametrize(("allocatable", "count"), [({}, 0), ({"nvidia.com/gpu": "2"}, 2), ({"cpu": "2"}, 0)])
def test_gpus_are_those_that_pods_may_have(allocatable: dict[str, str], count: int) -> None:
    assert gpus(a_node(allocatable=allocatable)) == count


class ACluster:
    kubeconfig = Path("kubeconfig")

    def load(self, image_archive: Path) -> None:
        raise AssertionError("nothing is loaded here")


def test_an_addon_is_brought_only_where_the_feature_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(addons, "install", lambda _, names: installed.extend(names))
    monkeypatch.setattr(addons, "is_ours", lambda *_: False)
    there = ClusterFeature("there", lambda _: None, addon="kwok")
    missing = ClusterFeature("missing", lambda _: None if installed else "It is not there.", addon="kueue")
    monkeypatch.setattr(features, "FEATURES", {"there": there, "missing": missing})
    assert why_not(ACluster(), "there") is None
    assert installed == []
    assert why_not(ACluster(), "missing") is None
    assert installed == ["kueue"]


def test_what_we_installed_is_brought_to_its_present_form(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(addons, "install", lambda _, names: installed.extend(names))
    monkeypatch.setattr(addons, "is_ours", lambda *_: True)
    monkeypatch.setattr(features, "FEATURES", {"half": ClusterFeature("half", lambda _: None, addon="kueue")})
    assert why_not(ACluster(), "half") is None
    assert installed == ["kueue"]


def test_an_addon_that_cannot_be_had_is_a_reason_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Lacking("Go is not installed.")

    monkeypatch.setattr(addons, "install", refuse)
    monkeypatch.setattr(
        features, "FEATURES", {"one": ClusterFeature("one", lambda _: "It is not there.", addon="kueue")}
    )
    assert why_not(ACluster(), "one") == "It is not there. It was not to be had here: Go is not installed."


def test_what_no_addon_brings_is_only_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "FEATURES", {"gpu": ClusterFeature("gpu", lambda _: "No GPU.")})
    assert why_not(ACluster(), "gpu") == "No GPU."


def test_every_addon_that_a_feature_names_is_there() -> None:
    named = {each.addon for each in FEATURES.values() if each.addon}
    assert named == set(addons.ADDONS)


def a_report(node: str, *, notes: tuple[str, ...] = (), skipped: str | None = None) -> pytest.TestReport:
    longrepr = ("file.py", 1, f"Skipped: {skipped}") if skipped else None
    outcome: Any = "skipped" if skipped else "passed"
    properties: list[tuple[str, object]] = [(ACCEPTED_ONLY, note) for note in notes]
    location = ("file.py", 1, node)
    return pytest.TestReport(node, location, {}, outcome, longrepr, "call", user_properties=properties)


def test_what_was_only_accepted_is_told_once() -> None:
    passed = [a_report(f"tests/cluster/test_a.py::test_{each}", notes=("HTTPRoute: no controller",)) for each in "ab"]
    assert summary(passed, []) == ["object accepted only: HTTPRoute: no controller"]


def test_what_was_skipped_is_told_with_why_and_how_often() -> None:
    skipped = [a_report(f"tests/cluster/test_a.py::test_{each}", skipped="No GPU.") for each in "abc"]
    assert summary([], skipped) == ["skipped (3): No GPU."]


def test_a_run_that_showed_everything_says_nothing() -> None:
    assert summary([a_report("tests/cluster/test_a.py::test_a")], []) == []


@pytest.mark.parametrize("folder", ["unit", "unit/testcluster"])
def test_what_other_tests_skip_is_not_the_clusters(folder: str) -> None:
    assert summary([], [a_report(f"tests/{folder}/test_a.py::test_a", skipped="no torch")]) == []

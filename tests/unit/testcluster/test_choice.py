"""Which cluster the tests use, and what is said where there is none."""

import json
import shutil
from pathlib import Path

import pytest

from testcluster import choice, kind
from testcluster.choice import Lacks
from testcluster.cluster import Cluster
from testcluster.given import GivenCluster, file_of_kubeconfig
from testcluster.machine import folders
from testcluster.sentences import Lacking


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(tmp_path / "cache"))


def test_a_cluster_that_a_person_names_comes_first() -> None:
    assert choice.name_that_is_asked_for({"KUBECONFIG": "/home/ada/.kube/config"}) == "given"


def test_a_provider_that_a_person_names_comes_before_that() -> None:
    assert choice.name_that_is_asked_for({"KUBECONFIG": "/any", "PENSTOCK_TEST_PROVIDER": "kind"}) == "kind"


def test_our_own_kubeconfig_is_our_own_cluster_and_not_a_persons() -> None:
    assert choice.name_that_is_asked_for({"KUBECONFIG": str(folders.kubeconfig())}) == "machine"
    assert choice.name_that_is_asked_for({"KUBECONFIG": str(kind.kubeconfig())}) == "kind"


def test_without_a_wish_it_is_kind_where_an_engine_answers_and_plain_processes_elsewhere() -> None:
    assert choice.name_that_is_asked_for({}) == ""
    assert choice.name_of_what_is_possible(Lacks(kind="", machine="")) == "kind"
    assert choice.name_of_what_is_possible(Lacks(kind="no engine.", machine="")) == "machine"


def test_where_nothing_is_possible_the_sentence_gives_the_reasons_and_the_ways_out() -> None:
    with pytest.raises(Lacking) as refused:
        choice.name_of_what_is_possible(Lacks(kind="No container engine answers.", machine="Not root."))
    said = str(refused.value)
    assert "No container engine answers. Not root." in said
    assert "Start Docker, or run as root on Linux, or name a cluster with KUBECONFIG." in said


def test_a_provider_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(Lacking, match="no provider 'minikube': PENSTOCK_TEST_PROVIDER is one of given, kind, machine"):
        choice.provider_named("minikube")


def test_a_kubeconfig_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    with pytest.raises(Lacking, match=r"^KUBECONFIG names /nowhere/config, which does not exist"):
        file_of_kubeconfig()


def test_a_persons_cluster_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    cluster = {"name": "any", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "any", "context": {"cluster": "any", "user": "any"}}
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "any", "contexts": [context]}
    file.write_text(json.dumps({**config, "clusters": [cluster], "users": [{"name": "any", "user": {"token": "any"}}]}))
    monkeypatch.setenv("KUBECONFIG", str(file))
    if shutil.which("kubectl") is None:
        pytest.skip("There is no kubectl, and building one takes minutes.")
    with pytest.raises(Lacking, match=rf"^The cluster that KUBECONFIG names \({file}\) does not answer: .*refused"):
        GivenCluster().find()


def test_several_kubeconfigs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/one:/other")
    with pytest.raises(Lacking, match="names 2 files and the tests take one"):
        file_of_kubeconfig()


def test_a_persons_cluster_is_told_to_pull_its_images() -> None:
    with pytest.raises(Lacking, match="REGISTRY"):
        GivenCluster().load(Cluster("given", Path("/any")), Path("jobs.tar"), ())


def test_kind_is_given_its_configuration_and_leaves_a_persons_kubeconfig_alone() -> None:
    command = kind.create_command(Path("/cache/kubeconfig"))
    assert command[:2] == ["create", "cluster"]
    assert command[command.index("--config") + 1].endswith("kind-config.yaml")
    assert command[command.index("--kubeconfig") + 1] == "/cache/kubeconfig"


def test_kind_loads_an_image_to_all_nodes_or_to_those_that_are_named() -> None:
    everywhere = ["load", "image-archive", "jobs.tar", "--name", "penstock"]
    assert kind.load_command(Path("jobs.tar"), ()) == everywhere
    assert kind.load_command(Path("jobs.tar"), ("a", "b")) == [*everywhere, "--nodes", "a,b"]


def test_kinds_containers_are_found_by_the_label_that_kind_gives_them() -> None:
    assert kind.list_command()[-1] == "label=io.x-k8s.kind.cluster=penstock"

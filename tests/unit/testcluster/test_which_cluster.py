"""A test fails where a cluster was promised and does not answer; by itself it says what to do, and is skipped."""

import json
from pathlib import Path

import pytest
import yaml

from cluster.which import BROUGHT_UP, WHAT_TO_DO, which_cluster
from s3_server import free_port


def document(folder: Path, kubeconfig: Path) -> Path:
    path = folder / "cluster.json"
    path.write_text(
        json.dumps({"provider": "given", "kubeconfig": str(kubeconfig), "nodes": [{"name": "a", "gpus": 2}]})
    )
    return path


def kubeconfig_of_nobody(folder: Path) -> Path:
    """Return a kubeconfig whose server nobody listens at."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "nobody", "cluster": {"server": f"https://127.0.0.1:{free_port()}"}}],
        "users": [{"name": "me", "user": {"token": "any"}}],
        "contexts": [{"name": "it", "context": {"cluster": "nobody", "user": "me"}}],
        "current-context": "it",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_cluster_that_was_promised_and_does_not_answer_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BROUGHT_UP, str(document(tmp_path, kubeconfig_of_nobody(tmp_path))))

    with pytest.raises(pytest.fail.Exception, match="was brought up for the tests does not answer"):
        which_cluster()


def test_without_a_cluster_a_test_by_itself_is_skipped_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BROUGHT_UP, raising=False)
    monkeypatch.setenv("PENSTOCK_TEST_PROVIDER", "machine")
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(tmp_path))

    with pytest.raises(pytest.skip.Exception, match="`make cluster` leaves one up") as skipped:
        which_cluster()
    assert str(skipped.value) == WHAT_TO_DO


def test_a_cluster_that_cannot_be_asked_is_said_in_its_own_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BROUGHT_UP, raising=False)
    monkeypatch.setenv("PENSTOCK_TEST_PROVIDER", "given")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))

    with pytest.raises(pytest.skip.Exception, match=r"KUBECONFIG names .*absent, which does not exist"):
        which_cluster()

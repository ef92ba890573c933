"""kubectl: which one, and what a person is told when it fails; and waiting with an end."""

from pathlib import Path

import pytest

from testcluster import kubectl, programs
from testcluster.kubectl import Kubectl, KubectlFailed, minor_version
from testcluster.patience import attempts
from testcluster.sentences import Lacking


@pytest.mark.parametrize(("written", "minor"), [("34", 34), ("28+", 28), ("", 0)])
def test_the_version_is_read_as_distributions_write_it(written: str, minor: int) -> None:
    assert minor_version(f'{{"clientVersion": {{"major": "1", "minor": "{written}"}}}}') == minor


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, and a built kubectl that nothing else asks for."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(programs, "build", lambda name: Path("built") / name)
    kubectl.program.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def forget() -> None:
    kubectl.program.cache_clear()


def a_program(folder: Path, script: str) -> Path:
    file = folder / "kubectl"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_a_recent_kubectl_of_the_machine_is_used(machine: Path) -> None:
    file = a_program(machine, """echo '{"clientVersion": {"major": "1", "minor": "34"}}'""")
    assert kubectl.program() == file


@pytest.mark.parametrize("script", ["""echo '{"clientVersion": {"minor": "20"}}'""", "exit 1"])
def test_one_that_is_old_or_broken_is_not(machine: Path, script: str) -> None:
    a_program(machine, script)
    assert kubectl.program() == Path("built/kubernetes/kubectl")


def test_a_failure_is_told_in_kubectls_own_words(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = a_program(machine, "echo 'error: no such thing' >&2; exit 1")
    monkeypatch.setattr(kubectl, "program", lambda: file)
    with pytest.raises(KubectlFailed, match="`kubectl get things` failed: error: no such thing"):
        Kubectl(Path("kubeconfig"))("get", "things")


def test_a_port_that_cannot_be_forwarded_is_told_too(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = a_program(machine, "echo 'error: service has no pods' >&2; exit 1")
    monkeypatch.setattr(kubectl, "program", lambda: file)
    forward = Kubectl(Path("kubeconfig")).port_forward("there", "service/s3", 9000)
    with pytest.raises(KubectlFailed, match="service/s3: error: service has no pods"), forward:
        pass


def test_a_forwarded_port_works_on_however_much_kubectl_says(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talking = "echo 'Forwarding from 127.0.0.1:40001 -> 9000'; yes 'Handling connection for 40001' | head -c 1000000"
    file = a_program(machine, f"{talking}; touch {machine}/through; exec sleep 60")
    monkeypatch.setattr(kubectl, "program", lambda: file)
    with Kubectl(Path("kubeconfig")).port_forward("there", "service/s3", 9000) as port:
        assert port == 40001
        assert any((machine / "through").exists() for _ in attempts("all lines to be said", 30))


def test_waiting_asks_at_least_once_and_ends() -> None:
    asked: list[int] = []
    with pytest.raises(Lacking, match="Waited 0 s for rain, in vain"):
        asked.extend(attempts("rain", 0))
    assert asked == [0]

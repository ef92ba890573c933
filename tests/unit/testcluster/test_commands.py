"""The command line around the tests: exit codes, the environment of a command, who may take the cluster down."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from testcluster import cache, commands
from testcluster.cluster import Cluster, ClusterNode
from testcluster.machine.plan import API_ADDRESS
from testcluster.sentences import Lacking

CLUSTER = Cluster("machine", Path("/cache/kubeconfig"), (ClusterNode("one"), ClusterNode("two", gpus=2)))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 128 + signal.SIGKILL)])
def test_the_exit_code_is_the_commands_as_a_shell_tells_it(script: str, code: int) -> None:
    assert commands.perform(["sh", "-c", script], dict(os.environ)) == code


def test_a_command_that_does_not_exist_is_named() -> None:
    with pytest.raises(Lacking, match=r"^no-such-command cannot be run: No such file or directory"):
        commands.perform(["no-such-command"], dict(os.environ))


def test_a_run_without_a_command_says_how_it_is_called() -> None:
    assert commands.main(["run", "--"]) == commands.MISTAKE


def test_an_image_to_load_is_a_file_or_one_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "any.tar"
    file.touch()
    assert commands.archive_of(str(file)) == file
    with pytest.raises(Lacking, match=r"^nothing\.tar is neither an image archive nor one of jobs, "):
        commands.archive_of("nothing.tar")


def test_a_termination_reaches_the_command_and_its_own_end_counts(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = f"trap 'exit 9' TERM; echo ready > {gate}; while :; do sleep 0.1; done"

    def terminate() -> None:
        gate.read_text()
        os.kill(os.getpid(), signal.SIGTERM)

    sender = threading.Thread(target=terminate)
    sender.start()
    assert commands.perform(["sh", "-c", script], dict(os.environ)) == 9
    sender.join()


def test_the_handling_of_signals_is_as_before_after_the_command() -> None:
    before = signal.getsignal(signal.SIGTERM)
    commands.perform(["true"], dict(os.environ))
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_command_finds_the_cluster_in_its_environment() -> None:
    environment = commands.environment_for(CLUSTER, Path("/cache/cluster.json"), {"HOME": "/home/ada"})
    assert environment["HOME"] == "/home/ada"
    assert environment["KUBECONFIG"] == "/cache/kubeconfig"
    assert environment["PENSTOCK_TEST_CLUSTER"] == "/cache/cluster.json"


def test_a_proxy_is_not_asked_for_the_cluster() -> None:
    environment = commands.environment_for(
        CLUSTER, Path("/any"), {"NO_PROXY": "localhost", "HTTPS_PROXY": "proxy:3128"}
    )
    assert environment["NO_PROXY"] == f"localhost,{API_ADDRESS}"
    assert environment["no_proxy"] == API_ADDRESS


def test_the_state_file_says_what_the_cluster_is() -> None:
    nodes = [{"name": "one", "gpus": 0}, {"name": "two", "gpus": 2}]
    expected = {"provider": "machine", "kubeconfig": "/cache/kubeconfig", "nodes": nodes}
    assert json.loads(commands.write_state(CLUSTER).read_text()) == expected


def test_a_lock_that_another_shares_is_not_free_until_it_is_given_back() -> None:
    with cache.lock_together("any"), cache.lock_if_free("any") as free:
        assert not free
    with cache.lock_if_free("any") as free:
        assert free


def test_a_lock_goes_with_the_process_that_held_it() -> None:
    script = "import os; from testcluster import cache\nwith cache.lock('any', 'it'): os._exit(1)"
    folder = Path(cache.__file__).parents[1]
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(folder)}, check=False)
    with cache.lock_if_free("any") as free:
        assert free


def test_removing_everything_leaves_what_a_person_has_beside_it(tmp_path: Path) -> None:
    for name in cache.CONTENTS:
        cache.folder(name)
    theirs = cache.folder() / "thesis.pdf"
    theirs.touch()
    cache.remove()
    assert [*theirs.parent.iterdir()] == [theirs]
    theirs.unlink()
    cache.remove()
    assert not theirs.parent.exists()


def test_every_folder_of_the_cache_is_one_that_is_removed_with_it() -> None:
    root = Path(cache.__file__).parents[1]
    files = [file for folder in ("testcluster", "tests") for file in (root / folder).rglob("*.py")]
    sources = [file for file in files if "unit" not in file.parts]
    named = {each for file in sources for each in re.findall(r'cache\.folder\("([^"]+)"', file.read_text())}
    assert "machine" in named
    assert named <= {*cache.CONTENTS}

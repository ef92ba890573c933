"""What the cluster needs of the machine is made, or its lack is said in a sentence."""

from pathlib import Path

import pytest

from needed_programs import needs_program
from testcluster.machine import namespaces
from testcluster.sentences import Lacking


def test_a_control_group_that_cannot_be_shared_out_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    (tmp_path / "cgroup.subtree_control").mkdir()  # nothing can be written to it
    with pytest.raises(Lacking, match=r"cannot share out cpu .*name a cluster with KUBECONFIG"):
        namespaces.delegate(tmp_path)


def test_a_controller_that_nothing_needs_may_be_kept_back(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("rdma misc\n")
    (tmp_path / "cgroup.subtree_control").mkdir()
    namespaces.delegate(tmp_path)


def test_a_command_of_the_system_that_fails_is_named_with_its_own_words() -> None:
    with pytest.raises(Lacking, match=r"^`ls /nowhere` failed: .*No such file or directory"):
        namespaces.perform(["ls", "/nowhere"])


@needs_program("unshare")
def test_a_trial_of_the_file_system_leaves_nothing(tmp_path: Path) -> None:
    assert namespaces.snapshotter(tmp_path) in ("overlayfs", "native")
    assert not any(tmp_path.iterdir())

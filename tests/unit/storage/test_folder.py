"""A store in a folder: what a disk can do wrong, and what a process that is killed leaves behind."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage import disk, open_store
from penstock_jobs.storage.folder import FolderStore


def failing(number: int) -> object:
    """Return a stand-in for a system call that fails: the only way to make some disks' faults happen at will."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


FAULTS = [
    (errno.ENOSPC, Unavailable, "cannot be written: the disk is full"),
    (errno.EDQUOT, Unavailable, "cannot be written: the disk is full"),
    (errno.EIO, Unavailable, "cannot be used: Input/output error"),
    (errno.ESTALE, Unavailable, "cannot be used: Stale file handle"),
    (errno.EACCES, Refused, "this user may not; correct the rights"),
    (errno.EROFS, Refused, "cannot be written: the file system is read-only"),
    (errno.ENAMETOOLONG, Refused, "cannot be used: File name too long"),
]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(("number", "kind", "said"), FAULTS)
def test_each_fault_of_a_disk_has_its_sentence_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, kind: type[JobError], said: str
) -> None:
    store = FolderStore(tmp_path)
    store.write("a", b"before")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(number))
        with pytest.raises(kind) as failure:
            store.write("a", b"after")
    assert said in str(failure.value)
    assert str(tmp_path / "a") in str(failure.value)
    assert store.read("a") == b"before"
    assert names_in(tmp_path) == ["a"]


def test_a_file_system_without_hard_links_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    with pytest.raises(Refused, match=r"has no hard links.* use a folder on another file system"):
        FolderStore(tmp_path).write_if_absent("a", b"")
    assert names_in(tmp_path) == []


def test_a_link_whose_answer_was_lost_is_known_as_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS: the client asks again for what was done already, and is told that the file exists."""
    link = os.link

    def twice(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", twice)
    assert FolderStore(tmp_path).write_if_absent("a", b"mine") is True


FULL_DISK = """
import sys
from pathlib import Path
from penstock_jobs.contract.errors import Unavailable
from penstock_jobs.storage.folder import FolderStore
store = FolderStore(Path(sys.argv[1]))
store.write("small", b"1")
try:
    store.write("large", bytes(1 << 20))
except Unavailable as error:
    assert store.keys() == ["small"] and len(list(Path(sys.argv[1]).iterdir())) == 1
    print(error)
"""


def test_a_disk_that_is_really_full_is_said_and_nothing_is_left_half_written(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("a small disk can be mounted on Linux only")
    mount = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -c "$3" "$1"'
    command: list[str | Path] = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", tmp_path]
    if subprocess.run([*command, "true", ""], capture_output=True).returncode != 0:
        pytest.skip("this machine lets no one but root mount a small disk")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*command, sys.executable, FULL_DISK], capture_output=True, text=True, env=environment)
    assert done.stdout.startswith(f"{tmp_path}/large cannot be written: the disk is full"), done.stderr


KILLED = """
import os, signal, sys
from pathlib import Path
from penstock_jobs.storage import disk
with disk.replace_file(Path(sys.argv[1])) as file:
    file.write(b"half of")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(target: Path) -> Path:
    """Write a file in a process that is killed in the middle; return what it left behind."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", KILLED, target], env=environment)
    assert done.returncode == -signal.SIGKILL
    [left] = [path for path in target.parent.iterdir() if path.name.startswith(disk.TEMPORARY)]
    return left


def test_who_is_killed_while_writing_leaves_the_file_as_it_was_and_no_key(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write("a", b"before")
    killed_while_writing(tmp_path / "a")
    assert store.read("a") == b"before"
    assert store.keys() == ["a"]


def test_what_was_left_behind_is_swept_by_the_next_writer_once_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    left = {folder: killed_while_writing(folder / "a") for folder in (old, new)}
    os.utime(left[old], (0, time.time() - 2 * 86400))
    monkeypatch.setattr(disk, "_swept", set())
    for folder in (old, new):
        FolderStore(folder).write("b", b"")
    assert not left[old].exists()
    assert left[new].exists(), "its writer may still be at it"


def test_files_get_the_rights_that_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        FolderStore(tmp_path).write("a", b"")
        FolderStore(tmp_path).write_if_absent("b", b"")
    finally:
        os.umask(before)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"} == {0o640}


def test_a_file_where_a_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    store = FolderStore(tmp_path)
    with pytest.raises(Refused, match=r"a folder of its path is itself a file"):
        store.write("runs/one", b"")
    assert not store.exists("runs/one")


def test_reading_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(Refused, match="Is a directory"):
        FolderStore(tmp_path).read("runs")


def test_a_folder_that_may_not_be_looked_into_is_refused_and_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "scandir", failing(errno.EACCES))
    with pytest.raises(Refused, match="this user may not"):
        FolderStore(tmp_path).keys()


@pytest.mark.parametrize("uri", ["file://host/path", "file:relative", "gs://bucket/x", "/plain/path"])
def test_an_address_that_no_store_has_is_refused(uri: str) -> None:
    with pytest.raises(Refused, match=r"file:///path|file:// nor s3://"):
        open_store(Location(uri=uri))


def test_an_address_may_hold_any_character_that_a_path_may(tmp_path: Path) -> None:
    folder = tmp_path / "a b#c?d%20é"
    open_store(Location(uri=folder.as_uri())).write("a", b"1")
    assert (folder / "a").read_bytes() == b"1"
    assert open_store(Location(uri=folder.as_uri())).uri == folder.as_uri()

"""The source job: one commit, fetched once, packed as data, and unpacked by every other job as it was."""

import io
import random
import subprocess
import tarfile
from pathlib import Path

import msgspec
import pytest

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.specification import ArchiveSpec, Credentials, Location, Run, SourceJob, SourceSpec
from penstock_jobs.source import archive, commits
from penstock_jobs.source.archive import digest_of, pack, unpack
from penstock_jobs.source.job import fetch

RUN = Run(uid="0f", execution_name="test", pipeline="churn", pipeline_uid="1e")


def git(folder: Path, *words: str) -> str:
    mine = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *mine, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "ml" / "tumours").mkdir(parents=True)
    (folder / "ml" / "tumours" / "scores.py").write_text("COST = 1\n")
    (folder / "README.md").write_text("Not on the import path.\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "First")
    return folder


def asked(repository: Path, storage: Path, **changes: object) -> SourceJob:
    job = SourceJob(
        run=RUN,
        run_storage=Location(uri=storage.as_uri()),
        repository=repository.as_uri(),
        revision="main",
        path="ml",
    )
    return msgspec.structs.replace(job, **changes)


def unpacked(repository: Path, storage: Path, folder: Path) -> Path:
    made = fetch(asked(repository, storage))
    packed = ArchiveSpec(location=Location(uri=storage.as_uri()), key=made.archive, digest=made.digest)
    unpack(SourceSpec(folder=str(folder), commit=made.commit, archive=packed))
    return folder


def test_the_other_jobs_have_the_folder_at_the_commit_and_nothing_of_git(repository: Path, tmp_path: Path) -> None:
    folder = unpacked(repository, tmp_path / "storage", tmp_path / "source")

    assert [each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()] == [
        "tumours/scores.py"
    ]
    assert (folder / "tumours" / "scores.py").read_text() == "COST = 1\n"


def test_it_says_which_commit_it_is(repository: Path, tmp_path: Path) -> None:
    assert fetch(asked(repository, tmp_path / "storage")).commit == git(repository, "rev-parse", "HEAD")


def test_a_commit_that_was_recorded_is_fetched_wherever_the_branch_is_by_then(repository: Path, tmp_path: Path) -> None:
    first = fetch(asked(repository, tmp_path / "storage"))
    (repository / "ml" / "tumours" / "scores.py").write_text("COST = 2\n")
    git(repository, "commit", "--quiet", "--all", "-m", "Second")

    again = fetch(asked(repository, tmp_path / "storage", commit=first.commit))

    assert again == first


def test_the_same_files_are_the_same_archive(repository: Path, tmp_path: Path) -> None:
    pack(repository / "ml", tmp_path / "one")
    (repository / "ml" / "tumours" / "scores.py").touch()
    pack(repository / "ml", tmp_path / "other")

    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "other")


def test_an_archive_that_was_changed_is_not_unpacked(repository: Path, tmp_path: Path) -> None:
    made = fetch(asked(repository, tmp_path / "storage"))
    (tmp_path / "storage" / made.archive).write_bytes(b"something else")
    packed = ArchiveSpec(location=Location(uri=(tmp_path / "storage").as_uri()), key=made.archive, digest=made.digest)

    with pytest.raises(Refused, match="is not the archive that was packed"):
        unpack(SourceSpec(folder=str(tmp_path / "source"), archive=packed))
    assert not (tmp_path / "source").exists()


@pytest.mark.parametrize("name", ["../out.py", "/tmp/out.py", "a/../../out.py"])
def test_nothing_is_unpacked_beside_the_folder(tmp_path: Path, name: str) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    with tarfile.open(storage / "made.tar.gz", "w:gz") as made:
        made.addfile(tarfile.TarInfo(name))
    location = Location(uri=storage.as_uri())
    packed = ArchiveSpec(location=location, key="made.tar.gz", digest=digest_of(storage / "made.tar.gz"))

    with pytest.raises(Unavailable, match="is no file below the folder"):
        unpack(SourceSpec(folder=str(tmp_path / "source"), archive=packed))

    assert not (tmp_path / "source").exists()


def bomb(storage: Path, size: int, count: int = 1) -> ArchiveSpec:
    """Return an archive of files that are nothing but zeros."""
    storage.mkdir()
    with tarfile.open(storage / "made.tar.gz", "w:gz") as made:
        for number in range(count):
            entry = tarfile.TarInfo(f"{number}.py")
            entry.size = size
            made.addfile(entry, io.BytesIO(bytes(size)))
    return ArchiveSpec(
        location=Location(uri=storage.as_uri()), key="made.tar.gz", digest=digest_of(storage / "made.tar.gz")
    )


def test_an_archive_that_is_far_larger_than_it_looks_is_not_unpacked(tmp_path: Path) -> None:
    made = bomb(tmp_path / "storage", 80 << 20)

    with pytest.raises(Refused, match="is 200 times as large as the archive that holds it, and is not unpacked"):
        unpack(SourceSpec(folder=str(tmp_path / "source"), archive=made))
    assert not (tmp_path / "source").exists()


def test_an_archive_of_too_many_files_or_bytes_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bomb(tmp_path / "storage", 100, count=30)
    for limit, value, what in (("MOST_FILES", 29, "more than 29 files"), ("MOST_BYTES", 2999, "MiB of files")):
        with monkeypatch.context() as patch:
            patch.setattr(archive, limit, value)
            with pytest.raises(Refused, match=what):
                unpack(SourceSpec(folder=str(tmp_path / "source"), archive=made))


def test_a_commit_of_too_many_files_is_not_checked_out(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "MOST_FILES", 1)

    with pytest.raises(Refused, match=r"^The git repository file://.*repository has more than 1 files; leave out"):
        fetch(asked(repository, tmp_path / "storage"))


def test_a_few_trees_that_name_a_million_files_are_refused_at_once(repository: Path, tmp_path: Path) -> None:
    name = git(repository, "rev-parse", "HEAD:ml/tumours/scores.py")
    entry = f"100644 blob {name}"
    for _ in range(6):
        listed = "".join(f"{entry}\tf{number}\n" for number in range(10))
        tree = subprocess.run(
            ["git", "-C", str(repository), "mktree"], input=listed, capture_output=True, text=True, check=True
        ).stdout.strip()
        entry = f"040000 tree {tree}"
    commit = git(repository, "commit-tree", tree, "-m", "Bomb")
    git(repository, "branch", "--force", "bomb", commit)

    with pytest.raises(Refused, match=r"repository has more than 20,000 files"):
        fetch(asked(repository, tmp_path / "storage", revision="bomb", path=None))


def test_a_repository_of_more_bytes_than_a_source_may_have_is_refused_while_it_comes(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "data.bin").write_bytes(random.Random(0).randbytes(400_000))
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "Data")
    bounded = ("sh", "-c", 'ulimit -f 100; exec "$@"', "sh")  # 50 KiB
    monkeypatch.setattr("penstock_jobs.source.git._BOUNDED", bounded)

    with pytest.raises(Refused, match="is larger than 1,024 MiB at that commit; keep data out of it"):
        fetch(asked(repository, tmp_path / "storage"))


def test_a_link_out_of_the_folder_is_not_packed(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the pod")
    (repository / "ml" / "link").symlink_to(tmp_path / "secret")
    (repository / "ml" / "alias.py").symlink_to("tumours/scores.py")

    pack(repository / "ml", tmp_path / "packed")

    with tarfile.open(tmp_path / "packed") as packed:
        assert packed.getnames() == ["alias.py", "tumours/scores.py"]


def test_a_folder_that_is_not_there_is_refused_with_its_field(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"spec.source.git.path is absent, and .* has no such folder; correct it"):
        fetch(asked(repository, tmp_path / "storage", path="absent"))


def test_a_secret_without_a_password_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    secret = Credentials(folder=str(tmp_path / "secret"))
    job = msgspec.structs.replace(
        asked(tmp_path, tmp_path), repository="https://git.example/ml.git", credentials=secret
    )

    with pytest.raises(Refused, match=r"The Secret of spec.source.git.credentials has no password that can be read"):
        fetch(job)


def test_a_server_that_nobody_vouches_for_is_not_spoken_to(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "ssh-privatekey").write_text("key")
    secret = Credentials(folder=str(tmp_path / "secret"))
    job = msgspec.structs.replace(asked(tmp_path, tmp_path), repository="git@git.example:ml.git", credentials=secret)

    with pytest.raises(Refused, match="has no known_hosts"):
        fetch(job)

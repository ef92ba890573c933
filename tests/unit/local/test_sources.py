"""One's own operations on a laptop: a folder that stands for the repository, or the repository at one commit."""

import subprocess
from pathlib import Path

import pytest

from penstock.api.pipeline import GitSource, Source
from penstock.local.home import Home
from penstock.local.mapping import Mapped
from penstock.local.sources import operations
from penstock_jobs.errors import Refused


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A Person", "-c", "user.email=person@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *identity, "-C", str(folder), *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def committed(folder: Path, content: str) -> str:
    (folder / "ml").mkdir(exist_ok=True)
    (folder / "ml" / "scores.py").write_text(content)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", content)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    committed(folder, "FIRST = 1")
    return folder


def source(repository: Path, revision: str = "main", path: str | None = "ml") -> Source:
    return Source(git=GitSource(url=str(repository), revision=revision, path=path))


def nothing(tmp_path: Path) -> Mapped:
    return Mapped(tmp_path / "local.yaml")


def test_the_commit_of_a_branch_is_checked_out_and_told(repository: Path, tmp_path: Path) -> None:
    found = operations(Home(tmp_path / "home"), nothing(tmp_path), source(repository))

    assert found is not None
    assert found.commit == git(repository, "rev-parse", "HEAD")
    assert (Path(found.folder) / "scores.py").read_text() == "FIRST = 1"


def test_a_run_that_recorded_its_commit_keeps_it(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    committed(repository, "SECOND = 2")
    kept = operations(Home(tmp_path / "home"), nothing(tmp_path), source(repository), commit=first)
    new = operations(Home(tmp_path / "home"), nothing(tmp_path), source(repository))

    assert kept is not None
    assert new is not None
    assert (Path(kept.folder) / "scores.py").read_text() == "FIRST = 1"
    assert (Path(new.folder) / "scores.py").read_text() == "SECOND = 2"


def test_an_annotated_tag_is_the_commit_that_it_stands_for(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "-a", "v1", "-m", "one")
    found = operations(Home(tmp_path / "home"), nothing(tmp_path), source(repository, "v1"))

    assert found is not None
    assert found.commit == git(repository, "rev-parse", "HEAD")


def test_a_folder_that_stands_for_the_repository_is_taken_as_it_is(repository: Path, tmp_path: Path) -> None:
    url = "https://git.example/ml.git"
    mapped = Mapped(tmp_path / "local.yaml", sources={url: repository})
    found = operations(Home(tmp_path / "home"), mapped, Source(git=GitSource(url=url, path="ml")))

    assert found is not None
    assert Path(found.folder) == repository / "ml"


@pytest.mark.parametrize(
    ("revision", "path", "named"), [("absent", "ml", "absent"), ("main", "absent", "spec.source.git.path is absent")]
)
def test_a_revision_or_a_folder_that_is_not_there_is_refused(
    repository: Path, tmp_path: Path, revision: str, path: str, named: str
) -> None:
    with pytest.raises(Refused, match=named):
        operations(Home(tmp_path / "home"), nothing(tmp_path), source(repository, revision, path))


def test_a_repository_that_cannot_be_had_is_refused_with_what_git_says(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"spec\.source\.git cannot be had from .*absent"):
        operations(Home(tmp_path / "home"), nothing(tmp_path), source(tmp_path / "absent"))

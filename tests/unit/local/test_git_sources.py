"""`spec.source.git` on a laptop: which commit it is, how it is had, and what is said when it cannot be."""

import stat
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from git_repositories import Remote, git_environment, remote
from needed_programs import needs_program
from penstock.api.credentials import SecretReference
from penstock.api.pipeline import GitSource
from penstock.local.home import Home
from penstock.local.locks import hold_lock
from penstock.local.mapping import LocalMapping
from penstock.local.sources import commit_of, operations, repository_credentials
from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.specification import SourceSpec
from penstock_jobs.source.git import Git


@pytest.fixture
def ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    for name, value in git_environment(tmp_path / "remotes").items():
        monkeypatch.setenv(name, value)
    made = remote(tmp_path / "remotes" / "ml")
    made.commit(scores="first = 1", team__own="deep = 1")
    return made


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def nothing(home: Home) -> LocalMapping:
    return LocalMapping(home.mapping)


def mapped(home: Home, ml: Remote) -> LocalMapping:
    return LocalMapping(home.mapping, sources={ml.url: ml.folder})


def fetched(home: Home, git: GitSource, commit: str | None = None) -> SourceSpec:
    return operations(home, nothing(home), git, commit)


def resolved(mapping: LocalMapping, git: GitSource, secret: SecretReference | None = None) -> str | None:
    credentials = repository_credentials(mapping, git, secret)
    return operations(Home(mapping.path.parent), mapping, git, None, credentials).commit


def files(source: SourceSpec) -> list[str]:
    return sorted(str(path.relative_to(source.folder)) for path in Path(source.folder).rglob("*") if path.is_file())


def test_without_a_revision_it_is_where_the_repository_says(ml: Remote, home: Home) -> None:
    assert resolved(nothing(home), GitSource(url=ml.url)) == ml.git("rev-parse", "HEAD")


def test_the_folder_has_the_files_of_the_commit_and_nothing_of_git(ml: Remote, home: Home) -> None:
    old = ml.git("rev-parse", "HEAD")
    ml.commit(scores="second = 2", more="")

    source = fetched(home, GitSource(url=ml.url), old)

    assert source.commit == old
    assert files(source) == ["scores.py", "team/own.py"]
    assert Path(source.folder, "scores.py").read_text() == "first = 1"


def test_a_branch_goes_by_its_whole_name(ml: Remote, home: Home) -> None:
    ml.git("checkout", "--quiet", "-b", "a/main")
    other = ml.commit(scores="other = 1")

    assert resolved(nothing(home), GitSource(url=ml.url, revision="main")) == ml.git("rev-parse", "main")
    assert resolved(nothing(home), GitSource(url=ml.url, revision="a/main")) == other


def test_an_annotated_tag_is_the_commit_that_it_stands_for(ml: Remote, home: Home) -> None:
    ml.git("tag", "--annotate", "v1", "--message", "one")
    tagged = ml.git("rev-parse", "HEAD")
    ml.commit(scores="second = 2")

    assert resolved(nothing(home), GitSource(url=ml.url, revision="v1")) == tagged


def test_a_tag_goes_before_a_branch_of_its_name(ml: Remote, home: Home) -> None:
    tagged = ml.git("rev-parse", "HEAD")
    ml.git("tag", "both")
    ml.git("checkout", "--quiet", "-b", "both")
    ml.commit(scores="second = 2")

    assert resolved(nothing(home), GitSource(url=ml.url, revision="both")) == tagged


def test_the_beginning_of_a_commit_is_enough(ml: Remote, home: Home) -> None:
    old = ml.git("rev-parse", "HEAD")
    ml.commit(scores="second = 2")

    assert resolved(nothing(home), GitSource(url=ml.url, revision=old[:10])) == old


def test_a_path_is_the_folder_on_the_import_path(ml: Remote, home: Home) -> None:
    assert files(fetched(home, GitSource(url=ml.url, path="team"))) == ["own.py"]


def test_a_commit_that_was_fetched_needs_no_repository(ml: Remote, home: Home, tmp_path: Path) -> None:
    commit = ml.git("rev-parse", "HEAD")
    first = fetched(home, GitSource(url=ml.url, revision=commit))
    ml.folder.rename(tmp_path / "gone")

    assert fetched(home, GitSource(url=ml.url, revision=commit)) == first


def test_a_checkout_that_fails_leaves_nothing_to_be_taken_for_one(ml: Remote, home: Home) -> None:
    with pytest.raises(Refused):
        fetched(home, GitSource(url=ml.url), "0" * 40)

    assert [path for path in (home.root / "sources").rglob("*") if path.is_file()] == []


def test_what_a_killed_checkout_left_is_not_used_and_goes(ml: Remote, home: Home) -> None:
    first = fetched(home, GitSource(url=ml.url))
    half = Path(first.folder).parent / ".part-killed" / "files"
    half.mkdir(parents=True)
    (half / "scores.py").write_text("half")
    second = fetched(home, GitSource(url=ml.url), ml.commit(scores="second = 2"))

    assert Path(second.folder, "scores.py").read_text() == "second = 2"
    assert not half.exists()


@pytest.mark.parametrize("revision", ["absent", "feature/absent", "abcdef0", "v1^{}"])
def test_a_revision_that_is_not_there_is_refused_by_its_name(ml: Remote, home: Home, revision: str) -> None:
    with pytest.raises(Refused, match=r"spec\.source\.git\.revision is .*, and https://git\.example/ml has no such"):
        resolved(nothing(home), GitSource(url=ml.url, revision=revision))


def test_a_commit_that_is_not_there_is_refused(ml: Remote, home: Home) -> None:
    with pytest.raises(Refused, match="has no such commit"):
        fetched(home, GitSource(url=ml.url, revision="0123456789" * 4))


def test_a_repository_that_is_not_there_is_refused(ml: Remote, home: Home) -> None:
    with pytest.raises(Refused, match=r"https://git\.example/absent, and there is no repository"):
        resolved(nothing(home), GitSource(url=f"{ml.url[:-2]}absent"))


@pytest.mark.parametrize("path", ["absent", "scores.py", ".."])
def test_a_path_that_is_no_folder_of_the_repository_is_refused(ml: Remote, home: Home, path: str) -> None:
    for mapping in (nothing(home), mapped(home, ml)):
        with pytest.raises(Refused, match=r"spec\.source\.git\.path is .*has no such folder"):
            operations(home, mapping, GitSource(url=ml.url, path=path), None)


def test_a_server_that_does_not_answer_is_not_the_users_mistake(home: Home) -> None:
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:1/ml cannot be had at this time"):
        resolved(nothing(home), GitSource(url="http://127.0.0.1:1/ml"))


def test_a_machine_without_git_is_told_to_install_it(
    ml: Remote, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Refused, match="there is no git on this machine; install it"):
        resolved(nothing(home), GitSource(url=ml.url))
    assert operations(home, mapped(home, ml), GitSource(url=ml.url), None) == SourceSpec(folder=str(ml.folder))


def test_the_folder_of_the_mapping_stands_for_the_repository(ml: Remote, home: Home) -> None:
    git = GitSource(url=ml.url, revision="absent", path="team")

    assert operations(home, mapped(home, ml), git, None) == SourceSpec(
        folder=str(ml.folder / "team"), commit=ml.git("rev-parse", "HEAD")
    )


def test_a_mapping_to_no_folder_is_refused_by_its_file(ml: Remote, home: Home, tmp_path: Path) -> None:
    mapping = LocalMapping(home.mapping, sources={ml.url: tmp_path / "absent"})

    with pytest.raises(Refused, match=r"local\.yaml says that https://git\.example/ml is .*absent, which is no folder"):
        operations(home, mapping, GitSource(url=ml.url), None)


@pytest.mark.parametrize("file", ["team/own.py", "team/new.py"])
def test_a_folder_with_changes_is_marked(ml: Remote, file: str) -> None:
    commit = ml.git("rev-parse", "HEAD")
    (ml.folder / file).write_text("changed")

    assert commit_of(ml.folder / "team") == f"{commit}-dirty"


def test_what_python_and_others_leave_beside_the_folder_is_no_change(ml: Remote) -> None:
    (ml.folder / "scores.py").write_text("changed")
    (ml.folder / "team" / "__pycache__").mkdir()
    (ml.folder / "team" / "__pycache__" / "own.pyc").touch()

    assert commit_of(ml.folder / "team") == ml.git("rev-parse", "HEAD")


def test_a_folder_that_no_commit_holds_has_none(ml: Remote, tmp_path: Path) -> None:
    (ml.folder / "loose").mkdir()

    assert commit_of(ml.folder / "loose") is None
    assert commit_of(tmp_path) is None


def test_operations_that_no_commit_holds_are_not_fetched(ml: Remote, home: Home) -> None:
    commit = ml.git("rev-parse", "HEAD")

    with pytest.raises(Refused, match=f"changes that the commit {commit} of"):
        operations(home, nothing(home), GitSource(url=ml.url), f"{commit}-dirty")


def test_git_is_not_led_to_the_repository_that_a_hook_runs_in(
    ml: Remote, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(home.root / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(home.root))

    assert "scores.py" in files(fetched(home, GitSource(url=ml.url)))


def test_two_runs_at_once_fetch_one_after_the_other(ml: Remote, home: Home) -> None:
    said: list[str] = []
    commit = ml.git("rev-parse", "HEAD")
    source = operations(home, nothing(home), GitSource(url=ml.url), commit, tell=said.append)
    with hold_lock(next((home.root / "locks").glob("source-*.lock"))):
        again = operations(home, nothing(home), GitSource(url=ml.url), commit, tell=said.append)

    assert again == source
    assert said == [f"Fetching {ml.url} at {commit[:12]}."]


PROGRAM = """#!/bin/sh
printf '%s\\n' "$*" >> {log}
{then}
"""


def program(folder: Path, name: str, then: str) -> Path:
    """Put a program first on a path that notes its words and then does what is said."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(PROGRAM.format(log=folder / f"{name}.log", then=then))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@needs_program("ssh-keygen", "ssh-agent")
def test_an_ssh_key_reaches_ssh_by_an_agent_alone(
    ml: Remote, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "of-the-test", "-f", f"{tmp_path}/key"]
    subprocess.run(words, check=True)
    key = (tmp_path / "key").read_text()
    (tmp_path / "key").unlink()
    # In place of ssh: what keys it could show, and the repository that the other side would give.
    ssh = program(
        tmp_path / "bin",
        "ssh",
        f"ssh-add -l > {tmp_path}/keys; env > {tmp_path}/environment; git-upload-pack {ml.folder}",
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    monkeypatch.setenv("DEPLOY_KEY", key)
    mapping = LocalMapping(home.mapping, secrets={"repo": {"ssh-privatekey": "DEPLOY_KEY"}})
    git = GitSource(url="git@git.example:ml", credentials=SecretReference(secret_name="repo"))

    assert resolved(mapping, git, git.credentials) == ml.git("rev-parse", "HEAD")
    assert "of-the-test" in (tmp_path / "keys").read_text()
    assert "PRIVATE KEY" not in (tmp_path / "environment").read_text()
    assert "PRIVATE KEY" not in (tmp_path / "bin" / "ssh.log").read_text()


class Guarded(SimpleHTTPRequestHandler):
    """Gives files to who knows the word."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != f"Basic {b64encode(b'somebody:the-word').decode()}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="repositories"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def guarded(ml: Remote) -> Iterator[GitSource]:
    """The repository behind a server that asks for a password, and knows nothing of git."""
    ml.git("update-server-info")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guarded, directory=str(ml.folder.parent))) as server:
        Thread(target=server.serve_forever).start()
        secret = SecretReference(secret_name="repo")
        yield GitSource(url=f"http://127.0.0.1:{server.server_port}/ml/.git", credentials=secret)
        server.shutdown()


def logged_in(home: Home, **keys: str) -> LocalMapping:
    return LocalMapping(home.mapping, secrets={"repo": keys})


def test_a_password_is_on_no_command_line_in_no_file_and_in_no_store_of_the_user(
    ml: Remote, guarded: GitSource, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = program(tmp_path / "bin", "store", "cat >> $0.given")
    (tmp_path / "gitconfig").write_text(f"[credential]\n  helper = {store}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))  # every command line of git's own
    monkeypatch.setenv("REPO_USER", "somebody")
    monkeypatch.setenv("REPO_TOKEN", "the-word")
    mapping = logged_in(home, username="REPO_USER", password="REPO_TOKEN")

    source = operations(home, mapping, guarded, None, repository_credentials(mapping, guarded, guarded.credentials))

    assert source.commit == ml.git("rev-parse", "HEAD")
    assert files(source) == ["scores.py", "team/own.py"]
    assert "ls-remote" in (tmp_path / "trace").read_text()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in written if b"the-word" in path.read_bytes()] == []


def test_a_wrong_password_is_refused_and_not_told(
    guarded: GitSource, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPO_TOKEN", "another-word")

    with pytest.raises(Refused, match="does not let us in") as refused:
        resolved(logged_in(home, password="REPO_TOKEN"), guarded, guarded.credentials)
    assert "another-word" not in str(refused.value)


def test_a_server_that_asks_for_a_password_gets_a_sentence_and_nobody_a_question(
    guarded: GitSource, home: Home
) -> None:
    with pytest.raises(Refused, match=r"does not let us in .*spec\.source\.git\.credentials"):
        resolved(nothing(home), guarded)


@needs_program("ssh-agent")
def test_a_key_that_is_none_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_KEY", "no key")
    mapping = LocalMapping(home.mapping, secrets={"repo": {"ssh-privatekey": "DEPLOY_KEY"}})
    git = GitSource(url="git@git.example:ml", credentials=SecretReference(secret_name="repo"))

    with pytest.raises(Refused, match="does not let us in"):
        resolved(mapping, git, git.credentials)


def test_a_secret_that_nothing_stands_for_is_refused_with_the_line_to_add(home: Home) -> None:
    git = GitSource(url="https://git.example/ml", credentials=SecretReference(secret_name="repo"))

    with pytest.raises(
        Refused, match=r"credentials\.secretName names the Secret repo.*\{repo: \{password: VARIABLE\}\}"
    ):
        resolved(nothing(home), git, git.credentials)


def test_a_variable_that_is_not_set_is_refused_by_its_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN_OF_GIT", raising=False)
    mapping = LocalMapping(home.mapping, secrets={"repo": {"password": "TOKEN_OF_GIT"}})
    git = GitSource(url="https://git.example/ml", credentials=SecretReference(secret_name="repo"))

    with pytest.raises(Refused, match=r"environment variable TOKEN_OF_GIT.*is not set"):
        resolved(mapping, git, git.credentials)


def test_git_is_not_given_the_credentials_of_others(ml: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET_SECRET", "word")

    telling = ("-c", "alias.tell=!printf 'it is %s' \"$BUCKET_SECRET\"", "tell")

    assert Git(ml.url).answer(*telling) == "it is word"
    assert Git(ml.url, hidden=frozenset({"BUCKET_SECRET"})).answer(*telling) == "it is"

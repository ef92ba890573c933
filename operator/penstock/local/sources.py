"""One's own operations on a laptop: a folder that `local.yaml` names, or the git repository at one commit.

This is how a machine carries the source job of a run out. A commit is checked out once, into a folder of its own, and
then kept.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.api.credentials import SecretReference
from penstock.api.pipeline import GitSource
from penstock.decide.source_commit import DIRTY
from penstock.local.home import Home, make_folder
from penstock.local.locks import hold_lock
from penstock.local.mapping import LocalMapping
from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.result import SourceResult
from penstock_jobs.contract.specification import Credentials, SourceJob, SourceSpec
from penstock_jobs.source.commits import check_out, resolve_commit
from penstock_jobs.source.git import Git, Login, is_ssh

_USERNAME, _PASSWORD, _SSH_KEY = "username", "password", "ssh-privatekey"
NO_CREDENTIALS = Credentials()


def fetch_source(home: Home, mapped: LocalMapping, job: SourceJob, tell: Callable[[str], None]) -> SourceResult:
    """Carry a source job out: `archive` is the folder itself, which no other job needs to unpack."""
    git = GitSource(url=job.repository, revision=job.revision, path=job.path)
    found = operations(home, mapped, git, job.commit, job.credentials, tell)
    return SourceResult(commit=found.commit or "", archive=found.folder, digest="", files=0)


def operations_in(made: SourceResult) -> SourceSpec:
    """Return where the other jobs find what a source job found here."""
    return SourceSpec(folder=made.archive, commit=made.commit or None)


def operations(
    home: Home,
    mapped: LocalMapping,
    git: GitSource,
    commit: str | None,
    credentials: Credentials = NO_CREDENTIALS,
    tell: Callable[[str], None] = lambda _: None,
) -> SourceSpec:
    """Return the folder that goes on the import path, and its commit; without one, that of the revision now.

    Where `local.yaml` names a folder for the repository it is that folder, as it is now, with the commit that it is at;
    where that is not the commit that is asked for, it is refused.
    """
    folder = mapped.source(git.url)
    if folder is not None:
        if not folder.is_dir():
            raise Refused(f"{mapped.path} says that {git.url} is {folder}, which is no folder; correct it.")
        path = _beneath(folder, git)
        found = commit_of(path)
        if commit is not None and (found != commit or commit.endswith(DIRTY)):
            raise Refused(
                f"The run had the operations of {folder} at {commit}, and now they are at {found or 'no commit'}"
                f"{' with other changes, maybe' if found == commit else ''}; check that commit out, or say --debug."
            )
        return SourceSpec(folder=str(path), commit=found)
    if commit is not None and commit.endswith(DIRTY):
        raise Refused(
            f"The operations were those of a folder with changes that the commit {commit.removesuffix(DIRTY)} of "
            f"{git.url} does not hold; name that folder under sources in {mapped.path}."
        )
    program = _program(mapped, git, credentials)
    commit = commit or resolve_commit(program, git.revision)
    return SourceSpec(folder=str(_beneath(_check_out_once(home, program, commit, tell), git)), commit=commit)


def commit_of(folder: Path) -> str | None:
    """Return the commit that holds the folder, with `-dirty` where the folder is not as it is there; None without."""
    git = Git(str(folder))
    here = ("--no-optional-locks", "-C", str(folder))
    # A folder that merely lies in a repository, as in a home that is one, is not in its commit.
    if not folder.is_dir() or git.answer(*here, "rev-parse", "--verify", "--quiet", "HEAD:./") is None:
        return None
    commit = git.answer(*here, "rev-parse", "--verify", "--quiet", "HEAD")
    changes = git.answer(*here, "status", "--porcelain", "--", ".", ":(exclude,glob)**/__pycache__/**")
    return f"{commit}{DIRTY}" if changes else commit


def _beneath(folder: Path, git: GitSource) -> Path:
    path = folder / git.path if git.path else folder
    if not path.is_dir() or not path.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"spec.source.git.path is {git.path}, and {git.url} has no such folder; correct it.")
    return path.absolute()


def repository_credentials(mapped: LocalMapping, git: GitSource, secret: SecretReference | None) -> Credentials:
    """Return the environment variables that stand for the Secret of the repository, by what git is told of each."""
    if secret is None or mapped.source(git.url) is not None:
        return Credentials()
    place, keys = "spec.source.git.credentials.secretName", secret.keys
    if is_ssh(git.url):
        name = (keys.ssh_private_key if keys else None) or _SSH_KEY
        return Credentials(environment={_SSH_KEY: mapped.variables_of(secret.secret_name, place, (name,))[name]})
    password = (keys.password if keys else None) or _PASSWORD
    username = (keys.username if keys else None) or _USERNAME
    variables = mapped.variables_of(secret.secret_name, place, (password,), (username,))
    names = {username: _USERNAME, password: _PASSWORD}
    return Credentials(environment={names[key]: variable for key, variable in variables.items()})


def _program(mapped: LocalMapping, git: GitSource, credentials: Credentials) -> Git:
    return Git(git.url, _login(credentials.environment), mapped.variables())


def _login(variables: Mapping[str, str]) -> Login:
    if not variables:
        return Login()
    if _SSH_KEY in variables:
        return Login(ssh_key=_value(variables[_SSH_KEY], _SSH_KEY))
    password = _value(variables[_PASSWORD], _PASSWORD)
    # Who is let in by a token is often not asked for a name, but git sends one.
    name = _value(variables[_USERNAME], _USERNAME) if _USERNAME in variables else "git"
    return Login(username=name, password=password)


def _value(variable: str, key: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise Refused(f"The environment variable {variable}, which should hold the {key}, is not set; set it.")
    return value


def _check_out_once(home: Home, git: Git, commit: str, tell: Callable[[str], None]) -> Path:
    name = hashlib.sha256(git.url.encode()).hexdigest()[:16]
    target = home.root / "sources" / name / commit
    if target.is_dir():
        return target
    with hold_lock(home.lock(f"source-{name}"), lambda: tell(f"Waiting for another run that fetches {git.url}.")):
        if not target.is_dir():
            tell(f"Fetching {git.url} at {commit[:12]}.")
            make_folder(target.parent)
            for left in target.parent.glob(".part-*"):  # of a process that was killed: the lock is ours
                shutil.rmtree(left, ignore_errors=True)
            _fetch_and_check_out(git, commit, target)
    return target


def _fetch_and_check_out(git: Git, commit: str, target: Path) -> None:
    """Make the folder appear with all its files, or not at all."""
    try:
        with tempfile.TemporaryDirectory(prefix=".part-", dir=target.parent, ignore_cleanup_errors=True) as part:
            files = Path(part, "files")
            files.mkdir()
            check_out(git, commit, f"{part}/repository", files)
            files.rename(target)
    except OSError as error:
        raise Unavailable(f"{target} cannot be made: {error.strerror}.") from error

"""One's own operations on a laptop: a folder that `local.yaml` names, or the git repository at one commit.

A revision is resolved to a commit once for a run, which records it before anything uses it; a run that is taken up
again keeps it, wherever the branch is by then. A commit is checked out once, into a folder of its own, and then kept.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from penstock.api.credentials import SecretReference
from penstock.api.pipeline import GitSource, PipelineSpec
from penstock.api.run import PipelineRun
from penstock.decide.run_state import status_of
from penstock.local.home import Home, make_folder
from penstock.local.locks import held
from penstock.local.mapping import Mapped
from penstock.local.resources import Resources
from penstock_jobs.errors import Refused, Unavailable
from penstock_jobs.source.commits import fill, resolved_commit
from penstock_jobs.source.git import Git, Login, is_ssh
from penstock_jobs.specification import Source

DIRTY = "-dirty"  # after a commit: the folder had changes that the commit does not hold


def operations_of(
    resources: Resources, mapped: Mapped, spec: PipelineSpec, run: PipelineRun, tell: Callable[[str], None]
) -> tuple[PipelineRun, Source | None]:
    """Return the run, which says at which commit its operations are, and the folder that holds them.

    A run that reads and writes tables only has no use for operations, and needs no repository.
    """
    if spec.source is None or {step.name for step in status_of(run).steps} == {"dataset"}:
        return run, None
    git = spec.source.git
    secret = (run.spec.credentials.source if run.spec.credentials else None) or git.credentials
    recorded = status_of(run).commit
    if recorded is None and (commit := resolved(mapped, git, secret)) is not None:
        run = resources.change(PipelineRun, run.metadata.name or "", partial(_with_commit, commit=commit))
        recorded = commit
    source = operations(resources.home, mapped, git, recorded, secret, tell)
    if source.commit != recorded:
        tell(f"The run began with {git.url} at {recorded}; {source.folder} is at {source.commit or 'no commit'} now.")
    return run, source


def operations(
    home: Home,
    mapped: Mapped,
    git: GitSource,
    commit: str | None,
    secret: SecretReference | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Source:
    """Return the folder that goes on the import path, and its commit; without one, that of the revision now.

    Where `local.yaml` names a folder for the repository it is that folder, as it is now, with the commit that it is at.
    """
    folder = mapped.source(git.url)
    if folder is not None:
        if not folder.is_dir():
            raise Refused(f"{mapped.path} says that {git.url} is {folder}, which is no folder; correct it.")
        path = _beneath(folder, git)
        return Source(folder=str(path), commit=commit_of(path))
    if commit is not None and commit.endswith(DIRTY):
        raise Refused(
            f"The operations were those of a folder with changes that the commit {commit.removesuffix(DIRTY)} of "
            f"{git.url} does not hold; name that folder under sources in {mapped.path}."
        )
    program = _program(mapped, git, secret)
    commit = commit or resolved_commit(program, git.revision)
    return Source(folder=str(_beneath(_checked_out(home, program, commit, tell), git)), commit=commit)


def resolved(mapped: Mapped, git: GitSource, secret: SecretReference | None = None) -> str | None:
    """Return the commit that the revision is at now; None where a folder stands for the repository and has none."""
    folder = mapped.source(git.url)
    if folder is not None:
        return commit_of(folder / git.path if git.path else folder)
    return resolved_commit(_program(mapped, git, secret), git.revision)


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


def _with_commit(run: PipelineRun, commit: str) -> PipelineRun:
    status = status_of(run)
    return msgspec.structs.replace(run, status=msgspec.structs.replace(status, commit=status.commit or commit))


def _beneath(folder: Path, git: GitSource) -> Path:
    path = folder / git.path if git.path else folder
    if not path.is_dir() or not path.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"spec.source.git.path is {git.path}, and {git.url} has no such folder; correct it.")
    return path.absolute()


def _program(mapped: Mapped, git: GitSource, secret: SecretReference | None) -> Git:
    login = Login() if secret is None else _login(mapped, git, secret)
    return Git(git.url, login, mapped.variables())


def _login(mapped: Mapped, git: GitSource, secret: SecretReference) -> Login:
    place = "spec.source.git.credentials.secretName"
    keys = secret.keys
    if is_ssh(git.url):
        name = (keys.ssh_private_key if keys else None) or "ssh-privatekey"
        return Login(ssh_key=_value(mapped.named(secret.secret_name, place, (name,))[name], name))
    password = (keys.password if keys else None) or "password"
    username = (keys.username if keys else None) or "username"
    variables = mapped.named(secret.secret_name, place, (password,), (username,))
    # Who is let in by a token is often not asked for a name, but git sends one.
    name = _value(variables[username], username) if username in variables else "git"
    return Login(username=name, password=_value(variables[password], password))


def _value(variable: str, key: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise Refused(f"The environment variable {variable}, which should hold the {key}, is not set; set it.")
    return value


def _checked_out(home: Home, git: Git, commit: str, tell: Callable[[str], None]) -> Path:
    name = hashlib.sha256(git.url.encode()).hexdigest()[:16]
    target = home.root / "sources" / name / commit
    if target.is_dir():
        return target
    with held(home.lock(f"source-{name}"), lambda: tell(f"Waiting for another run that fetches {git.url}.")):
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
            fill(git, commit, f"{part}/repository", files)
            files.rename(target)
    except OSError as error:
        raise Unavailable(f"{target} cannot be made: {error.strerror}.") from error

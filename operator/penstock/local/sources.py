"""One's own operations on a laptop: a folder that `local.yaml` names, or the git repository at one commit.

A commit is checked out once and then kept; a run that is taken up again keeps the commit that it recorded.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from penstock.api.pipeline import GitSource
from penstock.api.pipeline import Source as ApiSource
from penstock.local.home import Home, make_folder
from penstock.local.mapping import Mapped
from penstock_jobs.errors import Refused
from penstock_jobs.specification import Source

_COMMIT = re.compile(r"[0-9a-f]{40}")


def operations(home: Home, mapped: Mapped, source: ApiSource | None, commit: str | None = None) -> Source | None:
    """Return the folder that goes on the import path, and its commit; `commit` is the one to take, where known."""
    if source is None:
        return None
    git = source.git
    folder = mapped.sources.get(git.url)
    if folder is None:
        commit = commit or _resolved(git)
        folder = _checked_out(home, git, commit)
    path = folder / git.path if git.path else folder
    if not path.is_dir():
        raise Refused(f"spec.source.git.path is {git.path}, and {git.url} has no such folder; correct it.")
    return Source(folder=str(path.absolute()), commit=commit)


def _resolved(git: GitSource) -> str:
    if _COMMIT.fullmatch(git.revision):
        return git.revision
    # An annotated tag is listed twice; `^{}` is the commit that it stands for.
    lines = _git(git, "ls-remote", "--", git.url, git.revision, f"{git.revision}^{{}}").splitlines()
    if not lines:
        raise Refused(
            f"spec.source.git.revision is {git.revision}, and {git.url} has no such branch or tag; correct it."
        )
    return next((line for line in lines if line.endswith("^{}")), lines[0]).split()[0]


def _checked_out(home: Home, git: GitSource, commit: str) -> Path:
    target = home.root / "sources" / hashlib.sha256(git.url.encode()).hexdigest()[:16] / commit
    if target.is_dir():
        return target
    make_folder(target.parent)
    unfinished = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
    try:
        _git(git, "clone", "--quiet", "--no-checkout", "--", git.url, str(unfinished))
        _git(git, "-C", str(unfinished), "checkout", "--quiet", "--detach", commit)
        unfinished.rename(target)
    except OSError as error:
        if not target.is_dir():  # another run may have been first
            raise Refused(f"{target} cannot be made: {error.strerror}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _git(git: GitSource, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Refused("spec.source is in git, and there is no git on this machine; install it.") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1].rstrip(".")
        raise Refused(
            f"spec.source.git cannot be had from {git.url}: {said}; correct it, let git reach it, or name a folder for "
            "it under sources in local.yaml."
        )
    return done.stdout

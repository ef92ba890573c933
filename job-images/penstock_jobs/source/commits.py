"""From a revision to a commit, and from a commit to its files."""

import re
import tempfile
from pathlib import Path

from penstock_jobs.archive_bounds import check_bounds
from penstock_jobs.contract.errors import Refused
from penstock_jobs.source.archive import MOST_BYTES, MOST_FILES
from penstock_jobs.source.git import Git

_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_ABBREVIATION = re.compile(r"[0-9a-fA-F]{4,63}")
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


def resolve_commit(git: Git, revision: str) -> str:
    """Return the commit that a branch, a tag or the beginning of a commit is at now."""
    if _COMMIT.fullmatch(revision):
        return revision.lower()
    # An annotated tag is listed twice; `^{}` is the commit that it stands for.
    lines = git("ls-remote", "--", git.url, revision, f"{revision}^{{}}").splitlines()
    listed = {name: commit for commit, _, name in (line.partition("\t") for line in lines)}
    for place in ("", "refs/", "refs/tags/", "refs/heads/"):  # in the order of gitrevisions(7)
        for ending in ("^{}", ""):
            if (commit := listed.get(f"{place}{revision}{ending}")) is not None:
                return commit
    found = _find_whole(git, revision) if _ABBREVIATION.fullmatch(revision) else None
    if found is None:
        raise Refused(
            f"spec.source.git.revision is {revision}, and {git.url} has no such branch, tag or commit; correct it."
        )
    return found


def _find_whole(git: Git, abbreviation: str) -> str | None:
    """Return the commit that begins so; only the whole history can tell."""
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        git("init", "--quiet", "--bare", "--template=", folder)
        git("--git-dir", folder, "fetch", "--quiet", "--", git.url, *_EVERYTHING)
        return git.answer("--git-dir", folder, "rev-parse", "--verify", "--quiet", f"{abbreviation}^{{commit}}")


def check_out(git: Git, commit: str, repository: str, files: Path) -> None:
    """Put the files of the commit, and nothing of git, into the folder; the repository is made for that alone."""
    kind = "sha256" if len(commit) == 64 else "sha1"
    git("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", repository)
    there = ("--git-dir", repository)
    if git.answer(*there, "fetch", "--quiet", "--depth=1", "--no-tags", "--", git.url, commit) is None:
        # Not every server gives a commit by its name: then everything, once.
        git(*there, "fetch", "--quiet", "--", git.url, *_EVERYTHING)
    if git.answer(*there, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        raise Refused(f"spec.source.git.revision is {commit}, and {git.url} has no such commit; correct it.")
    _check_size(git, there, commit)
    git(*there, "--work-tree", str(files), "checkout", "--quiet", "--force", "--detach", commit)


def _check_size(git: Git, there: tuple[str, ...], commit: str) -> None:
    """Refuse a commit with more files than a source may have: a few KiB of trees in trees can name millions."""
    files = size = 0
    for line in git.lines(*there, "ls-tree", "-r", "-l", "--full-tree", commit):
        length = line.partition("\t")[0].split()[-1]
        files, size = files + 1, size + (int(length) if length.isdecimal() else 0)
        check_bounds(f"The git repository {git.url}", files, size, size, MOST_FILES, MOST_BYTES)

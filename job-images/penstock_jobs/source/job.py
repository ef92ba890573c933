"""The source job: the one that has the credentials of the repository, and runs nothing of what is in it."""

import os
import shlex
import tempfile
from pathlib import Path

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.result import SourceResult
from penstock_jobs.contract.specification import SourceJob
from penstock_jobs.logs import log
from penstock_jobs.source.archive import digest_of, pack
from penstock_jobs.source.commits import check_out, resolve_commit
from penstock_jobs.source.git import Git, Login, is_ssh
from penstock_jobs.storage import open_store

_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=30 -o StrictHostKeyChecking=yes"
_INSTEAD = "correct it, or let the pods of this namespace reach it"


def fetch(job: SourceJob) -> SourceResult:
    """Put the folder of the repository, at one commit, into the run's storage.

    Raises:
        Refused: there is no such repository, revision or folder, or its credentials let nobody in.
        Unavailable: the repository or the storage did not answer.
    """
    git = Git(job.repository, _login(job), place="the Secret", instead=_INSTEAD)
    commit = job.commit or resolve_commit(git, job.revision)
    log.info("%s is at %s.", job.repository, commit)
    try:
        with tempfile.TemporaryDirectory(prefix="penstock-", ignore_cleanup_errors=True) as scratch:
            files, packed = Path(scratch, "files"), Path(scratch, "archive")
            files.mkdir()
            check_out(git, commit, str(Path(scratch, "repository")), files)
            count = pack(_find_folder(files, job), packed)
            store, key = open_store(job.run_storage), key_of(commit)
            store.upload(packed, key)
            return SourceResult(commit=commit, archive=key, digest=digest_of(packed), files=count)
    except OSError as error:
        raise Unavailable(f"{job.repository} cannot be packed: {error.strerror}.") from error


def key_of(commit: str) -> str:
    """Return where in the run's storage the archive of a commit is."""
    return f"source/{commit}.tar.gz"


def _find_folder(files: Path, job: SourceJob) -> Path:
    folder = files / job.path if job.path else files
    if not folder.is_dir() or not folder.resolve().is_relative_to(files.resolve()):
        raise Refused(f"spec.source.git.path is {job.path}, and {job.repository} has no such folder; correct it.")
    return folder


def _login(job: SourceJob) -> Login:
    if job.credentials.folder is None:
        return Login()
    folder, keys = Path(job.credentials.folder), job.credentials.keys
    if is_ssh(job.repository):
        _trust_server(folder)
        return Login(ssh_key=_read(folder, keys.get("ssh-privatekey", "ssh-privatekey")))
    username = folder / keys.get("username", "username")
    name = username.read_text(encoding="utf-8").strip() if username.is_file() else "git"
    return Login(username=name, password=_read(folder, keys.get("password", "password")))


def _trust_server(folder: Path) -> None:
    """Let ssh know the server: nobody is there to say yes, and whoever answered first would be believed."""
    known = folder / "known_hosts"
    if not known.is_file():
        raise Refused(
            "The Secret of spec.source.git.credentials has no known_hosts, by which the server of the repository is "
            "known; add it: ssh-keyscan HOST."
        )
    os.environ["GIT_SSH_COMMAND"] = f"{_SSH} -o UserKnownHostsFile={shlex.quote(str(known))}"


def _read(folder: Path, name: str) -> str:
    try:
        value = (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"The Secret of spec.source.git.credentials has no {name} that can be read; add it, or name with keys the "
            "one that holds it."
        ) from error
    if not value:
        raise Refused(f"The {name} in the Secret of spec.source.git.credentials is empty; write it there.")
    return value

"""The program `git`, asked so that it never waits for a person, shows no credential, and fails in a sentence.

A credential reaches git by its environment alone: a password through a helper that is a line of shell and holds only
the names of variables, an SSH key through an agent that lives as long as the command.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.source.archive import MOST_BYTES

_USERNAME, _PASSWORD, _KEY = "PENSTOCK_GIT_USERNAME", "PENSTOCK_GIT_PASSWORD", "PENSTOCK_GIT_SSH_KEY"
_HELPER = f'!f() {{ test "$1" = get && printf "username=%s\\npassword=%s\\n" "${_USERNAME}" "${_PASSWORD}"; }}; f'
_WITH_KEY = (
    "ssh-agent",
    "sh",
    "-c",
    f'printf "%s\\n" "${_KEY}" | ssh-add -q - && unset {_KEY} && exec "$@"',
    "sh",
)
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=30"
# A pack is one file, and no file that git writes may be larger; the shell counts in halves of a KiB.
_BOUNDED = ("sh", "-c", f'ulimit -f {MOST_BYTES >> 9} || :; exec "$@"', "sh")
_TOO_LARGE = ("signal 25", "file too large", "signal: file size limit")
# A server that sends less than this many bytes a second, for that many seconds, is taken for gone.
_PATIENCE = (("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", "60"))
# Those of `git rev-parse --local-env-vars` that would lead it to another repository, as inside a hook of git.
_ELSEWHERE = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_NO_LOGIN = (
    "authentication failed",
    "could not read username",
    "could not read password",
    "permission denied (",
    "returned error: 401",
    "returned error: 403",
    "host key verification failed",
    "error loading key",
)
_NO_REPOSITORY = ("not found", "does not exist", "does not appear to be a git repository", "returned error: 404")
_NO_ANSWER = (
    "could not resolve host",
    "failed to connect",
    "couldn't connect",
    "connection refused",
    "connection reset",
    "timed out",
    "network is unreachable",
    "no route to host",
    "operation too slow",
    "name resolution",
    "returned error: 5",
    "early eof",
    "hung up unexpectedly",
    "empty reply",
    "no space left on device",
)


@dataclass(frozen=True)
class Login:
    """What a repository is read with: a user's name and password (or token), or a private SSH key."""

    username: str = field(default="git", repr=False)
    password: str | None = field(default=None, repr=False)
    ssh_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Git:
    """The program, for one repository; `hidden` are environment variables that it is not given.

    `place` is where its credentials are, and `instead` what to do besides, for the sentences.
    """

    url: str
    login: Login = Login()
    hidden: frozenset[str] = frozenset()
    place: str = "local.yaml"
    instead: str = "correct it, let git reach it, or name a folder for it under sources in local.yaml"

    def __call__(self, *words: str) -> str:
        """Return what it prints, or raise the sentence that says why it could not."""
        done = self._run(words)
        if done.returncode != 0:
            raise self._explain(done.stderr)
        return done.stdout

    def answer(self, *words: str) -> str | None:
        """Return what it prints, without the space around it; None where it fails or is not there."""
        try:
            done = self._run(words)
        except Refused:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def _run(self, words: Iterable[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(words),
            env=self._environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def lines(self, *words: str) -> Iterator[str]:
        """Yield the lines that it prints, as they come; whoever has read enough ends it."""
        with subprocess.Popen(
            self._command(words),
            env=self._environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            try:
                yield from process.stdout
            finally:
                process.kill()

    def _command(self, words: Iterable[str]) -> list[str]:
        command = [*(_WITH_KEY if self.login.ssh_key else ()), "git", *words]
        for program in {"git", command[0]}:
            if shutil.which(program) is None:
                raise Refused(f"spec.source is in git, and there is no {program} on this machine; install it.")
        return [*_BOUNDED, *command]

    def _environment(self, mine: Mapping[str, str]) -> dict[str, str]:
        chosen = {name: value for name, value in mine.items() if name not in self.hidden and name not in _ELSEWHERE}
        # In English, since a sentence is chosen by what git says; LANGUAGE would go before LC_ALL.
        chosen |= {"LC_ALL": "C", "LANGUAGE": "", "GIT_TERMINAL_PROMPT": "0"}
        entries = list(_PATIENCE)
        if self.login.password is not None:
            # The empty helper takes the user's own away: they would keep the password in their stores.
            entries += [("credential.helper", ""), (f"credential.{_host(self.url)}.helper", _HELPER)]
            chosen |= {_USERNAME: self.login.username, _PASSWORD: self.login.password, "GIT_ASKPASS": ""}
        if self.login.ssh_key is not None:
            chosen |= {_KEY: self.login.ssh_key, "SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
        if not {"GIT_SSH", "GIT_SSH_COMMAND"} & chosen.keys() and not _has_own_ssh(chosen):
            chosen["GIT_SSH_COMMAND"] = _SSH
        return _add_settings(chosen, entries)

    def _explain(self, said: str) -> JobError:
        lines = [line.strip() for line in said.splitlines() if line.strip()]

        def line_with(words: tuple[str, ...]) -> str | None:
            return next((_strip_prefix(line) for line in lines if any(word in line.lower() for word in words)), None)

        if line_with(_TOO_LARGE) is not None:
            return Refused(
                f"The git repository {self.url} is larger than {MOST_BYTES >> 20:,} MiB at that commit; keep data out "
                "of it, or name another for the operations alone."
            )
        if (line := line_with(_NO_LOGIN)) is not None:
            return Refused(
                f"spec.source.git.url is {self.url}, which does not let us in ({line}); name the Secret with its "
                f"credentials in spec.source.git.credentials, or correct what {self.place} says of it."
            )
        if (line := line_with(_NO_REPOSITORY)) is not None:
            return Refused(
                f"spec.source.git.url is {self.url}, and there is no repository that we may read ({line}); correct "
                "it, or name its credentials in spec.source.git.credentials."
            )
        if (line := line_with(_NO_ANSWER)) is not None:
            return Unavailable(f"The git repository {self.url} cannot be had at this time: {line}.")
        fatal = [line for line in lines if line.startswith("fatal:")] or lines or ["git did not say why"]
        return Refused(f"spec.source.git cannot be had from {self.url}: {_strip_prefix(fatal[-1])}; {self.instead}.")


def is_ssh(url: str) -> bool:
    """Return whether the repository is reached by SSH."""
    return not url.startswith(("http://", "https://"))


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _has_own_ssh(environment: Mapping[str, str]) -> bool:
    words = ["git", "config", "--get", "core.sshCommand"]
    return subprocess.run(words, env=environment, capture_output=True, check=False).returncode == 0


def _add_settings(environment: dict[str, str], entries: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the environment with these settings of git behind those that it has."""
    count = environment.get("GIT_CONFIG_COUNT", "")
    number = int(count) if count.isdecimal() else 0
    added: dict[str, str] = {}
    for key, value in entries:
        added |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        number += 1
    return environment | added | {"GIT_CONFIG_COUNT": str(number)}


def _strip_prefix(line: str) -> str:
    return line.removeprefix("fatal: ").removeprefix("remote: ").removeprefix("error: ").rstrip(".")

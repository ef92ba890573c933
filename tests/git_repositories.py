"""Git repositories as remotes: real ones, in a folder, that the real client takes for `https://git.example/`."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

HOST = "https://git.example"


@dataclass(frozen=True)
class Remote:
    """A repository that a manifest names by `url`."""

    folder: Path

    @property
    def url(self) -> str:
        return f"{HOST}/{self.folder.name}"

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", self.folder, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        """Write the files, where `__` stands for a folder, and commit them; return the commit."""
        for name, content in files.items():
            path = self.folder / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")


def remote(folder: Path) -> Remote:
    """Make an empty repository, whose branch is `main`."""
    folder.mkdir(parents=True)
    made = Remote(folder)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.git("config", "user.name", "somebody")
    made.git("config", "user.email", "somebody@example.com")
    return made


def git_environment(folder: Path) -> dict[str, str]:
    """Return the environment in which `https://git.example/NAME` is the repository NAME of the folder."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{folder.as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": f"{HOST}/",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }

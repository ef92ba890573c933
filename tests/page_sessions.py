"""A page of the documents as one session of a shell: its blocks run in order, in a folder and a home of their own."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from page_blocks import Block, blocks_of
from penstock_command import ROOT

BESIDE = ("examples",)  # what a page names of the repository
MARK = "@@ block"
# The address that a page shows; the server of a session takes a free port.
SHOWN_ADDRESS = "localhost:8080"
PRELUDE = """set -eo pipefail
stop_server() { if [ -n "$SERVER_PID" ]; then kill "$SERVER_PID"; wait "$SERVER_PID" || true; fi; }
trap 'stop_server; rm -f "$SERVER_PIPE"' EXIT
"""


@dataclass(frozen=True)
class Said:
    """What a command of the page printed, and what the page says that it prints."""

    block: Block
    command: str
    printed: str
    shown: str


@dataclass(frozen=True)
class Session:
    """A folder to work in, and a home beside it."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def prepare(self) -> "Session":
        """Make the folder, with what a page names of the repository in it."""
        self.work.mkdir(parents=True, exist_ok=True)
        for name in BESIDE:
            if not (self.work / name).exists():
                shutil.copytree(ROOT / name, self.work / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        return self

    def copied_to(self, folder: Path) -> "Session":
        """Return a copy of the session as it stands: another page goes on with it and leaves this one alone."""
        copy = Session(folder)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        for path in (*copy.home.glob("resources/**/*"), *copy.home.glob("runs/**/*")):
            if path.is_file():  # addresses of files are absolute
                content = path.read_bytes()
                path.write_bytes(content.replace(str(self.folder).encode(), str(folder).encode()))
        return copy

    def run(self, page: Path, folder: str = ".", timeout: float = 400) -> list[Said]:
        """Run the blocks of the page, in that folder below `work`; return what its commands printed.

        Raises:
            AssertionError: when one of them did not end as the page says, with what it printed.
        """
        steps = [step for block in blocks_of(page) if block.is_run for step in _steps(block)]
        script = PRELUDE + "".join(
            f"printf '\\n{MARK} {number}\\n'\n{step.script}\n" for number, step in enumerate(steps)
        )
        code, output = _bash(script, self.work / folder, self._environment(), timeout)
        parts = re.split(rf"^{MARK} \d+\n", output, flags=re.MULTILINE)[1:]
        assert code == 0, f"{steps[max(len(parts) - 1, 0)].block.place} ended with {code}:\n{(parts or [output])[-1]}"
        return [
            Said(step.block, step.command, printed, step.shown)
            for step, printed in zip(steps, parts, strict=True)
            if step.shown
        ]

    def demonstrate(self, example: str) -> None:
        """Run one of the examples as `make demo` does: in the home `demo` beside the manifest's folder."""
        command = ["penstock", "run", f"examples/{example}.yaml", "--home", "demo", "--quiet"]
        subprocess.run(command, cwd=self.work, env=self._environment(), stdout=subprocess.DEVNULL, check=True)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        own = {"PENSTOCK_HOME": str(self.home), "SERVER_PIPE": str(self.folder / "server")}
        return inherited | own | {"PATH": path, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}


@dataclass(frozen=True)
class _Step:
    block: Block
    script: str
    command: str = ""
    shown: str = ""


def _steps(block: Block) -> list[_Step]:
    match block.language, block.kind:
        case "yaml", "file":
            return [_Step(block, f"cat > {shlex.quote(block.value)} <<'__END__'\n{block.text}__END__")]
        case "python", _:
            return [_Step(block, f"python - <<'__END__'\n{block.text}__END__")]
        case "sh", "server":
            [command] = block.commands()
            return [_Step(block, _in_the_background(command))]
        case "console", _:
            return [_Step(block, _ending(command, block.value), command, shown) for command, shown in _shown(block)]
    return [_Step(block, _asked_here(block.text))]


def _shown(block: Block) -> list[tuple[str, str]]:
    """Return each command of a console with what the page shows beneath it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def _ending(command: str, code: str) -> str:
    """Return the shell that runs the command and checks how it ended."""
    command = _asked_here(command)
    return command if not code else f"code=0; {command} || code=$?; [ $code = {code} ]"


def _asked_here(text: str) -> str:
    return text.replace(SHOWN_ADDRESS, "$SERVER_ADDRESS").replace("'$SERVER_ADDRESS", "'\"$SERVER_ADDRESS\"'")


def _in_the_background(command: str) -> str:
    """Return the shell that starts the server on a free port and waits for the line that says where it is."""
    return (
        'stop_server; rm -f "$SERVER_PIPE"; mkfifo "$SERVER_PIPE"\n'
        f'{command} --port 0 > "$SERVER_PIPE" & SERVER_PID=$!\n'
        'exec 9< "$SERVER_PIPE"; read -r line <&9; SERVER_ADDRESS="${line##*http://}"'
    )


def _bash(script: str, folder: Path, environment: dict[str, str], timeout: float) -> tuple[int, str]:
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return process.returncode, output


def is_as_shown(printed: str, shown: str) -> bool:
    """Return whether the output has the shape that the page shows.

    Numbers with a decimal point, hashes and the space between words may differ: scores depend on the processor. A line
    of `…` stands for any lines, and `…` in a line for anything.
    """
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line == "…" else f"{re.escape(line).replace('…', '.*?')}\n" for line in _lines(shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [_masked(line) for line in lines if line and not set(line) <= {"─", " "}]


def _masked(line: str) -> str:
    score = re.sub(r"[-+]?\d+\.\d+(?:e-?\d+)?", "0.0", line)
    return re.sub(r"-[0-9a-f]{6}\b|\b[0-9a-f]{8,64}\b", "-#", score)

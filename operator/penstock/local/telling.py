"""How a run goes, told to a watcher: its steps in their order, the lines of their logs, what it waits for."""

from penstock.api.schema import JOBS
from penstock.decide.commands.progress import ProgressUpdate
from penstock.local.log_lines import parse_any
from penstock.local.watcher import Watcher


class Teller:
    """Tells of steps in their order: a line of a step that has not begun begins it, and none comes after its end."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._begun: set[str] = set()
        self._ended: set[str] = set()

    def say(self, message: str) -> None:
        """Tell a remark."""
        self._watcher.say(message)

    def tell(self, told: ProgressUpdate) -> None:
        """Tell what happened to the run."""
        if told.kind == "said":
            self._watcher.say(told.text)
        elif told.kind == "started":
            self._begin(told.step)
        elif told.step not in self._ended:
            self._ended.add(told.step)
            self._watcher.end_step(told.step, told.text)

    def line(self, step: str, line: bytes) -> None:
        """Tell a line of a step's log; of a job that is no step of its own (`source`) what is worth a remark."""
        if step not in JOBS:
            said = parse_any(line)
            if said.level in ("WARNING", "ERROR"):
                self._watcher.say(f"{step}: {said.message}")
        elif step not in self._ended:
            self._begin(step)
            self._watcher.line(step, parse_any(line))

    def _begin(self, step: str) -> None:
        if step not in self._begun:
            self._begun.add(step)
            self._watcher.begin_step(step)

"""The lines of a job's log: JSON events of the job, and whatever else its libraries print."""

import json
import re
from dataclasses import dataclass

_TEXT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)", re.DOTALL)
_COUNTED = re.compile(r"([\d,]+) of ([\d,]+) ")


@dataclass(frozen=True)
class LogLine:
    """One event. `level` is None for text that is no event; `done` of `total` where it tells progress."""

    message: str
    time: str | None = None
    level: str | None = None
    done: int | None = None
    total: int | None = None

    @property
    def is_progress(self) -> bool:
        """Whether this line says how far the job is."""
        return self.done is not None

    def __str__(self) -> str:
        counted = (
            ""
            if self.done is None
            else f" ({self.done:,})"
            if self.total is None
            else f" ({self.done:,}/{self.total:,})"
        )
        return f"{self.time} {self.level:<7} {self.message}{counted}" if self.level else self.message


def parse(line: bytes) -> LogLine:
    """Return what the line says; a line that is no JSON event is its own message."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    try:
        event = json.loads(text) if text.startswith("{") else None
    except ValueError:
        event = None
    if not isinstance(event, dict) or "message" not in event or "level" not in event:
        return LogLine(text)
    message = str(event["message"]) + (f"\n{event['traceback']}" if "traceback" in event else "")
    done, total = event.get("done"), event.get("total")
    return LogLine(
        message=message,
        time=event.get("time"),
        level=str(event["level"]),
        done=done if isinstance(done, int) else None,
        total=total if isinstance(total, int) else None,
    )


def parse_any(line: bytes) -> LogLine:
    """Return what the line says, also where the log is text for people, as a Pipeline's `logs.format` is at first.

    There progress is told by its numbers, as in `12 of 40 candidates`.
    """
    event = parse(line)
    found = _TEXT.fullmatch(event.message) if event.level is None else None
    if found is None:
        return event
    moment, level, message = found.groups()
    counted = _COUNTED.match(message)
    done, total = (int(each.replace(",", "")) for each in counted.groups()) if counted else (None, None)
    return LogLine(message, moment.replace(" ", "T").replace(",", "."), level, done, total)

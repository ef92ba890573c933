"""The job's log: one line an event on standard error, as text for people or as JSON for programs.

Progress is an event too: the local runner draws a bar of it, a log store can plot it.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from penstock_jobs.contract.terminal_text import escape_controls

LogFormat = Literal["text", "json"]

log = logging.getLogger("penstock")


def set_up(level: str, kind: LogFormat) -> None:
    """Send the job's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonFormatter() if kind == "json" else _TextFormatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(level)


def report_progress(done: int, total: int | None, message: str) -> None:
    """Say how far the job is: `done` of `total` (None where nobody can know), in units that the message names."""
    log.info("%s", message, extra={"done": done, "total": total})


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return escape_controls(super().format(record))  # a name or value of the data may be in it


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
        }
        for name in ("done", "total"):
            if name in record.__dict__:
                event[name] = record.__dict__[name]
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return escape_controls(json.dumps(event, ensure_ascii=False))

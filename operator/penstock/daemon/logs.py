"""Log lines for people or for programs, each with the object, and the step, that it is about."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

from penstock.kubernetes.kinds import Key

_subject: ContextVar[Key | None] = ContextVar("subject", default=None)
_step: ContextVar[str | None] = ContextVar("step", default=None)

_NOISY = ("kopf.objects",)  # says of each event that nothing was to be done


@contextmanager
def about(key: Key) -> Iterator[None]:
    """Mark what is logged within as being about this object."""
    token, step = _subject.set(key), _step.set(None)
    try:
        yield
    finally:
        _subject.reset(token)
        _step.reset(step)


def at_step(step: str | None) -> None:
    """Mark what is logged from here on, within `about`, as being about this step."""
    _step.set(step)


def set_up(level: str, form: Literal["text", "json"]) -> None:
    """Log to standard error from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, str]:
    """Return what a line is about: kind, namespace, name; and of a run, the step."""
    subject, step = _subject.get(), _step.get()
    if subject is None:
        return {}
    said = {"kind": subject.kind, "namespace": subject.namespace, "name": subject.name}
    if subject.kind == "PipelineRun":
        said["run"] = subject.name
    return said | ({"step": step} if step else {})


class Text(logging.Formatter):
    """Lines such as `2026-11-21T10:00:00.000Z INFO PipelineRun team/churn-1 training: The sentence.`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback of a bug beneath it."""
        said = _fields(record)
        about = f" {said['kind']} {said['namespace']}/{said['name']}" if said else ""
        step = f" {said['step']}" if "step" in said else ""
        line = f"{_time(record)} {record.levelname}{about}{step}: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {"time": _time(record), "level": record.levelname, "message": record.getMessage(), **_fields(record)}
        line["logger"] = record.name
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Lines of logs as people and programs read them."""

import json

from penstock.local.log_lines import parse, parse_any


def as_text(job: str, line: bytes) -> str:
    """Return a line for people, with the job that printed it before it."""
    return f"{job}: {parse(line)}"


def as_json(job: str, line: bytes, worker: int | None = None) -> str:
    """Return a line for programs: a JSON object with the job that printed it, and which of its workers."""
    parsed = parse_any(line)
    fields: dict[str, object] = {"job": job, "worker": worker, "time": parsed.time, "level": parsed.level}
    fields |= {"message": parsed.message}
    fields |= {"done": parsed.done, "total": parsed.total} if parsed.is_progress else {}
    return json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)

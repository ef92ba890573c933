"""Reading the five fields of a cron expression, enough to say what is wrong with one."""

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def cron_fault(cron: str) -> str | None:
    """Return what is wrong with a cron expression, in words that follow its name, or None."""
    if cron.startswith("@"):
        return None
    for text, (name, low, high, names) in zip(cron.split(), _FIELDS, strict=True):
        for part in text.split(","):
            if not _is_right(part, low, high, names):
                return f"has {part} for the {name}, which goes from {low} to {high}; correct it"
    return None


def _is_right(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None or match[3] == "0":
        return False
    ends = [_number(end, low, names) for end in match.groups()[:2] if end is not None]
    numbers = [end for end in ends if end is not None and low <= end <= high]
    return len(numbers) == len(ends) and numbers == sorted(numbers)


def _number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text.isdigit():
        return int(text)
    return names.index(text.lower()) + low if text.lower() in names else None

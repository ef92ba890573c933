"""Cron expressions: what is wrong with one, in words, and what the short forms stand for.

The library that finds the moments is the judge of what can be read; here its refusals get a place and a way out.
"""

from datetime import datetime

from cronsim import CronSim, CronSimError

# As in Debian's crontab(5), but for @reboot: nothing of ours is booted.
SHORT_FORMS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_ANY = ("*",) * len(_FIELDS)
# Any moment would do: what fires at all fires within any 40 years (29 February on one day of the week is the rarest).
_START = datetime(2000, 1, 1)


def five_fields(cron: str) -> str:
    """Return the five fields that a cron expression stands for."""
    return SHORT_FORMS.get(cron, cron)


def cron_fault(cron: str) -> str | None:
    """Return what is wrong with a cron expression, in words that follow its name, or None."""
    if cron.startswith("@"):
        return None if cron in SHORT_FORMS else f"is {cron}; write five fields, or one of {', '.join(SHORT_FORMS)}"
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(name for name, _, _ in _FIELDS)
        return f"has {len(fields)} fields instead of five ({names}); write one as 0 3 * * *"
    for index, (field, (name, low, high)) in enumerate(zip(fields, _FIELDS, strict=True)):
        for part in field.split(","):
            if not _can_read((*_ANY[:index], part, *_ANY[index + 1 :])):
                return f"has {part or field} for the {name}, which goes from {low} to {high}; correct it"
    if not _ever_fires(cron):
        return f"is {cron}, which never fires: no date is all that it asks for; correct its days or its months"
    return None


def _can_read(fields: tuple[str, ...]) -> bool:
    try:
        CronSim(" ".join(fields), _START)
    except (CronSimError, ValueError):  # the second of numbers with thousands of digits
        return False
    return True


def _ever_fires(cron: str) -> bool:
    try:
        return next(CronSim(cron, _START), None) is not None
    except CronSimError:  # it knows itself that no such month has a 31st
        return False

"""Parameters of a run: typed values, each with one text that all who pass it on write the same.

A manifest and a specification hold text, since JSON has no dates, and numbers change on their way through the API
server. Two texts that mean the same value (`1.50` and `1.5`, a moment in two time zones) have one canonical text.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from penstock_jobs.contract.document import Document

ParameterType = Literal["String", "Integer", "Number", "Boolean", "Date", "Timestamp"]
Value = str | int | Decimal | bool | date | datetime

SCHEDULED_TIME = "scheduledTime"  # the moment of the Trigger that made the run: nobody declares it
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
DECIMAL = r"^[-+]?[0-9]{1,18}(\.[0-9]{1,18})?$"
# Not `format: date-time`: of a field with a format the API server accepts a list, too.
TIMESTAMP = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"([Zz]|[-+]([01][0-9]|2[0-3]):[0-5][0-9])$"
)

# What a text of each type looks like, for the API server too, which knows neither calendars nor 64 bits.
PATTERNS: dict[ParameterType, str] = {
    "String": r"^[^\x00-\x1f\x7f-\x9f]*$",
    "Integer": r"^[-+]?[0-9]{1,19}$",
    "Number": DECIMAL,
    "Boolean": r"^(true|false)$",
    "Date": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "Timestamp": TIMESTAMP,
}
MEANINGS: dict[ParameterType, str] = {
    "String": "a String: one line of text, without control characters",
    "Integer": 'an Integer of 64 bits; write one as "30"',
    "Number": 'a Number; write one as "0.25"',
    "Boolean": 'a Boolean; write "true" or "false"',
    "Date": 'a Date of the calendar; write one as "2026-11-07"',
    "Timestamp": 'a Timestamp, to the microsecond at most; write one as "2026-11-07T03:00:00Z"',
}


class ParameterValue(Document, frozen=True):
    """A parameter that a run has: its type, and the canonical text of its value."""

    name: str
    type: ParameterType
    value: str


def read_value(kind: ParameterType, text: str) -> Value:
    """Return the value that the text means.

    Raises:
        ValueError: the text is of another type; the message goes on from the text, as `is not a Date of …`.
    """
    try:
        if re.search(PATTERNS[kind].removesuffix("$") + r"\Z", text) is None:
            raise ValueError
        return _read(kind, text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not {MEANINGS[kind]}") from error


def canonical_text(kind: ParameterType, text: str) -> str:
    """Return the one text of the value that the text means.

    Raises:
        ValueError: as `read_value` does.
    """
    return write_value(read_value(kind, text))


def write_value(value: Value) -> str:
    """Return the canonical text of a value."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            plain = f"{value:f}"
            return (plain.rstrip("0").rstrip(".") if "." in plain else plain) if value else "0"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    return str(value)


def _read(kind: ParameterType, text: str) -> Value:
    match kind:
        case "Integer":
            number = int(text)
            if not -(2**63) <= number < 2**63:
                raise ValueError
            return number
        case "Number":
            return Decimal(text)
        case "Boolean":
            return text == "true"
        case "Date":
            return date.fromisoformat(text)
        case "Timestamp":
            if re.search(r"\.[0-9]{6}[0-9]*[1-9]", text):  # Python would cut it
                raise ValueError
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    text.encode()  # half of a surrogate pair is in no text of UTF-8
    return text

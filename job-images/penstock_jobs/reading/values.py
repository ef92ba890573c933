"""One value, as JSON or a frame has it, as the value that a type of column means: the rule for single values.

| type | taken | what it means |
|---|---|---|
| Integer | a whole number, written `41` or `41.0`, no larger than 2^53 | itself |
| Float | a number | the nearest double |
| Boolean | true or false | itself |
| String | a text | itself, blanks included |
| | a number, true or false | its text: `2` and `2.0` are "2", `2.5` is "2.5", true is "true" |
| Timestamp | a text in ISO 8601: a moment, in UTC where it has no offset, or a day, its midnight | a moment |
| Date | a text in ISO 8601: a day, or a moment that is midnight UTC | a day |

No zone of the machine, no order of day and month and no blank is ever guessed. What a null and an empty text are to a
Model is said by `penstock_jobs.models.inputs`. The engine's expression of the texts of numbers is
`expressions.as_text`.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import msgspec
import numpy as np

from penstock_jobs.contract.result import ColumnType

EXACT_BITS = {"DOUBLE": 53, "FLOAT": 24}
"""How many binary digits a floating-point number has, by the engine's type."""
EXACT = 2 ** EXACT_BITS["DOUBLE"]
"""Beyond it a double is no longer one whole number: two of them, or their sum, are read as the same."""

NEEDS: dict[ColumnType, str] = {
    "Integer": "a whole number",
    "Float": "a number",
    "Boolean": "true or false",
    "String": "a string",
    "Timestamp": 'a date and time in a string, as "2026-01-31T12:00:00Z"',
    "Date": 'a date in a string, as "2026-01-31"',
}

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# What ISO 8601 allows beyond RFC 3339, which msgspec reads: no seconds, and offsets of hours alone.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d(:?\d\d)?)?", re.ASCII)
_LONGEST = 60
PLAIN_DIGITS = 1e15  # from there on a float is written with an exponent
_TOO_LARGE = "a number is larger than a double can hold"


class WrongValueError(ValueError):
    """A value that its column cannot hold; the message is the end of a sentence, without a full stop."""


def read_value(kind: ColumnType, value: Any) -> Any:
    """Return what the value means in a column of that type: an int, float, bool, str, datetime or date.

    Args:
        kind: the type of the column.
        value: no null, as JSON, Python, NumPy or pandas have it.

    Raises:
        WrongValueError: it is none of that type.
    """
    return _READERS[kind](
        value.item() if isinstance(value, np.generic) and kind not in ("Timestamp", "Date") else value
    )


def text_of(value: Any) -> str:
    """Return the text that a value is read as: a whole number that was stored as a float is the whole number."""
    if isinstance(value, str):
        return value
    if hasattr(value, "item"):  # a scalar of numpy
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real | Decimal):
        return _text_of_number(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def _text_of_number(value: Any) -> str:
    number = float(value)
    if math.isfinite(number) and number == math.trunc(number) and abs(number) < PLAIN_DIGITS:
        return str(int(number))
    return str(value)


def _read_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("Integer", value)
    if isinstance(value, float) and not value.is_integer():
        raise WrongValueError(f"needs {NEEDS['Integer']}, got {value:g}")
    # A float of 2^53 may have been a larger number when it was written.
    if abs(value) > EXACT or (isinstance(value, float) and abs(value) == EXACT):
        _read_float(value)
        raise WrongValueError(
            f"{int(value)} is too large, for beyond 2^53 whole numbers are rounded; give the column the type String, "
            "or leave it out"
        )
    return int(value)


def _read_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("Float", value)
    try:
        return float(value)
    except OverflowError as error:
        raise WrongValueError(_TOO_LARGE) from error


def _read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("Boolean", value)
    return value


def _read_text(value: Any) -> str:
    if not isinstance(value, str | bool | int | float):
        raise _wrong("String", value)
    return text_of(value)


def _read_moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if not isinstance(value, str):
        raise _wrong("Timestamp", value)
    try:
        return msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        if not _DAY.fullmatch(value) and not _MOMENT.fullmatch(value):
            raise _wrong("Timestamp", value) from None
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise _wrong("Timestamp", value) from error


def _read_day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        moment = _read_moment(value)
    except WrongValueError as error:
        raise _wrong("Date", value) from error
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError as error:  # its offset leads out of the calendar
        raise _wrong("Date", value) from error
    if moment.time() != time():
        raise WrongValueError(f"{_shown(value)} is not midnight UTC, so it is no date; send the day alone")
    return moment.date()


_READERS: dict[ColumnType, Callable[[Any], Any]] = {
    "Integer": _read_integer,
    "Float": _read_float,
    "Boolean": _read_boolean,
    "String": _read_text,
    "Timestamp": _read_moment,
    "Date": _read_day,
}


def _wrong(kind: ColumnType, value: Any) -> WrongValueError:
    return WrongValueError(f"needs {NEEDS[kind]}, got {_kind_of(kind, value)}")


def _kind_of(kind: ColumnType, value: Any) -> str:
    if isinstance(value, str) and kind in ("Timestamp", "Date"):
        return _shown(value)
    for python, words in _WORDS:
        if isinstance(value, python):
            return words
    return f"a {type(value).__name__}"


_WORDS = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number with a fraction"),
    (str, "a string"),
    (dict, "an object"),
    (list, "a list"),
)


def _shown(value: Any) -> str:
    text = str(value)
    return f'"{text if len(text) <= _LONGEST else text[:_LONGEST] + "…"}"'

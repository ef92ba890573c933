"""What a stored value means as a value of a type: the rules of `reading`, as expressions of the engine.

`read_as` gives two: the value, null where it is null or does not fit, and whether it fits. The connection's zone must
be UTC.
"""

import re
from dataclasses import dataclass

from penstock_jobs.contract.reading import ColumnReading, InputReading
from penstock_jobs.contract.result import ColumnType
from penstock_jobs.reading.values import EXACT_BITS, PLAIN_DIGITS
from penstock_jobs.tables.columns import quote_literal

_TEXT = ("VARCHAR", "UUID", "TIME")
_FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")
_WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = (*_FLOATS, *_WHOLE_NUMBERS, *(f"U{name}" for name in _WHOLE_NUMBERS))
# What a column of each type is to the engine. Moments are kept without a zone where none was written: all are UTC.
ENGINE_TYPES: dict[ColumnType, str] = {
    "Integer": "BIGINT",
    "Float": "DOUBLE",
    "Boolean": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMP",
    "Date": "DATE",
}

_TIME = r"[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_OFFSET = r"(?:Z|[+-]\d\d(?::?\d\d)?)"
DATE = r"\d{4}-\d\d-\d\d"
MOMENT = rf"{DATE}(?:{_TIME}{_OFFSET}?)?"
MOMENT_WITH_OFFSET = rf"{DATE}{_TIME}{_OFFSET}"
_MIDNIGHT = rf"{DATE}(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00(?::?00)?)?)?"
FLAG = "(?i:true|false)"
_WIDE_FLAG = "(?i:true|false|t|f|yes|no|y|n|1|0)"
_TRUE = "('true', 't', 'yes', 'y', '1')"
_NO_NUMBER = "(?i:[+-]?inf(?:inity)?|nan)"


@dataclass(frozen=True)
class Expressions:
    """The value of a column, null where it does not fit, and whether it fits; a null always fits.

    `text` is set where the value is null for no other reason than that the text is null or does not fit.
    """

    value: str
    fits: str
    text: str | None = None

    def checked(self) -> str:
        """Return the value, which fails with `error` where it does not fit."""
        if self.text is None:
            return f"CASE WHEN {self.fits} THEN {self.value} ELSE error('misfit') END"
        # The value is evaluated once: a text that is none is looked at only where there is no value.
        return f"coalesce({self.value}, CASE WHEN {self.text} IS NOT NULL THEN error('misfit') END)"


def read_as(column: ColumnReading, rules: InputReading, name: str, stored: str) -> Expressions:
    """Return how a stored column is read.

    Args:
        column: the type that it should have, and the form of its dates.
        rules: of the input, for null texts and the marks in numbers.
        name: the column, as SQL.
        stored: the engine's type of it; JSON for a value of JSON as it stands.
    """
    if column.type is None:
        return Expressions(name, "true")
    if stored == "JSON":
        return _of_json(column, rules, name)
    if stored in _TEXT or stored.startswith("ENUM"):
        text = name if stored == "VARCHAR" else f"CAST({name} AS VARCHAR)"
        return _of_text(column, rules, without_null_texts(text, rules.null_texts))
    return _of_value(column, without_null_numbers(name, stored, rules.null_texts), stored)


def without_null_texts(text: str, null_texts: tuple[str, ...]) -> str:
    """Return the text, null where it is one of those that mean so."""
    if not null_texts:
        return text
    if len(null_texts) == 1:
        return f"nullif({text}, {quote_literal(null_texts[0])})"
    listed = ", ".join(map(quote_literal, null_texts))
    return f"CASE WHEN {text} NOT IN ({listed}) THEN {text} END"


def without_null_numbers(name: str, stored: str, null_texts: tuple[str, ...]) -> str:
    """Return the stored number, null where a null text is that number: -999 means the same in every format."""
    numbers = [text for text in null_texts if re.fullmatch(number_pattern(InputReading(format="CSV")), text)]
    if not numbers or not stored.startswith(_NUMBERS):
        return name
    return f"CASE WHEN CAST({name} AS DOUBLE) NOT IN ({', '.join(map(_as_double, numbers))}) THEN {name} END"


def as_text(name: str, stored: str) -> str:
    """Return the text that a stored value is: that of a whole number where a float is one (`values.text_of`)."""
    if not stored.startswith(_FLOATS):
        return f"CAST({name} AS VARCHAR)"
    return (
        f"CASE WHEN isnan(CAST({name} AS DOUBLE)) THEN NULL "
        f"WHEN {name} = trunc({name}) AND abs({name}) < {PLAIN_DIGITS:g} "
        f"THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
    )


def matches(text: str, pattern: str) -> str:
    """Return whether the whole text is of the pattern."""
    return f"regexp_full_match({text}, {quote_literal(pattern)})"


def whole_pattern(rules: InputReading) -> str:
    """Return the pattern of a whole number as a person writes it: of at most 64 bits, which `as_number` finds out."""
    return f"-?(?:{_digits(rules)})"


def number_pattern(rules: InputReading) -> str:
    """Return the pattern of a number: an exponent needs a fraction or a sign, or else it is a code such as 1E5."""
    whole, mark = f"(?:{_digits(rules)})", f"[{rules.decimal}]"
    plain = f"(?:{whole}(?:{mark}[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-][0-9]+)?|{mark}[0-9]+)"
    return f"-?{plain}|{_NO_NUMBER}"


def no_number_pattern() -> str:
    """Return the pattern of texts that are numbers only among numbers."""
    return _NO_NUMBER


def as_number(text: str, kind: str, rules: InputReading) -> str:
    """Return the text of a number as one, null where the type cannot hold it."""
    if rules.thousands is not None:
        text = f"replace({text}, {quote_literal(rules.thousands)}, '')"
    if rules.decimal != ".":
        text = f"replace({text}, {quote_literal(rules.decimal)}, '.')"
    return f"TRY_CAST({text} AS {kind})"


def as_moment(text: str, date_format: str) -> str:
    """Return the text as a moment in UTC without a zone, by its own form; null where it is not of the form."""
    # A blank is let through at either end by the engine.
    moment = f"CAST(try_strptime({text}, {quote_literal(date_format)}) AS TIMESTAMP)"
    return f"CASE WHEN {text} = trim({text}) THEN {moment} END"


def _of_text(column: ColumnReading, rules: InputReading, text: str) -> Expressions:
    if column.type == "String":
        return Expressions(text, "true")
    value, right = _parsed(column, rules, text)
    value = f"CASE WHEN {right} THEN {value} END"
    return Expressions(value, f"({text} IS NULL OR {value} IS NOT NULL)", text)


def _parsed(column: ColumnReading, rules: InputReading, text: str) -> tuple[str, str]:
    """Return the value of a text that is there, and whether the text has the form of the type."""
    match column.type:
        case "Integer":
            return as_number(text, "BIGINT", rules), matches(text, f"{whole_pattern(rules)}(?:[{rules.decimal}]0+)?")
        case "Float":
            return as_number(text, "DOUBLE", rules), matches(text, number_pattern(rules))
        case "Boolean":
            return f"(lower({text}) IN {_TRUE})", matches(text, _WIDE_FLAG)
    if column.date_format is not None:
        moment = as_moment(text, column.date_format)
        if column.type == "Date":
            return f"CAST({moment} AS DATE)", f"date_trunc('day', {moment}) = {moment}"
        return _stored_moment(column, f"CAST({moment} AS TIMESTAMPTZ)"), "true"
    if column.type == "Date":
        return f"TRY_CAST(left({text}, 10) AS DATE)", matches(text, _MIDNIGHT)
    return _stored_moment(column, f"TRY_CAST({text} AS TIMESTAMPTZ)"), matches(text, MOMENT)


def _stored_moment(column: ColumnReading, moment: str) -> str:
    return moment if column.offset else f"timezone('UTC', {moment})"


def _of_json(column: ColumnReading, rules: InputReading, name: str) -> Expressions:
    """Return how a value of JSON is read: a number is a number in any notation, a string is a text."""
    text = without_null_texts(f"({name}->>'$')", rules.null_texts)
    number = f"TRY_CAST({text} AS DOUBLE)"
    is_number = f"json_type({name}) IN ('DOUBLE', 'BIGINT', 'UBIGINT')"
    if column.type == "String":
        of_float = as_text(number, "DOUBLE")
        return Expressions(f"CASE WHEN json_type({name}) = 'DOUBLE' THEN {of_float} ELSE {text} END", "true")
    of_text = _of_text(column, rules, text)
    if column.type == "Float":
        value = f"CASE WHEN {is_number} THEN {number} ELSE {of_text.value} END"
        return Expressions(value, f"({is_number} OR {of_text.fits})")
    if column.type == "Integer":
        # A whole number of more digits than a double has is written without fraction or exponent.
        digits = f"TRY_CAST(CASE WHEN json_type({name}) <> 'DOUBLE' THEN {text} END AS BIGINT)"
        whole = f"coalesce({digits}, {_exact(number)})"
        value = f"CASE WHEN {is_number} THEN {whole} ELSE {of_text.value} END"
        fits = f"CASE WHEN {is_number} THEN {text} IS NULL OR {whole} IS NOT NULL ELSE {of_text.fits} END"
        return Expressions(value, fits)
    return of_text


def _of_value(column: ColumnReading, name: str, stored: str) -> Expressions:
    """Return how a value that has a type already is read as one of another."""
    moment = f"CAST({name} AS TIMESTAMP)"
    match column.type:
        case "String":
            return Expressions(as_text(name, stored), "true")
        case "Integer" if stored.startswith(_FLOATS):
            value = _whole(name) if stored.startswith("DECIMAL") else _exact(f"CAST({name} AS DOUBLE)", stored)
            return Expressions(value, f"({name} IS NULL OR isnan(CAST({name} AS DOUBLE)) OR {value} IS NOT NULL)")
        case "Boolean" if stored.startswith(_NUMBERS):
            return Expressions(f"({name} <> 0)", f"({name} IS NULL OR {name} IN (0, 1))")
        case "Date" if stored.startswith("TIMESTAMP"):
            return Expressions(f"CAST({name} AS DATE)", f"({name} IS NULL OR date_trunc('day', {moment}) = {moment})")
        case "Timestamp" if stored.startswith("TIMESTAMP"):
            return Expressions(name, "true")
        case "Timestamp" | "Date" if not stored.startswith("DATE"):
            return Expressions("NULL", f"{name} IS NULL")
    kind = ENGINE_TYPES[column.type or "String"]
    return Expressions(f"TRY_CAST({name} AS {kind})", f"({name} IS NULL OR TRY_CAST({name} AS {kind}) IS NOT NULL)")


def _whole(number: str) -> str:
    return f"CASE WHEN {number} = trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"


def _exact(number: str, stored: str = "DOUBLE") -> str:
    """Return the whole number that a floating-point number is; beyond its digits two whole numbers are one of them."""
    return f"CASE WHEN abs({number}) < {2 ** EXACT_BITS[stored]} THEN {_whole(number)} END"


def _digits(rules: InputReading) -> str:
    plain = "0|[1-9][0-9]*"
    return plain if rules.thousands is None else f"{plain}|[1-9][0-9]{{0,2}}(?:[{rules.thousands}][0-9]{{3}})+"


def _as_double(text: str) -> str:
    return f"CAST({quote_literal(text)} AS DOUBLE)"

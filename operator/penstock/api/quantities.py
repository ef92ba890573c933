"""Reading the text of amounts: quantities of Kubernetes, durations, shares and decimal numbers.

Each reader returns a number, or raises `Refused` with a sentence that names the field. `field` is the path of the
field, as `spec.jobs[training].timeout`.
"""

import re
from decimal import Decimal, InvalidOperation

from penstock_jobs.contract.errors import Refused

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_MULTIPLES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:e([0-9]+)|([A-Za-z]*))")


def read_duration(text: str, field: str) -> float:
    """Return the seconds of a duration as `90s`, `1h30m` or `30d`. A day is 24 hours, a week 7 days."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Refused(f"{field} is {text!r}, which is no duration; write one as 90s, 1h30m or 30d.")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def read_quantity(quantity: int | str, field: str) -> Decimal:
    """Return the exact amount of a quantity of Kubernetes, as `500m`, `2Gi`, `1e3` or 4."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None or (match[3] or "") not in _MULTIPLES or len(match[2] or "") > 2:
        raise Refused(f"{field} is {quantity!r}, which is no quantity; write one as 2, 500m, 2Gi or 10G.")
    return Decimal(match[1]) * (Decimal(10) ** int(match[2]) if match[2] else _MULTIPLES[match[3] or ""])


def read_bytes(quantity: int | str, field: str) -> int:
    """Return the bytes of a quantity of memory, rounded down."""
    amount = int(read_quantity(quantity, field))
    if amount < 1:
        raise Refused(f"{field} is {quantity!r}, which is less than one byte; write an amount as 2Gi.")
    return amount


def read_share(text: str, field: str) -> float:
    """Return the share of `20%` or `0.2`, in [0, 1]."""
    number = read_decimal(text.removesuffix("%"), field, 'a share; write one as 20% or, in quotes, as "0.2"')
    share = number / 100 if text.endswith("%") else number
    if not 0 <= share <= 1:
        raise Refused(f"{field} is {text!r}, and a share is between 0% and 100%; write one as 20%.")
    return float(share)


def read_number(text: str, field: str) -> float:
    """Return the number that a field holds as text."""
    return float(read_decimal(text, field))


def read_decimal(text: str, field: str, meant: str = 'a number; write one in quotes, as "0.8"') -> Decimal:
    """Return the exact number that a field holds as text."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Refused(f"{field} is {text!r}, which is not {meant}.") from None
    if not number.is_finite():
        raise Refused(f"{field} is {text!r}, which is not {meant}.")
    return number

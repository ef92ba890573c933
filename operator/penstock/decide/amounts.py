"""Amounts as a manifest writes them, in numbers: shares, durations, quantities, decimals."""

import re
from fractions import Fraction

_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_SECONDS |= {"d": Fraction(86400), "w": Fraction(7 * 86400)}
_PART = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_SUFFIXES = {"": Fraction(1), "m": Fraction(1, 1000)}
_SUFFIXES |= {name: Fraction(1000**power) for power, name in enumerate(("k", "M", "G", "T", "P", "E"), start=1)}
_SUFFIXES |= {f"{name}i": Fraction(1024**power) for power, name in enumerate("KMGTPE", start=1)}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:(e[0-9]+)|([a-zA-Z]*))")


def seconds(duration: str) -> float:
    """Return the seconds of a duration, as `1h30m`."""
    return float(sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(duration)))


def share(text: str) -> float:
    """Return the share as a number in [0, 1], from `20%` or `0.2`."""
    return float(Fraction(text[:-1]) / 100) if text.endswith("%") else float(text)


def quantity(text: str | int) -> Fraction:
    """Return the number that a quantity of Kubernetes means, as `500m` or `2Gi`."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity")
    number, exponent, suffix = found.groups()
    return Fraction(number) * (10 ** int(exponent[1:]) if exponent else _SUFFIXES[suffix])

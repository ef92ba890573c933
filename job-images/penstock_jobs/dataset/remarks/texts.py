"""What texts look like: numbers, in which form, or dates. The patterns are read alike by Python and by the engine."""

import re
from collections import Counter
from collections.abc import Iterable

from penstock_jobs.dataset.remarks.facts import NumberForm

_PLAIN = r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DECIMAL_COMMA = r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|0|[1-9][0-9]*),[0-9]+"
_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?"
NUMBER = rf"\s*({_PLAIN}|{_DECIMAL_COMMA}|{_THOUSANDS})\s*"
_CODE = r"[+-]?0[0-9]+"  # 01234 is the code of a place, and no number
_DATES = (
    r"\s*([0-9]{1,2}[./-][0-9]{1,2}[./-]([0-9]{4}|[0-9]{2})|[0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2}"
    r"|[0-9]{1,2}[ .-]+[A-Za-z]{3,9}[ ,.-]+([0-9]{4}|[0-9]{2})|[A-Za-z]{3,9}[ .]+[0-9]{1,2},? +[0-9]{4})([ T].*)?\s*"
)
_MOST = 0.9
_HALF = 0.5
_FEW_OTHERS = 3  # so many different texts among numbers are likely to mean that there is none
_CODES = 20  # so few different whole numbers, written as text and all of them numbers, may well be codes


def number_form(counts: Counter[str]) -> tuple[NumberForm, str] | None:
    """Return in which form most of these texts are numbers, with an example; None where they are not."""
    present = sum(counts.values())
    numbers = {text: count for text, count in counts.items() if re.fullmatch(NUMBER, text)}
    share = sum(numbers.values()) / max(present, 1)
    others = len(counts) - len(numbers)
    if not numbers or any(re.fullmatch(_CODE, text) for text in counts):
        return None
    if share < _HALF or (share < _MOST and others > _FEW_OTHERS) or (not others and len(numbers) <= _CODES):
        return None
    return _form(numbers)


def _form(numbers: Iterable[str]) -> tuple[NumberForm, str]:
    texts = sorted((text.strip() for text in numbers), key=lambda text: (len(text), text))
    commas = [text for text in texts if "," in text]
    if not commas:
        return "Plain", texts[0]
    only_decimal = [text for text in commas if not re.fullmatch(_THOUSANDS, text)]
    only_thousands = [text for text in commas if not re.fullmatch(_DECIMAL_COMMA, text)]
    if only_decimal and not only_thousands:
        return "DecimalComma", only_decimal[0]
    if only_thousands and not only_decimal:
        return "Thousands", only_thousands[0]
    return "Ambiguous", commas[0]


def date_example(counts: Counter[str]) -> str | None:
    """Return one of these texts where nearly all of them are dates; None where they are not."""
    dates = {text: count for text, count in counts.items() if re.fullmatch(_DATES, text)}
    if not dates or sum(dates.values()) < _MOST * sum(counts.values()):
        return None
    return min(dates)

"""What docs/reference/split.md says: its code, which nothing of Penstock is in, and its values to check against."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from penstock_command import ROOT
from penstock_jobs.contract.result import Column, ColumnType

PAGE = ROOT / "docs/reference/split.md"

Value = None | bool | int | float | str | datetime | date


def by_page(name: str) -> Callable[..., Any]:
    """Return the function of this name in the page's code."""
    return _names()[name]


def digest_by_page(columns: Iterable[Column], rows: Sequence[Mapping[str, Value]]) -> str:
    """Return the digest of the rows, as the page has it."""
    return str(by_page("digest")([(column.name, column.type) for column in columns], rows))


def rows_under(header: str) -> list[list[Any]]:
    """Return the rows of the page's table with this header: what is in backquotes or a number as its value."""
    page = PAGE.read_text("utf-8")
    lines = page[page.index(header) :].splitlines()[2:]
    table = lines[: next(number for number, line in enumerate(lines) if not line.startswith("|"))]
    return [[_value(cell.strip()) for cell in line.strip("|").split(" | ")] for line in table]


def digest_on_page() -> str:
    """Return the digest that the page says its two rows have."""
    [found] = re.findall(r"^`(sha256:\w+)`$", PAGE.read_text("utf-8"), re.MULTILINE)
    return str(found)


def type_of(value: Value) -> ColumnType:
    """Return the type of the column that a value of a key comes from."""
    kinds: dict[type, ColumnType] = {bool: "Boolean", int: "Integer", str: "String", datetime: "Timestamp"}
    return kinds.get(type(value), "Date") if value is not None else "String"


@cache
def _names() -> dict[str, Any]:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def _value(cell: str) -> Any:
    code = re.fullmatch(r"`(.*)`|(-?\d+)", cell)
    return eval(code[1] or code[2], dict(_names())) if code else cell

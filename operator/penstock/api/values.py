"""The rule for values of hyper-parameters: text that is a Python literal is that literal.

The API server stores JSON: `1.0` arrives as `1`, and JSON has no tuple, and no None that a merge would keep. So in a
manifest `"1.0"` is the floating-point number, `"None"` is None, `"(64, 32)"` is a tuple, and `sqrt` is text. Text that
looks like a literal and should stay text is quoted twice: `"'1.0'"`.
"""

import ast
from typing import Any

LONGEST = 1024


def read_value(value: Any) -> Any:
    """Return the Python value that the manifest means."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)  # the API server holds it as a float, and writes it without a point
    if not isinstance(value, str) or len(value) > LONGEST:
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return value


def write_value(value: Any) -> str:
    """Return the text that `read_value` reads as this value."""
    if isinstance(value, str) and read_value(value) == value and isinstance(read_value(value), str):
        return value
    return repr(value)

"""The CEL of a Trigger, over what started it: bounded, since it is evaluated where all Triggers are looked after."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from penstock_jobs.contract.errors import Refused

_TEXT = re.compile(r"""[rRbB]{0,2}("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter|transformList|transformMap)\s*\(")


def evaluate(expression: str, field: str, variables: Mapping[str, Any]) -> Any:
    """Return what the expression comes to.

    Args:
        expression: the expression.
        field: where it stands, for the sentence.
        variables: what it may speak of.

    Raises:
        Refused: it is no CEL, speaks of what is not there, or would go through lists of lists.
    """
    program = compile_expression(expression, field)
    try:
        return program.execute(dict(variables))
    except Exception as error:  # of whatever class: the library raises KeyError, TypeError, RuntimeError, …
        raise Refused(f"{field} cannot be evaluated: {_problem(error)}; correct it.") from error


def compile_expression(expression: str, field: str) -> Any:
    """Return the expression, ready to be executed.

    Raises:
        Refused: it is no CEL, or would go through lists of lists.
    """
    if _is_nested(expression):
        raise Refused(f"{field} goes through a list within a list, which may take for ever; use one of the two.")
    try:
        return _compile(expression)
    except ValueError as error:
        raise Refused(f"{field} is no CEL: {_problem(error)}; correct it.") from error


def _is_nested(expression: str) -> bool:
    """Return whether one macro stands within the parentheses of another."""
    plain = _TEXT.sub("''", expression)
    begins = {match.end() - 1 for match in _MACRO.finditer(plain)}
    open_parentheses: list[bool] = []
    for position, character in enumerate(plain):
        if character in "([{":
            if position in begins and any(open_parentheses):
                return True
            open_parentheses.append(position in begins)
        elif character in ")]}" and open_parentheses:
            open_parentheses.pop()
    return False


@lru_cache(maxsize=512)
def _compile(expression: str) -> Any:
    import cel  # it takes a third of a second, and is needed only here

    return cel.compile(expression)


def _problem(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]}"
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].split("Check that")[0].strip().rstrip(".:;")

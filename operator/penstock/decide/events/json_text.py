"""JSON that a stranger sent, read strictly: what two readers take differently is a way around whoever checks it."""

import json
from typing import Any, NoReturn

from penstock.decide.events.limits import Limits
from penstock.decide.events.refusal import malformed, too_large


def read_json(body: bytes, limits: Limits) -> Any:
    """Return what the body says.

    Raises:
        RequestRefused: it is no JSON, says a name twice, is nested too deeply, or has too many values.
    """
    try:
        found = json.loads(body.decode(), object_pairs_hook=_read_object, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise _too_deep(limits) from error
    except UnicodeDecodeError as error:
        raise malformed(f"The body is not UTF-8 at byte {error.start}; send JSON in UTF-8.") from error
    except json.JSONDecodeError as error:
        raise malformed(
            f"The body is no JSON at line {error.lineno}, column {error.colno}: {error.msg}; correct it."
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise malformed("The body has a number with too many digits; send it as text.") from error
    _check(found, limits)
    return found


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise malformed(f"The body says {twice[:64]!r} twice in one object; say it once.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise malformed(f"The body says {name}, which is no JSON; leave it out, or send it as text.")


def _check(found: Any, limits: Limits) -> None:
    """Raise `RequestRefused` where the value is deeper or larger than may be, or holds text that is none."""
    level, depth, count = [found], 0, 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > limits.depth:
            raise _too_deep(limits)
        if count > limits.values:
            raise too_large(f"The body has more than {limits.values} values; send less with one event.")
        beneath: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict):
                for name in value:
                    _check_text(name)
                beneath += value.values()
            elif isinstance(value, list):
                beneath += value
        level = beneath


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise malformed("The body has half of a character (a lone surrogate); send whole ones.") from error


def _too_deep(limits: Limits) -> Exception:
    return malformed(f"The body is nested more than {limits.depth} deep; send it flatter.")

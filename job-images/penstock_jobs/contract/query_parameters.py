"""Where an SQL query names parameters, as `:name`.

A colon has other meanings in DuckDB's SQL: `x::DATE`, `list[1:n]`, `{'a': x}`, `alias: x`, `lambda x: x + 1`. There it
follows a value or a name; a parameter stands where a value begins. So what comes before a colon tells which of the two
it is, and the name follows it directly. Within texts, quoted names and comments there is no parameter.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from penstock_jobs.contract.parameters import NAME

_TOKEN = re.compile(
    rf"""
      (?P<space> \s+ | --[^\n]* )
    | (?P<comment> /\* )
    | (?P<value> [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z)
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z) | \d[\w.]* | [)}}\]] )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<parameter> :(?P<name>{NAME})(?![\w$]) )
    | (?P<other> :: | := | . )
    """,
    re.VERBOSE | re.DOTALL,
)
# Words that are no value, and that a value comes after.
_BEFORE_A_VALUE = """
    all and any array as asymmetric between both by case distinct else escape except for from glob having ilike in
    intersect interval is lambda leading limit like not of offset on or overlaps placing qualify rows select similar
    some symmetric then to trailing union using values when where zone
"""


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    ends_a_value: bool
    name: str | None = None
    is_bracket: bool = False


def names_in_query(query: str) -> tuple[str, ...]:
    """Return the names of the parameters that the query uses, each once, in their order."""
    return tuple(dict.fromkeys(name for _, _, name in _parameters(query)))


def replace_names(query: str, replacement: Callable[[str], str]) -> str:
    """Return the query with what the replacement says in the place of each parameter."""
    made, end = [], 0
    for start, after, name in _parameters(query):
        made += [query[end:start], replacement(name)]
        end = after
    return "".join([*made, query[end:]])


def _parameters(query: str) -> Iterator[tuple[int, int, str]]:
    """Yield where each parameter begins and ends, and its name."""
    before: _Token | None = None
    subscript = False  # whether the token before is the bracket of `x[`, in which a colon is a slice's
    for token in _tokens(query):
        infix = before is not None and (before.ends_a_value or subscript)
        if token.name is not None and not infix:
            yield token.start, token.end, token.name
        subscript = token.is_bracket and before is not None and before.ends_a_value
        before = token


def _tokens(query: str) -> Iterator[_Token]:
    """Yield what the query consists of, but for spaces and comments."""
    position, words = 0, frozenset(_BEFORE_A_VALUE.split())
    while (match := _TOKEN.match(query, position)) is not None:
        position = match.end()
        if match["space"]:
            continue
        if match["comment"]:
            position = _end_of_comment(query, position)
        elif match["word"]:
            yield _Token(match.start(), position, match["word"].lower() not in words)
        else:
            ends = match["value"] is not None or match["parameter"] is not None
            yield _Token(match.start(), position, ends, match["name"], match["other"] == "[")


def _end_of_comment(query: str, position: int) -> int:
    """Return where a comment ends that has begun; another may be within."""
    depth = 1
    for mark in re.compile(r"/\*|\*/").finditer(query, position):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(query)

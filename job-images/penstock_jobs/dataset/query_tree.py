"""A query as the engine itself parses it: a tree of plain values, and all that is in it."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from penstock_jobs.contract.errors import Refused

Node = dict[str, Any]

# The engine bounds expressions, but not queries within queries: some ten thousand of them end its process.
MAXIMUM_NESTING = 200


def parse_query(connection: duckdb.DuckDBPyConnection, query: str) -> Node:
    """Return the root of the one SELECT statement that the query is.

    Raises:
        Refused: it is no SQL, another statement or several of them, or nested too deeply to be looked at.
    """
    if _nesting(query) > MAXIMUM_NESTING:
        raise _too_deep()
    row = connection.execute("SELECT CAST(json_serialize_sql($query) AS VARCHAR)", {"query": query}).fetchone() or ("",)
    try:
        parsed = json.loads(row[0])
    except RecursionError as error:
        raise _too_deep() from error
    if not parsed["error"] and len(parsed["statements"]) == 1:
        root: Node = parsed["statements"][0]["node"]
        return root
    message = str(parsed.get("error_message", "Only SELECT"))
    if message.startswith("Only SELECT"):
        raise Refused("The query (spec.dataset.query) must be one SELECT statement.")
    if message.startswith("Max expression depth"):
        raise _too_deep()
    raise Refused(f"The query (spec.dataset.query) is not SQL that can be read: {message.splitlines()[0].rstrip('.')}.")


def nodes_within(root: Any, names: frozenset[str] = frozenset()) -> Iterator[tuple[Node, frozenset[str]]]:
    """Yield each node of the tree, in the order of the text, with the lower-case names that WITH gives where it is.

    The function of a TABLE_FUNCTION is no node of its own: what may be called there is not what an expression calls.
    """
    stack: list[tuple[Any, frozenset[str]]] = [(root, names)]
    while stack:
        value, known = stack.pop()
        inner: list[Any] = value if isinstance(value, list) else []
        if isinstance(value, dict):
            entries = (value.get("cte_map") or {}).get("map", [])
            known = known | {str(entry["key"]).lower() for entry in entries}
            yield value, known
            inner = list(value.values())
            if value.get("type") == "TABLE_FUNCTION":
                inner = [value["function"]["arguments"], *(each for each in inner if each is not value["function"])]
        stack += [(each, known) for each in reversed(inner) if isinstance(each, dict | list)]


def function_name(node: Node) -> str:
    """Return the lower-case name of what a FUNCTION or WINDOW node calls."""
    return str(node["function_name"]).lower()


def _nesting(query: str) -> int:
    """Return how deep brackets are nested, those in texts included."""
    depth = deepest = 0
    for character in query:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _too_deep() -> Refused:
    return Refused("The query (spec.dataset.query) is nested too deeply; take it apart with WITH, or make it shorter.")

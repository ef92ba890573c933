"""What a query may be: a function of its inputs' rows and of the parameters, and of nothing else.

All that it consists of must be on a list: parts of a SELECT, functions that the engine calls consistent, the inputs by
their names. What is on none is refused, and so is whatever depends on the order of the rows.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Remark, Strategy
from penstock_jobs.dataset.query_functions import CHANGES, OUTSIDE, ROW_ORDER, TABLE_FUNCTIONS, Functions, Macro
from penstock_jobs.dataset.query_tree import Node, function_name, nodes_within, parse_query
from penstock_jobs.tables.columns import quote_identifier

_EXPRESSIONS = """
    BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF OPERATOR PARAMETER
    POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW
"""
_PARTS = """
    SELECT_NODE SET_OPERATION_NODE CTE_NODE BASE_TABLE EMPTY EXPRESSION_LIST JOIN PIVOT SUBQUERY TABLE_FUNCTION
    ORDER_MODIFIER LIMIT_MODIFIER DISTINCT_MODIFIER ASCENDING DESCENDING ORDER_DEFAULT
"""
_ALLOWED = frozenset([*_EXPRESSIONS.split(), *_PARTS.split()])
_MOMENTS = frozenset(["now", "today", "tomorrow", "yesterday"])
_OF_TIME = re.compile(r"date|time", re.IGNORECASE)


@dataclass(frozen=True)
class CheckedQuery:
    """What a query that may run is and needs.

    `combines_rows` is whether a value of its answer may come from several rows of an input.

    `follows_row_order` is whether rows in another order could change its answer after all: sums of floating-point
    numbers, and rows that are equal in an ORDER BY. On one thread the engine takes them in the order of the files.
    """

    combines_rows: bool
    follows_row_order: bool


def check_query(connection: duckdb.DuckDBPyConnection, query: str, inputs: tuple[str, ...]) -> CheckedQuery:
    """Return what the query needs.

    Args:
        connection: of the engine that says what the query is, and what it calls. Nothing of the query runs.
        query: SQL, with its parameters as variables of the engine.
        inputs: the names of the inputs.

    Raises:
        Refused: it is not a function of the inputs and the parameters alone.
    """
    tree = parse_query(connection, query)
    inspection = _Inspection(connection, inputs)
    for sentence in inspection.sentences(tree):
        raise Refused(f"The query (spec.dataset.query) {sentence}")
    return CheckedQuery(inspection.combines_rows(tree), inspection.follows_row_order(tree))


def remarks_on_query(strategy: Strategy, *, combines_rows: bool) -> tuple[Remark, ...]:
    """Return what a person should know of a query that is allowed.

    A value of several rows carries nothing from testing to training where testing is later.
    """
    if not combines_rows or strategy == "Time":
        return ()
    return (
        Remark(
            code="SeveralRowsInOne",
            message="The query (spec.dataset.query) aggregates over rows or uses windows: a value made from several "
            "rows may carry what is in testing into training, and may change when rows are added. Split with strategy "
            "Time, or by a group (spec.dataset.split) that holds all rows of a value.",
        ),
    )


class _Inspection:
    """What is wrong with a query, part by part."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, inputs: tuple[str, ...]) -> None:
        self._connection = connection
        self._functions = Functions(connection)
        self._inputs = inputs
        self._changing_names: dict[str, bool] = {}

    def sentences(self, tree: Node) -> Iterator[str]:
        """Yield each reason to refuse the query, after its subject."""
        for node, names in nodes_within(tree):
            kind = node.get("class") or node.get("type")
            if isinstance(kind, str) and kind not in _ALLOWED:
                other = f"has {kind.split('_')[0]}, which is no part of a query over the inputs."
                yield _FORBIDDEN.get(kind, other)
            if "class" in node:
                yield from self._of_expression(node)
            else:
                yield from self._of_part(node, names)

    def combines_rows(self, tree: Node) -> bool:
        """Whether a value may come from several rows of an input."""
        return any(node.get("group_expressions") or self._is_over_rows(node) for node, _ in nodes_within(tree))

    def follows_row_order(self, tree: Node) -> bool:
        """Whether the engine has to take the rows in the order of the files."""
        return any(
            self._is_over_rows(node) or node.get("ref_type") == "ASOF" or set(_modifiers(node)) & _TAKES_ROWS
            for node, _ in nodes_within(tree)
        )

    def _is_over_rows(self, node: Node) -> bool:
        match node.get("class"):
            case "WINDOW":
                return True
            case "FUNCTION":
                facts = self._functions.facts(function_name(node))
                return "aggregate" in facts.kinds or any(self._has_aggregate(macro) for macro in facts.macros)
        return False

    def _has_aggregate(self, macro: Macro) -> bool:
        return any(self._is_over_rows(node) for node, _ in nodes_within(self._parse_macro(macro)))

    def _of_expression(self, node: Node) -> Iterator[str]:
        match node["class"]:
            case "FUNCTION" | "WINDOW":
                sentence = self._of_call(node)
                if sentence is not None:
                    yield sentence.replace("{name}", function_name(node))
                elif len(node["qualified_name"]["path"]) == 2:  # a.f() may be f(a)
                    yield from self._of_bare_name(str(node["qualified_name"]["path"][0]))
            case "COLUMN_REF" if len(node["column_names"]) == 1:
                yield from self._of_bare_name(str(node["column_names"][0]))
            case "CAST":
                text = str(node["child"].get("literal", {}).get("text", ""))
                if text.strip().lower() in _MOMENTS and _OF_TIME.search(str(node["type_expr"].get("type_name"))):
                    yield CHANGES.replace("calls {name}()", f"asks for '{text}'")

    def _of_call(self, node: Node) -> str | None:
        """Return the sentence that refuses a call, after its subject; None where it is allowed."""
        name, arguments = function_name(node), node["arguments"]
        counts = {len(arguments), len(arguments) + (len(node["qualified_name"]["path"]) > 1)}  # a.f() may be f(a)
        behind = [macro for macro in self._functions.facts(name).macros if len(macro.parameters) in counts]
        found = [
            *(self._functions.sentence(name, count) for count in sorted(counts)),
            *(self._of_macro(macro) for macro in behind),
            self._of_aggregate_by_name(name, arguments),
            self._of_row_order(node, name),
        ]
        return next((sentence for sentence in found if sentence is not None), None)

    def _of_macro(self, macro: Macro) -> str | None:
        """Return the sentence that refuses a macro for what is behind it."""
        parameters = {name.lower() for name in macro.parameters}
        for node, _ in nodes_within(self._parse_macro(macro)):
            sentence = None
            if node.get("type") in ("TABLE_FUNCTION", "BASE_TABLE"):
                sentence = OUTSIDE
            elif node.get("class") in ("FUNCTION", "WINDOW"):
                sentence = self._of_call(node)
            elif node.get("class") == "COLUMN_REF" and str(node["column_names"][0]).lower() not in parameters:
                sentence = CHANGES if any(self._of_bare_name(str(node["column_names"][0]))) else None
            if sentence is not None:
                return sentence
        return None

    def _of_aggregate_by_name(self, name: str, arguments: list[Node]) -> str | None:
        """Return the sentence that refuses list_aggregate(x, 'name') and the like for the aggregate that it names."""
        texts = [str(each["expression"].get("literal", {}).get("text", "")).lower() for each in arguments]
        for text in texts if "aggr" in name else ():
            sentence = self._functions.sentence(text, 1) if "aggregate" in self._functions.facts(text).kinds else None
            if sentence is not None:
                return sentence.replace("{name}", text)
        return None

    def _parse_macro(self, macro: Macro) -> Node:
        return parse_query(self._connection, f"SELECT {macro.body}")

    def _of_row_order(self, node: Node, name: str) -> str | None:
        follows = self._functions.follows_row_order(name, len(node["arguments"]))
        if node["class"] == "FUNCTION":
            return ROW_ORDER if follows and not (node["order_bys"] or {}).get("orders") else None
        counts_rows = any(str(node[end]).endswith("_ROWS") for end in ("start", "end"))
        follows = follows or counts_rows or "window" in self._functions.facts(name).kinds
        return ROW_ORDER if follows and not (node["orders"] or node.get("arg_orders")) else None

    def _of_bare_name(self, name: str) -> Iterator[str]:
        """Yield a sentence where the engine has a function for a name without parentheses, as current_date."""
        if name not in self._changing_names:
            self._changing_names[name] = self._changes(name)
        if self._changing_names[name]:
            yield (
                CHANGES.replace("{name}()", name) + f" For a column of that name, write its table before it: t.{name}."
            )

    def _changes(self, name: str) -> bool:
        """Whether a name means something to the engine where no table has a column of it, and what it means changes."""
        query = {"query": f"SELECT {quote_identifier(name)}"}
        row = self._connection.execute("SELECT CAST(json_serialize_plan($query) AS VARCHAR)", query).fetchone()
        plan = json.loads(row[0]) if row else {}
        calls = (node for node, _ in nodes_within(plan.get("plans", [])) if "qname" in node)
        return any(
            self._functions.sentence(str(call["qname"]["path"][-1]).lower(), len(call["children"])) is not None
            for call in calls
        )

    def _of_part(self, node: Node, names: frozenset[str]) -> Iterator[str]:
        match node.get("type"):
            case "BASE_TABLE":
                yield from self._of_table(node, names)
            case "TABLE_FUNCTION" if (name := function_name(node["function"])) not in TABLE_FUNCTIONS:
                yield OUTSIDE.replace("{name}", name)
            case "JOIN" if node["ref_type"] == "POSITIONAL":
                yield "joins by the position of the rows, which is no part of the inputs; join by a column instead."
        if node.get("sample") is not None:
            yield (
                "takes a sample of a table, which may change from one run to the next; the same inputs must give the "
                "same rows. Filter by a column instead."
            )
        taken = set(_modifiers(node))
        if taken & _TAKES_ROWS and "ORDER_MODIFIER" not in taken:
            what = "LIMIT or OFFSET" if "LIMIT_MODIFIER" in taken else "DISTINCT ON"
            yield (
                f"has {what} without an ORDER BY: which rows it takes follows their order, which is no part of the "
                "inputs. Order by columns in which no two rows are equal."
            )

    def _of_table(self, node: Node, names: frozenset[str]) -> Iterator[str]:
        path = [str(each) for each in (node["catalog_name"], node["schema_name"], node["table_name"]) if each]
        known = names | {name.lower() for name in self._inputs}
        if len(path) > 1 or path[0].lower() not in known or node.get("at_clause"):
            yield f"reads '{'.'.join(path)}', which is not an input; the inputs are {', '.join(self._inputs)}."


_FORBIDDEN = {
    "RECURSIVE_CTE_NODE": (
        "calls itself (WITH RECURSIVE), and nothing says beforehand that it comes to an end; make that table before, "
        "and give it as an input."
    ),
    "SHOW_REF": "describes a table (DESCRIBE, SHOW or SUMMARIZE) in place of reading its rows; select from an input.",
}
_TAKES_ROWS = frozenset(["LIMIT_MODIFIER", "DISTINCT ON"])


def _modifiers(node: Node) -> Iterable[str]:
    """Yield the kinds of what comes after a SELECT: DISTINCT ON, ORDER BY, LIMIT."""
    for modifier in node.get("modifiers") or ():
        kind = str(modifier["type"])
        if kind != "DISTINCT_MODIFIER":
            yield kind
        elif modifier["distinct_on_targets"]:
            yield "DISTINCT ON"

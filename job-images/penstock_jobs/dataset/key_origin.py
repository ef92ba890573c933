"""Where a query's columns come from, as far as it matters for identity: a number that a window gives is none.

row_number() gives a row another number when one before it is added or taken out: then points change sides. So do
rank(), lag() and every other window function, through whichever columns and queries the number has come.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.query_tree import Node, function_name, nodes_within, parse_query


def refuse_numbered_keys(connection: duckdb.DuckDBPyConnection, query: str, job: DatasetJob) -> None:
    """Raise `Refused` where a column that identifies a point, or its group, comes from a window function."""
    fields = dict.fromkeys(job.split.group_columns, "spec.dataset.split.group.columns")
    fields |= dict.fromkeys(job.key, "spec.dataset.key")
    tree = parse_query(connection, query)
    for name, field in fields.items():
        window = _Origins().window_of(tree, name, {})
        if window is not None:
            raise Refused(
                f"The column '{name}' ({field}) comes from {window}() in the query, which gives a row another value "
                "when rows are added or taken out: points would change sides. Name columns that a row keeps, or put "
                "them together, as in md5(concat_ws('|', measured_at, station))."
            )


Tables = Mapping[str, tuple[Node, tuple[str, ...]]]


class _Origins:
    """The window functions behind columns. Where a name may stand for several columns, each of them counts."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, str | int]] = set()  # WITH t AS (SELECT … FROM t) names itself

    def window_of(self, node: Node, name: str, tables: Tables) -> str | None:
        """Return the window function that a column of a query comes from; None where it comes from none.

        Args:
            node: the query.
            name: of the column.
            tables: the queries that WITH gives a name, each with the names of its columns where they are given.
        """
        return next(self._windows(node, name.lower(), tables), None)

    def _windows(self, node: Node, name: str, tables: Tables) -> Iterator[str]:
        if self._is_seen(node, name):
            return
        tables = _scope(node, tables)
        if node["type"] == "SET_OPERATION_NODE":
            place = _place(node["children"][0], name)
            for child in node["children"]:
                yield from self._windows(child, name, tables)
                if place is not None:
                    yield from self._windows_at(child, place, tables)
        elif node["type"] == "SELECT_NODE":
            for item in node["select_list"]:
                yield from self._of_item(node, item, name, tables)

    def _windows_at(self, node: Node, place: int, tables: Tables) -> Iterator[str]:
        """Yield the windows behind the column at this place of a query, where no star hides it."""
        if self._is_seen(node, place):
            return
        tables = _scope(node, tables)
        if node["type"] == "SET_OPERATION_NODE":
            for child in node["children"]:
                yield from self._windows_at(child, place, tables)
        elif node["type"] == "SELECT_NODE":
            items = node["select_list"][: place + 1]
            if len(items) > place and not any(item["class"] == "STAR" for item in items):
                yield from self._of_expression(node, items[place], tables)

    def _is_seen(self, node: Node, column: str | int) -> bool:
        seen = (id(node), column) in self._seen
        self._seen.add((id(node), column))
        return seen

    def _of_item(self, node: Node, item: Node, name: str, tables: Tables) -> Iterator[str]:
        """Yield the windows behind a column as far as this item of the select list gives it."""
        if item["class"] == "STAR":
            replaced = {str(each["key"]).lower(): each["value"] for each in item["replace_list"]}
            if name in replaced:
                yield from self._of_expression(node, replaced[name], tables)
            elif name not in _excluded(item):
                for inner in {name, *_old_names(item, name)}:
                    yield from self._of_tables(node["from_table"], inner, tables)
        elif name == _output_name(item):
            yield from self._of_expression(node, item, tables)
        elif (
            not _output_name(item) and "(" in name
        ):  # the engine's own name of an expression, as "row_number() OVER ()"
            yield from self._of_expression(node, item, tables)

    def _of_expression(self, node: Node, expression: Node, tables: Tables) -> Iterator[str]:
        for inner, _ in nodes_within(expression):
            if inner.get("class") == "WINDOW":
                yield function_name(inner)
            elif inner.get("class") == "COLUMN_REF":
                for name in (str(part).lower() for part in inner["column_names"]):
                    yield from self._of_tables(node["from_table"], name, tables)
                    yield from self._windows(node, name, tables)  # an alias may be meant: rank() OVER … AS r, r + 1

    def _of_tables(self, table: Node, name: str, tables: Tables) -> Iterator[str]:
        match table["type"]:
            case "JOIN":
                yield from self._of_tables(table["left"], name, tables)
                yield from self._of_tables(table["right"], name, tables)
            case "SUBQUERY":
                yield from self._of_query(table["subquery"]["node"], _aliases(table), name, tables)
            case "PIVOT":
                yield from self._of_tables(table["source"], name, tables)
            case "BASE_TABLE" if str(table["table_name"]).lower() in tables:
                query, given = tables[str(table["table_name"]).lower()]
                yield from self._of_query(query, _aliases(table) or given, name, tables)

    def _of_query(self, query: Node, given: tuple[str, ...], name: str, tables: Tables) -> Iterator[str]:
        """Yield the windows behind a column of a query whose first columns have other names outside."""
        if name in given:
            yield from self._windows_at(query, given.index(name), tables)
        else:
            yield from self._windows(query, name, tables)


def _scope(node: Node, tables: Tables) -> Tables:
    """Return the queries that have a name within a query."""
    named = dict(tables)
    for entry in (node.get("cte_map") or {}).get("map", []):
        given = tuple(str(alias).lower() for alias in entry["value"]["aliases"])
        named[str(entry["key"]).lower()] = (entry["value"]["query_node"], given)
    return named


def _aliases(table: Node) -> tuple[str, ...]:
    return tuple(str(name).lower() for name in table["column_name_alias"])


def _output_name(item: Node) -> str:
    if item["alias"]:
        return str(item["alias"]).lower()
    if item["class"] == "COLUMN_REF":
        return str(item["column_names"][-1]).lower()
    return ""


def _select_list(query: Node) -> list[Any]:
    while query["type"] == "SET_OPERATION_NODE":
        query = query["children"][0]
    return list(query.get("select_list", []))


def _place(query: Node, name: str) -> int | None:
    """Return which column of a query has the name, where no star hides it."""
    names = [None if item["class"] == "STAR" else _output_name(item) for item in _select_list(query)]
    return names.index(name) if name in names and None not in names[: names.index(name)] else None


def _excluded(star: Node) -> set[str]:
    qualified = (each["column"] for each in star.get("qualified_exclude_list") or ())
    return {str(name).lower() for name in (*star["exclude_list"], *qualified)}


def _old_names(star: Node, name: str) -> Iterator[str]:
    """Yield what a column is called before RENAME."""
    for entry in star.get("rename_list") or ():
        if str(entry["value"]).lower() == name:
            yield str(entry["key"]["column"]).lower()

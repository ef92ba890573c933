"""What a query may not do: answer differently each time, or read what is not an input."""

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Remark, Strategy

_CHANGING = frozenset(
    [
        "random",
        "rand",
        "setseed",
        "uuid",
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
        "now",
        "today",
        "current_date",
        "current_time",
        "current_timestamp",
        "current_localtime",
        "current_localtimestamp",
        "localtime",
        "localtimestamp",
        "get_current_time",
        "get_current_timestamp",
        "transaction_timestamp",
        "nextval",
        "currval",
        "txid_current",
        "sleep_ms",
        "write_log",
        "getenv",
        "getvariable",
        "hash",
    ]
)
_OUTSIDE = frozenset(
    ["glob", "sniff_csv", "query", "query_table", "sql_auto_complete", "which_secret", "load_aws_credentials"]
)
_OUTSIDE_PREFIXES = (
    "read_",
    "parquet_",
    "sqlite_",
    "postgres_",
    "mysql_",
    "iceberg_",
    "delta_",
    "duckdb_",
    "pragma_",
    "st_read",
    "scan_",
    "arrow_scan",
    "pandas_scan",
    "python_",
)


def check_query(query: str, inputs: tuple[str, ...]) -> None:
    """Raise `Refused` where the query is not a function of the inputs alone."""
    tree = _parse(query)
    _refuse_changing(tree)
    _refuse_outside(tree, inputs)


def _parse(query: str) -> exp.Expr:
    try:
        statements = [statement for statement in sqlglot.parse(query, dialect="duckdb") if statement is not None]
    except SqlglotError as error:
        raise Refused(
            f"The query (spec.dataset.query) is not SQL that can be read: {str(error).splitlines()[0]}"
        ) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise Refused("The query (spec.dataset.query) must be one SELECT statement.")
    return statements[0]


_AS_WRITTEN = {"rand": "random"}  # the parser has names of its own


def _refuse_changing(tree: exp.Expr) -> None:
    for node in tree.walk():
        name = _function_name(node)
        if name in _CHANGING:
            raise Refused(
                f"The query (spec.dataset.query) calls {_AS_WRITTEN.get(name, name)}(), whose answer changes from one "
                "run to the next; the same inputs must give the same rows. Give the value as a parameter "
                "(spec.parameters)."
            )
        if isinstance(node, exp.TableSample):
            raise Refused(
                "The query (spec.dataset.query) takes a sample of a table, which may change from one run to the next; "
                "the same inputs must give the same rows. Filter by a column instead."
            )


def _refuse_outside(tree: exp.Expr, inputs: tuple[str, ...]) -> None:
    known = {name.lower() for name in inputs} | {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for node in tree.walk():
        name = _function_name(node)
        if name in _OUTSIDE or name.startswith(_OUTSIDE_PREFIXES):
            raise Refused(
                f"The query (spec.dataset.query) reads by {name}(); it may read only the inputs, by their names. "
                "Declare "
                "what it reads under spec.dataset.inputs."
            )
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or (table.name.lower() in known and not table.db):
            continue
        raise Refused(
            f"The query (spec.dataset.query) reads '{table.sql(dialect='duckdb')}', which is not an input; the "
            "inputs are "
            f"{', '.join(inputs)}."
        )


def remarks_on_query(query: str, strategy: Strategy) -> tuple[Remark, ...]:
    """Return what a person should know of a query that is allowed.

    A value of several rows carries nothing from testing to training where testing is later.
    """
    tree = _parse(query)
    found = []
    selects = tree.find_all(exp.Select)
    several = any(select.args.get("group") or select.find(exp.AggFunc, exp.Window) for select in selects)
    if several and strategy != "Time":
        found.append(
            Remark(
                code="SeveralRowsInOne",
                message="The query (spec.dataset.query) aggregates over rows or uses windows: a value made from "
                "several rows may carry what is in testing into training, and may change when rows are added. Split "
                "with strategy Time, or by a group (spec.dataset.split) that holds all rows of a value.",
            )
        )
    limited = [
        node for node in tree.find_all(exp.Limit, exp.Fetch) if node.parent and not node.parent.args.get("order")
    ]
    if limited:
        found.append(
            Remark(
                code="LimitWithoutOrder",
                message="The query (spec.dataset.query) has a LIMIT without an ORDER BY: which rows it takes is not "
                "defined. Add an ORDER BY that tells all rows apart.",
            )
        )
    return tuple(found)


def _function_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    if isinstance(node, exp.Func):
        return node.sql_names()[0].lower()
    if isinstance(node, exp.Column) and not node.table and node.name.lower() in _BARE:
        return node.name.lower()
    return ""


_BARE = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}

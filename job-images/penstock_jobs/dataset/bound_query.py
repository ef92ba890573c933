"""The inputs' query with its parameters as bound variables of the engine: no value ever becomes part of the text."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import ParameterType, ParameterValue, read_value
from penstock_jobs.contract.query_parameters import names_in_query, replace_names
from penstock_jobs.contract.result import ColumnType
from penstock_jobs.tables.columns import DUCKDB_TYPES

_COLUMN_TYPES: dict[ParameterType, ColumnType] = {
    "String": "String",
    "Integer": "Integer",
    "Number": "Float",
    "Boolean": "Boolean",
    "Date": "Date",
    "Timestamp": "Timestamp",
}


@dataclass(frozen=True)
class BoundQuery:
    """A query as the engine takes it, and the values of its variables."""

    text: str
    values: dict[str, Any] = field(default_factory=dict)


def bind_parameters(query: str | None, parameters: Iterable[ParameterValue]) -> BoundQuery | None:
    """Return the query with these parameters, those that it uses, bound in it with their types.

    Raises:
        Refused: it uses one that is not there, or the value is none of its type.
    """
    if query is None:
        return None
    known = {each.name: each for each in parameters}
    names = names_in_query(query)
    for name in names:
        if name not in known:
            raise Refused(
                f"The query (spec.dataset.query) uses :{name}, and the run has no such parameter; declare it in "
                "spec.parameters."
            )
    # With a type of its own a variable is the same whatever its value: an integer would else be as small as it fits.
    text = replace_names(query, lambda name: f"(CAST(${name} AS {DUCKDB_TYPES[_COLUMN_TYPES[known[name].type]]}))")
    return BoundQuery(text, {name: _engine_value(known[name]) for name in names})


def refuse_other_names(connection: duckdb.DuckDBPyConnection, query: BoundQuery) -> None:
    """Refuse a query whose variables, as the engine itself sees them, are not those that were bound."""
    seen = {name for statement in connection.extract_statements(query.text) for name in statement.named_parameters}
    if seen != set(query.values):
        other = min(seen ^ set(query.values))
        raise Refused(
            f"The query (spec.dataset.query) has the variable {'?' if other.isdigit() else f'${other}'} of the engine; "
            "declare a parameter in spec.parameters, and write it as :name."
        )


def _engine_value(parameter: ParameterValue) -> Any:
    try:
        value = read_value(parameter.type, parameter.value)
    except ValueError as error:
        raise Refused(f"The parameter {parameter.name} is {parameter.value!r}, which {error}.") from error
    return float(value) if isinstance(value, Decimal) else value

"""`encoding` and `draw` as SQL expressions of DuckDB, and the canonical form of each column."""

from collections.abc import Iterable

from penstock_jobs.contract.result import Column, ColumnType
from penstock_jobs.dataset.draw import RANGE, Purpose, prefix, threshold
from penstock_jobs.tables.columns import quote_identifier

# nfc_normalize ends a text at its first NUL, which never composes with anything: the parts are normalised one by one.
_NFC = (
    "(CASE WHEN contains({0}, chr(0)) "
    "THEN array_to_string(list_transform(string_split({0}, chr(0)), lambda part: nfc_normalize(part)), chr(0)) "
    "ELSE nfc_normalize({0}) END)"
)
_TEXTS: dict[ColumnType, tuple[str, str]] = {
    "Integer": ("i", "CAST({0} AS VARCHAR)"),
    "String": ("s", _NFC),
    "Timestamp": ("t", "CAST(epoch_us({0}) AS VARCHAR)"),
    "Date": ("d", "CAST({0} - DATE '1970-01-01' AS VARCHAR)"),
}


def identity_expression(columns: Iterable[Column]) -> str:
    """Return the SQL of `encoding.identity` over the columns, a BLOB of 16 bytes."""
    return f"unhex(md5({_row_encoding(columns)}))"


def group_expression(groups: tuple[Column, ...], identity: tuple[Column, ...]) -> str:
    """Return the SQL of the identity of a point's group; one that has no value in any group column is its own group.

    Its encoding goes on with the point's own columns, so it is that of no group which has a value.
    """
    known = " OR ".join(f"{quote_identifier(column.name)} IS NOT NULL" for column in groups)
    return (
        f"(CASE WHEN {known} THEN {identity_expression(groups)} ELSE {identity_expression((*groups, *identity))} END)"
    )


def identity_number(columns: Iterable[Column]) -> str:
    """Return the SQL of the identity as one little-endian UHUGEINT, which the engine groups by faster than a BLOB."""
    return f"md5_number({_row_encoding(columns)})"


def identity_of_number(number: str) -> str:
    """Return the SQL of the identity whose `identity_number` is given; slow, for few rows."""
    pairs = f"regexp_extract_all(lpad(hex({number}), 32, '0'), '..')"
    return f"unhex(array_to_string(list_reverse({pairs}), ''))"


def hash_expression(purpose: Purpose, salt: str, epoch: int, point: str) -> str:
    """Return the SQL of the whole hash that a draw is the upper 64 bits of, a UHUGEINT.

    DuckDB reads the 16 bytes of an MD5 as one little-endian integer; its `md5_number_upper` would be five times slower.
    """
    return f"md5_number(unhex('{prefix(purpose, salt, epoch).hex()}') || {point})"


def draw_expression(purpose: Purpose, salt: str, epoch: int, point: str) -> str:
    """Return the SQL of `draw.draw` of the BLOB expression `point`, a UBIGINT."""
    return f"CAST({hash_expression(purpose, salt, epoch, point)} >> 64 AS UBIGINT)"


def fold_expression(salt: str, epoch: int, point: str) -> str:
    """Return the SQL of the draw for validation and folds as tables store it: less 2^63, which makes it a BIGINT."""
    hashed = hash_expression("validation", salt, epoch, point)
    return f"CAST(CAST({hashed} >> 64 AS HUGEINT) - {RANGE // 2} AS BIGINT)"


def below_expression(hashed: str, share: float) -> str:
    """Return the SQL condition that the draw, given by its whole hash, is below the share."""
    limit = threshold(share)
    return "TRUE" if limit >= RANGE else f"{hashed} < CAST('{limit * RANGE}' AS UHUGEINT)"


def fold_below_expression(fold: str, share: float) -> str:
    """Return the SQL condition that a stored fold draw is below the share."""
    limit = threshold(share)
    return "TRUE" if limit >= RANGE else f"{fold} < {limit - RANGE // 2}"


def _row_encoding(columns: Iterable[Column]) -> str:
    return " || ".join(_column_encoding(column) for column in columns)


def _column_encoding(column: Column) -> str:
    name = quote_identifier(column.name)
    if column.type == "Boolean":
        return f"(CASE WHEN {name} THEN 'b1:1' WHEN NOT {name} THEN 'b1:0' ELSE 'n0:' END)"
    tag, template = _TEXTS[column.type]
    text = template.format(name)
    return f"coalesce('{tag}' || strlen({text}) || ':' || {text}, 'n0:')"

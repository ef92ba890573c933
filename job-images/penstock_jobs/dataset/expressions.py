"""`encoding` and `draw` as SQL expressions of DuckDB."""

from collections.abc import Iterable

from penstock_jobs.contract.result import Column
from penstock_jobs.dataset.draw import Purpose, threshold, whitening
from penstock_jobs.tables.columns import quote_identifier
from penstock_jobs.tables.row_hash import RANGE, SIGN, as_stored, row_hash

# nfc_normalize ends a text at its first NUL, which never composes with anything: the parts are normalised one by one.
_NFC = (
    "(CASE WHEN contains({0}, chr(0)) "
    "THEN array_to_string(list_transform(string_split({0}, chr(0)), lambda part: nfc_normalize(part)), chr(0)) "
    "ELSE nfc_normalize({0}) END)"
)


def identity_expression(columns: Iterable[Column]) -> str:
    """Return the SQL of `encoding.identity` over the columns, a BIGINT."""
    return as_stored(row_hash(columns, _NFC))


def group_expression(groups: tuple[Column, ...], identity: tuple[Column, ...]) -> str:
    """Return the SQL of the identity of a point's group; one that has no value in any group column is its own group.

    Its hash goes on with the point's own columns, so it is that of no group which has a value.
    """
    known = " OR ".join(f"{quote_identifier(column.name)} IS NOT NULL" for column in groups)
    return (
        f"(CASE WHEN {known} THEN {identity_expression(groups)} ELSE {identity_expression((*groups, *identity))} END)"
    )


def draw_expression(purpose: Purpose, salt: str, epoch: int, point: str) -> str:
    """Return the SQL of `draw.draw` of the BIGINT expression `point`, a UBIGINT."""
    bits = whitening(purpose, salt, epoch)
    return f"hash(xor({point}, CAST({bits if bits < SIGN else bits - RANGE} AS BIGINT)))"


def fold_expression(salt: str, epoch: int, point: str) -> str:
    """Return the SQL of the draw for validation and folds as tables store it: less 2^63, which makes it a BIGINT."""
    return as_stored(draw_expression("validation", salt, epoch, point))


def below_expression(drawn: str, share: float) -> str:
    """Return the SQL condition that the draw is below the share."""
    limit = threshold(share)
    return "TRUE" if limit >= RANGE else f"{drawn} < CAST({limit} AS UBIGINT)"


def fold_below_expression(fold: str, share: float) -> str:
    """Return the SQL condition that a stored fold draw is below the share."""
    limit = threshold(share)
    return "TRUE" if limit >= RANGE else f"{fold} < {limit - SIGN}"

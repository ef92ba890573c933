"""One value of a request: what it means to the Model, or the sentence that names its row and column."""

from typing import Any

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.values import NEEDS, WrongValueError, read_value
from penstock_jobs.serving.refusals import RefusedRequest


def read_single_value(feature: FeatureSpec, row: int, value: Any) -> Any:
    """Return a value of JSON as `column_of` takes it, None for null, or raise `RefusedRequest`."""
    where = f'Row {row}, column "{feature.name}"'
    if value is None:
        if feature.nullable:
            return None
        raise RefusedRequest(f"{where}: needs {NEEDS[feature.type]}, got null.")
    if value == "" and must_not_be_empty(feature):
        raise RefusedRequest(f"{where}: needs a string that is not empty, for an empty one means null.")
    try:
        return read_value(feature.type, value)
    except WrongValueError as error:
        raise RefusedRequest(f"{where}: {error}.") from error


def must_not_be_empty(feature: FeatureSpec) -> bool:
    """Return whether an empty text means null, and the Model answers to none."""
    return feature.empty_is_null and not feature.nullable

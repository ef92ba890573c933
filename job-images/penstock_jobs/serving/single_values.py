"""One value of a request: what it means to the Model, or the sentence that names its row and column."""

from typing import Any

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.inputs import means_null
from penstock_jobs.reading.values import NEEDS, WrongValueError, read_value
from penstock_jobs.serving.refusals import RefusedRequest


def read_single_value(feature: FeatureSpec, row: int, value: Any) -> Any:
    """Return a value of JSON as `column_of` takes it, None for null, or raise `RefusedRequest`."""
    where = f'Row {row}, column "{feature.name}"'
    if value is None:
        if feature.nullable:
            return None
        raise RefusedRequest(f"{where}: needs {NEEDS[feature.type]}, got null.")
    try:
        read = read_value(feature.type, value)
    except WrongValueError as error:
        raise RefusedRequest(f"{where}: {error}.") from error
    if not feature.nullable and means_null(feature, read):
        shown = "an empty string" if value == "" else value
        raise RefusedRequest(f"{where}: needs {NEEDS[feature.type]}, got {shown}, which means null here.")
    return read

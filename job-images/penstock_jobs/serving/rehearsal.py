"""Whether a server could read the rows that a Model is to be made from: asked before anything is trained."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.block import Block, BlockLayout
from penstock_jobs.models.inputs import columns_of_frame
from penstock_jobs.models.samples import rows_for_json
from penstock_jobs.serving.refusals import RefusedRequest
from penstock_jobs.serving.rows import RowReader
from penstock_jobs.serving.tensors import DATATYPES, TensorReader

if TYPE_CHECKING:
    import pandas as pd


def rehearse_requests(features: Sequence[FeatureSpec], frame: "pd.DataFrame") -> None:
    """Refuse features of which a server could not read the first rows of a table, as rows and as tensors.

    Args:
        features: the inputs that a Model is to have; whether one will answer to a null is not known yet.
        frame: rows of a table, with at least the features.
    """
    features = [msgspec.structs.replace(feature, nullable=True) for feature in features]
    require_servable(features)
    frame, rows = rows_for_json(features, frame)
    if not rows:
        return
    expected = BlockLayout(features).block(columns_of_frame(frame, features))
    asked_rows = msgspec.json.encode({"instances": rows})
    tensors = [
        {"name": feature.name, "shape": [len(rows)], "datatype": DATATYPES[feature.type]}
        | {"data": [row[feature.name] for row in rows]}
        for feature in features
    ]
    asked_tensors = msgspec.json.encode({"inputs": tensors})
    _require_same(features, expected, lambda: RowReader(features).read(asked_rows))
    _require_same(features, expected, lambda: TensorReader(features).read(asked_tensors)[1])


def require_servable(features: Sequence[FeatureSpec]) -> None:
    """Refuse, by name, a feature of which no reader of requests can be made."""
    try:
        _make_readers(features)
    except Exception:
        for feature in features:
            try:
                _make_readers([feature])
            except Exception as error:
                raise Refused(
                    f"The feature {feature.name!r} cannot be served: {error}. Give the column another name."
                ) from error
        raise


def _make_readers(features: Sequence[FeatureSpec]) -> None:
    RowReader(features)
    TensorReader(features)


def _require_same(features: Sequence[FeatureSpec], expected: Block, read: Callable[[], Block]) -> None:
    try:
        found = read()
    except RefusedRequest as error:
        raise Refused(f"A row of the table could not be asked of a server: {error.sentence}") from error
    layout = BlockLayout(features)
    ours, theirs = layout.columns(found), layout.columns(expected)
    for feature in features:
        if not _equal(ours[feature.name], theirs[feature.name]):
            raise Refused(
                f"A server would read the feature {feature.name!r} otherwise than the table has it: "
                f"{ours[feature.name][0]} for {theirs[feature.name][0]}."
            )


def _equal(ours: Any, theirs: Any) -> bool:
    return np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f")

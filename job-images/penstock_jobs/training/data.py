"""The rows of the tables as training works on them: written once to scratch files, and mapped by whoever reads them.

The processes of a pod are forked from one that has mapped the files, so one copy in memory serves them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from penstock_jobs.contract import document
from penstock_jobs.contract.document import Document
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.inputs import frame_of_columns

_DESCRIPTION = "description.json"
_RAW = "validated.pickle"


class _Description(Document, frozen=True):
    features: tuple[FeatureSpec, ...]
    training_rows: int
    classes: tuple[str | int | bool | float, ...]
    texts: dict[str, tuple[str, ...]]
    present: tuple[str, ...]


@dataclass(frozen=True)
class TrainingData:
    """Training rows, then validation rows, each sorted by the hash of its key.

    Attributes:
        features: The inputs of the Models, in order.
        frame: One column a feature, doubles or strings; shape (n, features).
        target: Classes or values; shape (n,).
        classes: The classes in training, in ascending order; empty in a regression.
        weight: Sample weights, shape (n,), or None.
        draw: A uniform 64-bit draw for each row, the same within a group; shape (n,).
        time: The moment of each row in seconds, shape (n,), or None.
        training_rows: How many of the rows are of the training table.
    """

    features: tuple[FeatureSpec, ...]
    frame: pd.DataFrame
    target: npt.NDArray[Any]
    classes: tuple[Any, ...]
    weight: npt.NDArray[np.float64] | None
    draw: npt.NDArray[np.uint64]
    time: npt.NDArray[np.float64] | None
    training_rows: int


def write_data(folder: Path, data: TrainingData, validated: pd.DataFrame) -> None:
    """Write the rows to the folder. `validated` is the validation set as read, for whoever saves a Model."""
    numbers = [feature.name for feature in data.features if feature.type != "String"]
    matrix = np.empty((len(data.frame), len(numbers)), dtype=np.float64, order="F")
    for position, name in enumerate(numbers):
        matrix[:, position] = data.frame[name].to_numpy()
    texts: dict[str, tuple[str, ...]] = {}
    for feature in data.features:
        if feature.type == "String":
            codes, values = pd.factorize(data.frame[feature.name], sort=True)
            np.save(folder / f"text-{len(texts)}.npy", codes.astype(np.int32))
            texts[feature.name] = tuple(str(value) for value in values)
    arrays = {"numbers": matrix, "target": _codes(data), "draw": data.draw, "weight": data.weight, "time": data.time}
    present = [name for name, array in arrays.items() if array is not None]
    for name in present:
        np.save(folder / f"{name}.npy", arrays[name])  # type: ignore[arg-type]
    validated.to_pickle(folder / _RAW)  # our own scratch file, read by our own processes only
    description = _Description(
        features=data.features,
        training_rows=data.training_rows,
        classes=data.classes,
        texts=texts,
        present=tuple(present),
    )
    (folder / _DESCRIPTION).write_bytes(document.encode(description))


def map_data(folder: Path) -> TrainingData:
    """Return the rows that the folder holds; their numbers stay in the files until they are looked at."""
    description = msgspec.json.decode((folder / _DESCRIPTION).read_bytes(), type=_Description)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in description.present}
    target = arrays["target"]
    if description.classes:
        target = np.array(description.classes)[target]
    return TrainingData(
        features=description.features,
        frame=_frame(folder, description, arrays["numbers"]),
        target=target,
        classes=description.classes,
        weight=arrays.get("weight"),
        draw=arrays["draw"],
        time=arrays.get("time"),
        training_rows=description.training_rows,
    )


def read_validated(folder: Path) -> pd.DataFrame:
    """Return the validation set as it was read from its table."""
    frame: pd.DataFrame = pd.read_pickle(folder / _RAW)  # noqa: S301 - our own scratch file
    return frame


def _frame(folder: Path, description: _Description, numbers: npt.NDArray[np.float64]) -> pd.DataFrame:
    names = [feature.name for feature in description.features]
    if not description.texts:
        return pd.DataFrame(numbers, columns=names, copy=False)
    columns: dict[str, npt.NDArray[Any]] = {}
    for position, (name, values) in enumerate(description.texts.items()):
        columns[name] = np.array(values, dtype=object)[np.load(folder / f"text-{position}.npy")]
    remaining: Sequence[str] = [name for name in names if name not in columns]
    columns |= {name: numbers[:, position] for position, name in enumerate(remaining)}
    return frame_of_columns(columns, description.features)


def _codes(data: TrainingData) -> npt.NDArray[Any]:
    if not data.classes:
        return data.target
    return np.searchsorted(np.array(data.classes), data.target).astype(np.int32)

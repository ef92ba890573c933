"""Some rows on their way to the Model: all numbers in one matrix, so that joining requests is cheap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.manifest import Feature
from penstock_jobs.models.inputs import Columns, is_text


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as the Model sees them.

    Attributes:
        numbers: the numeric features, shape (features, rows), float64, C order.
        texts: the string features, shape (features, rows), objects.
    """

    numbers: NDArray[np.float64]
    texts: NDArray[Any]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.numbers.shape[1])


def joined(blocks: Sequence[Block]) -> Block:
    """Return the rows of all blocks, in order."""
    if len(blocks) == 1:
        return blocks[0]
    texts = blocks[0].texts
    return Block(
        np.concatenate([block.numbers for block in blocks], axis=1),
        np.concatenate([block.texts for block in blocks], axis=1) if len(texts) else texts,
    )


class Layout:
    """Where each feature is in a block."""

    def __init__(self, features: Sequence[Feature]) -> None:
        """Take the features in the Model's order."""
        self.features = tuple(features)
        self.numbers = tuple(feature for feature in features if not is_text(feature))
        self.texts = tuple(feature for feature in features if is_text(feature))

    def block(self, columns: Columns) -> Block:
        """Return the columns, as `models.inputs` makes them, as one block."""
        rows = len(next(iter(columns.values())))
        numbers = np.empty((len(self.numbers), rows))
        texts = np.empty((len(self.texts), rows), dtype=object)
        for position, feature in enumerate(self.numbers):
            numbers[position] = columns[feature.name]
        for position, feature in enumerate(self.texts):
            texts[position] = columns[feature.name]
        return Block(numbers, texts)

    def columns(self, block: Block) -> Columns:
        """Return the block as the columns that `LoadedModel.predict` takes. Nothing is copied."""
        columns: Columns = {feature.name: column for feature, column in zip(self.numbers, block.numbers, strict=True)}
        columns.update({feature.name: column for feature, column in zip(self.texts, block.texts, strict=True)})
        return columns

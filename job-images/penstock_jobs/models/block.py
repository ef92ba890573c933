"""Some rows on their way to the Model: all numbers in one matrix and all strings in another.

A file with one input for each of 30 features takes 100 µs to run one row, with a matrix 27 µs: most of the time went
into handing over the inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.inputs import Columns, is_text

# The inputs of a served ONNX file, and the key under which it says what their columns are.
NUMBERS, TEXTS = "numbers", "texts"
METADATA = "penstock.features"


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as the Model sees them (see `inputs`).

    Attributes:
        numbers: the numeric features in their order, shape (rows, features), float64, C order.
        texts: the string features in their order, shape (rows, features), objects.
    """

    numbers: NDArray[np.float64]
    texts: NDArray[Any]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.numbers)


def concatenate_blocks(blocks: Sequence[Block]) -> Block:
    """Return the rows of all blocks, in order."""
    if len(blocks) == 1:
        return blocks[0]
    numbers = np.concatenate([block.numbers for block in blocks])
    if not blocks[0].texts.shape[1]:
        return Block(numbers, np.empty((len(numbers), 0), dtype=object))
    return Block(numbers, np.concatenate([block.texts for block in blocks]))


class BlockLayout:
    """Where each feature is in a block."""

    def __init__(self, features: Sequence[FeatureSpec]) -> None:
        """Take the features in the Model's order."""
        self.numbers = tuple(feature.name for feature in features if not is_text(feature))
        self.texts = tuple(feature.name for feature in features if is_text(feature))

    def block(self, columns: Mapping[str, NDArray[Any]]) -> Block:
        """Return the columns, as `inputs` makes them, as one block."""
        rows = len(next(iter(columns.values())))
        numbers = np.empty((rows, len(self.numbers)))
        texts = np.empty((rows, len(self.texts)), dtype=object)
        for position, name in enumerate(self.numbers):
            numbers[:, position] = columns[name]
        for position, name in enumerate(self.texts):
            texts[:, position] = columns[name]
        return Block(numbers, texts)

    def columns(self, block: Block) -> Columns:
        """Return the block as columns. Nothing is copied."""
        columns: Columns = dict(zip(self.numbers, block.numbers.T, strict=True))
        columns.update(zip(self.texts, block.texts.T, strict=True))
        return columns

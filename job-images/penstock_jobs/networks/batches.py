"""The rows that a network sees, a batch at a time: only one batch is ever dense, or on the GPU."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch

Batch = tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class RowSlice:
    """Features (rows, columns) of float32, dense or CSR; targets (rows,); weights (rows,) of float32.

    `index` picks the rows that belong to this slice, so that slices share one copy of the features.
    """

    features: np.ndarray | scipy.sparse.csr_matrix
    targets: np.ndarray
    weights: np.ndarray
    index: np.ndarray

    @classmethod
    def with_weights(
        cls, features: np.ndarray | scipy.sparse.csr_matrix, targets: np.ndarray, weights: np.ndarray, index: np.ndarray
    ) -> "RowSlice":
        """Return the rows at `index`, their weights divided by their mean, so that a loss keeps its scale."""
        scaled = (weights / weights[index].mean()).astype(np.float32)
        return cls(features, targets, scaled, index)

    def __len__(self) -> int:
        return len(self.index)

    def batch(self, positions: np.ndarray) -> Batch:
        """Return the rows at these positions of the slice as tensors."""
        chosen = self.index[positions]
        return (
            dense_tensor(self.features[chosen], np.float32),
            (torch.from_numpy(self.targets[chosen]), torch.from_numpy(self.weights[chosen])),
        )


@dataclass(frozen=True)
class Slices:
    """The rows that the weights are fitted to, and those that early stopping watches (None: no early stopping)."""

    fitting: RowSlice
    stopping: RowSlice | None


@dataclass(frozen=True)
class Batches:
    """An iterable over the batches of a slice, in a new order every time where there is a generator."""

    rows: RowSlice
    size: int
    generator: torch.Generator | None = None

    def __iter__(self) -> Iterator[Batch]:
        count = len(self.rows)
        order = np.arange(count) if self.generator is None else torch.randperm(count, generator=self.generator).numpy()
        for start, end in bounds(count, self.size, whole=self.generator is not None):
            yield self.rows.batch(order[start:end])


def bounds(count: int, size: int, *, whole: bool = False) -> Iterator[tuple[int, int]]:
    """Yield the ends of consecutive batches; with `whole`, a last batch of a single row joins the one before.

    Batch normalisation has no variance to divide by in a batch of one row.
    """
    start = 0
    while start < count:
        end = min(start + size, count)
        if whole and count - end == 1:
            end = count
        yield start, end
        start = end


def dense_tensor(rows: np.ndarray | scipy.sparse.csr_matrix, kind: type[np.floating]) -> torch.Tensor:
    """Return the rows as a dense tensor of that kind of number."""
    values = rows if isinstance(rows, np.ndarray) else rows.toarray()
    # A copy where the rows are shared read-only memory, which torch warns about.
    return torch.from_numpy(np.require(values, dtype=kind, requirements=["C", "W"]))

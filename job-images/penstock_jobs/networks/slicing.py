"""The slice of the training rows that early stopping watches. The validation set, which ranks, is never touched."""

import numpy as np
from sklearn.utils import check_random_state


def stopping_slice(
    share: float, count: int, seed: int, classes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions to fit and the positions to watch, each in rising order.

    The draw is of positions, by seed. A training job sorts its rows by their identity's hash, so positions stand for
    points, and the draw is the same wherever the points are. (A hash of the preprocessed values would differ as soon as
    another processor rounds a mean differently.) With classes, each gives its own share, and keeps at least one row.

    Args:
        share: How much of the rows is watched, in (0, 1).
        count: How many rows there are, at least 2.
        seed: The seed of the draw.
        classes: The class of each row, as an integer from 0 (rows,), or None for a regression.
    """
    random = check_random_state(seed)
    watched = np.zeros(count, dtype=bool)
    members = [np.arange(count)] if classes is None else [np.flatnonzero(classes == k) for k in np.unique(classes)]
    for rows in members:
        wanted = min(round(share * len(rows)), len(rows) - 1)
        watched[random.permutation(rows)[:wanted]] = True
    if not watched.any():
        watched[random.choice(max(members, key=len))] = True
    return np.flatnonzero(~watched), np.flatnonzero(watched)

"""The name that a run gets: the one that was wished for, or with an index where it is taken."""

from collections.abc import Container


def with_index(wish: str, index: int) -> str:
    """Return the execution name of the n-th run that wished for this one: `test`, `test_2`, `test_3`."""
    return wish if index == 1 else f"{wish}_{index}"


def index_of(wish: str, name: str) -> int:
    """Return which index the execution name of a run that wished for this one has."""
    index = name.removeprefix(f"{wish}_")
    return int(index) if name != wish and index.isdecimal() else 1


def first_free(wish: str, taken: Container[str], first: int = 1) -> tuple[str, int]:
    """Return the first execution name of the wish, from that index on, that is not taken, and its index."""
    index = first
    while with_index(wish, index) in taken:
        index += 1
    return with_index(wish, index), index

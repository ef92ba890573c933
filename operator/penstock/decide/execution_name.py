"""The name that a run gets: the one that was wished for, or with an index where it is taken."""

from collections.abc import Collection

LONGEST = 63


def execution_name(wish: str, taken: Collection[str]) -> str:
    """Return `test`, or `test_2`, `test_3`, … : the first that is not taken.

    A wish so long that its index would not fit is cut, for the name is a folder and a label as well.
    """
    name, index = wish[:LONGEST], 1
    while name in taken:
        index += 1
        ending = f"_{index}"
        name = wish[: LONGEST - len(ending)] + ending
    return name

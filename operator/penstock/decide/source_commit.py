"""The commit that a source was at, as a status and a Model keep it."""

DIRTY = "-dirty"  # after a commit: the folder had changes that the commit does not hold


def is_exact(commit: str | None) -> bool:
    """Return whether the commit alone says what the source was."""
    return commit is not None and not commit.endswith(DIRTY)

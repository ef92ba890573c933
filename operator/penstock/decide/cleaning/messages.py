"""The sentences about the files of what was deleted."""

from datetime import timedelta


def files_deleted(kind: str, name: str, files: int | None) -> str:
    """The files of what was deleted are gone too."""
    counted = "The" if files is None else f"{files:,}"
    return f"{counted} files of the {kind} {name}, which was deleted, are deleted."


def files_not_deleted(kind: str, name: str, why: str, pause: timedelta) -> str:
    """The files of what was deleted are still there."""
    minutes = int(pause.total_seconds() // 60)
    return f"The files of the {kind} {name} could not be deleted; it is tried again in {minutes} min: {why}"

"""Penstock: from tables to a tested model behind an API, from one manifest."""

from importlib import metadata


def version() -> str:
    """Return the version of the installed package."""
    return metadata.version("penstock")

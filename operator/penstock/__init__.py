"""Penstock: from tables to a tested model behind an API, from one manifest."""

from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from penstock_jobs.serving.notebook import NotebookModel

__all__ = ["load", "version"]


def version() -> str:
    """Return the version of the installed package."""
    return metadata.version("penstock")


def load(name: str, home: "str | Path | None" = None) -> "NotebookModel":
    """Return a Model ready to predict, by the inference server's own code.

        penstock.load("breast-cancer").predict(frame)

    Args:
        name: a Model, or a Pipeline for the Model that it serves.
        home: the folder that `penstock run` works in; without it `PENSTOCK_HOME`, else the platform's for user data.

    Raises:
        penstock_jobs.contract.errors.Refused: there is no such Model, or its files are not what they were.
    """
    import os
    from pathlib import Path

    from penstock.local.home import find_home
    from penstock.local.models import find_model
    from penstock.local.models import load as load_model
    from penstock.local.resources import Resources
    from penstock_jobs.serving.notebook import NotebookModel

    resources = Resources(find_home(None if home is None else Path(home), os.environ))
    return NotebookModel(load_model(resources, find_model(resources, name)))

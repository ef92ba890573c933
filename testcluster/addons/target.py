"""A cluster, as the addons need it."""

from pathlib import Path
from typing import Protocol


class AddonTarget(Protocol):
    """Where to install, and how an image gets there."""

    @property
    def kubeconfig(self) -> Path:
        """Return the file that selects it."""

    def load(self, image_archive: Path) -> None:
        """Bring an image archive to every node that can run it."""

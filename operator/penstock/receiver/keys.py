"""The keys of signatures: files of a folder, which a Secret is mounted as. No Secret is read from the API server."""

import logging
from collections.abc import Sequence
from pathlib import Path

from penstock.decide.events.refusal import unavailable

log = logging.getLogger(__name__)

_MOST = 8  # keys in one file
_LARGEST = 64 << 10  # bytes


class Keys:
    """Reads a key's file each time that it is asked for: it is small, in memory, and may have changed.

    Args:
        folder: where the files are; None where nothing is mounted.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, name: str) -> Sequence[bytes]:
        """Return the keys of that name, one a line.

        Raises:
            RequestRefused: there is none; whoever runs the receiver has to mount it.
        """
        try:
            content = b"" if self._folder is None else self._read(self._folder / name)
        except OSError as error:
            log.warning("The key %s cannot be read: %s", name, error.strerror)
            content = b""
        keys = [line.strip() for line in content.splitlines() if line.strip()][:_MOST]
        if not keys:
            raise unavailable("The Trigger's key is not there; put it into the Secret that receiver.keys names.", 60)
        return keys

    @staticmethod
    def _read(path: Path) -> bytes:
        with path.open("rb") as file:
            return file.read(_LARGEST)

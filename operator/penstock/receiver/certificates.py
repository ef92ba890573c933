"""The certificate of TLS, from a folder that a Secret is mounted as, and again when it was renewed."""

import asyncio
import logging
import ssl
from pathlib import Path

from penstock_jobs.contract.errors import Refused

log = logging.getLogger(__name__)

EVERY = 30.0  # seconds between two looks


class Certificates:
    """A context for TLS.

    Args:
        folder: where `tls.crt` and `tls.key` are.

    Raises:
        Refused: they cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._files = folder / "tls.crt", folder / "tls.key"
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._state: object = None
        try:
            self.load()
        except (OSError, ssl.SSLError) as error:
            raise Refused(f"The certificate in {folder} cannot be used: {error}. Mount tls.crt and tls.key.") from error

    def load(self) -> None:
        """Load the files where they have changed; connections from now on have the new certificate."""
        state = [(file.stat().st_mtime_ns, file.stat().st_ino) for file in self._files]
        if state != self._state:
            self.context.load_cert_chain(*self._files)
            self._state = state

    async def follow(self) -> None:
        """Look now and then, for ever."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                self.load()
            except (OSError, ssl.SSLError) as error:
                log.warning("The new certificate cannot be used, and the old one stays: %s", error)

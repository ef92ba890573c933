"""From a location to the store that is there."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage.folder import FolderStore
from penstock_jobs.storage.store import Store


def open_store(location: Location) -> Store:
    """Return the store at the location. Nothing is contacted yet."""
    parts = urlsplit(location.uri)
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
            raise Refused(f"{location.uri} is not a local folder; write file:///path, with three slashes.")
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        from penstock_jobs.storage.s3 import open_bucket  # boto3 takes 0.3 s to import

        return open_bucket(location)
    raise Refused(f"{location.uri} is neither file:// nor s3://, the two kinds of storage there are.")

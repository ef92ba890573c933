"""The user's own operations of a Model that is served from skops: beside its file, as they were when it was saved.

They are code. They are put on the import path only for a Pipeline that trusts types by name, and only as the manifest
records them, whose own digest the Model has.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from penstock_jobs.contract.specification import ArchiveSpec, Location, SourceSpec
from penstock_jobs.importing import put_on_path
from penstock_jobs.models import files
from penstock_jobs.models.loading import read_manifest
from penstock_jobs.source.archive import unpack
from penstock_jobs.storage import open_store


def put_source_on_path(location: Location, manifest_digest: str | None, trusted_types: Iterable[str]) -> None:
    """Make the operations of a Model importable, where it has some and its Pipeline trusts types of theirs."""
    if not tuple(trusted_types):
        return
    manifest, _ = read_manifest(open_store(location), manifest_digest)
    if manifest.serving.format != "skops" or files.SOURCE not in manifest.files:
        return
    digest = manifest.files[files.SOURCE]
    folder = Path(tempfile.gettempdir(), f"penstock-source-{digest.removeprefix('sha256:')[:16]}")
    archive = ArchiveSpec(location=location, key=files.SOURCE, digest=digest)
    source = SourceSpec(folder=str(folder), commit=manifest.origin.commit, archive=archive)
    unpack(source)
    put_on_path(source)

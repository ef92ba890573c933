"""The snapshot: the Pipeline exactly as a run took it. With it the run can be made again, elsewhere, by others.

It holds names of Secrets as the manifest has them and no credential: there is none in a manifest.
"""

from typing import Any

import msgspec

from penstock.api.pipeline import PipelineSpec
from penstock.api.schema import API_VERSION
from penstock_jobs.document import Document
from penstock_jobs.result import TableVersion
from penstock_jobs.specification import Run


class Snapshot(Document, frozen=True, kw_only=True):
    """What a run was: the spec with its overrides, the source's commit, the table versions, the images."""

    api_version: str
    kind: str
    run: Run
    spec: PipelineSpec
    commit: str | None = None
    images: dict[str, str] = msgspec.field(default_factory=dict)
    tables: dict[str, TableVersion] = msgspec.field(default_factory=dict)
    versions: dict[str, str] = msgspec.field(default_factory=dict)


def snapshot(
    run: Run,
    spec: PipelineSpec,
    *,
    commit: str | None = None,
    tables: dict[str, TableVersion] | None = None,
    versions: dict[str, str] | None = None,
    images: dict[str, str] | None = None,
) -> Snapshot:
    """Return the snapshot of a run.

    Args:
        run: who it is.
        spec: the Pipeline's spec with the run's overrides laid over it.
        commit: the commit that the source was at.
        tables: the versions of the tables that it wrote or read, by name.
        versions: the versions of the libraries that computed, by name.
        images: the digests of the images that the jobs ran in, by job.
    """
    return Snapshot(
        api_version=API_VERSION,
        kind="Snapshot",
        run=run,
        spec=spec,
        commit=commit,
        images=images or {},
        tables=tables or {},
        versions=versions or {},
    )


def as_document(taken: Snapshot) -> dict[str, Any]:
    """Return the snapshot as a plain document, ready to be written as YAML."""
    document: dict[str, Any] = msgspec.to_builtins(taken)
    return document

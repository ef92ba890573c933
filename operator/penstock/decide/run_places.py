"""Where the artifacts of one run are: on a laptop and on a cluster alike, but for how each is reached from there."""

from dataclasses import dataclass
from typing import Protocol

from penstock.api.credentials import SecretReference
from penstock.api.dataset import Input
from penstock.api.model import Model
from penstock.api.pipeline import GitSource, PipelineSpec
from penstock.api.run import PipelineRunSpec
from penstock.api.storage import Storage
from penstock_jobs.contract.specification import Credentials, Location, SourceSpec


class Reach(Protocol):
    """How the artifacts that a manifest names are reached from somewhere."""

    def storage(self, storage: Storage | None, pipeline: str, field: str, *, write: bool) -> Location:
        """Return the location of a storage; without one, the default of the place. `field` names it in sentences."""
        ...

    def input(self, table: Input, credentials: SecretReference | None, storage: Location, /) -> Location:
        """Return the location of an input, reached with these credentials in place of its own where they are given.

        `storage` is that of the Pipeline: what a relative address is relative to, where a manifest is in no folder.
        """
        ...

    def model(self, model: Model) -> Location:
        """Return the location of a Model's folder, read with the credentials that the Model names."""
        ...

    def repository(self, git: GitSource, credentials: SecretReference | None = None) -> Credentials:
        """Return the credentials of a git repository, in place of its own where some are given."""
        ...


@dataclass(frozen=True)
class RunPlaces:
    """Where the artifacts of one run are: `penstock.decide.job_specification.Places`."""

    places: Reach
    pipeline: str
    spec: PipelineSpec
    run_spec: PipelineRunSpec
    execution: str
    operations: SourceSpec | None = None

    def tables(self, *, write: bool) -> Location:
        """Return the storage of the Pipeline, which holds the tables."""
        return self.places.storage(self.spec.storage, self.pipeline, "spec.storage", write=write)

    def run(self) -> Location:
        """Return the storage of the run."""
        moved = self.run_spec.storage
        base = self.tables(write=True) if moved is None else self.places.storage(moved, "", "spec.storage", write=True)
        return child(base, f"runs/{self.execution}")

    def models(self, *, write: bool) -> Location:
        """Return the folder that holds the Models' folders."""
        storage = self.spec.models.storage
        if storage is not None:
            return self.places.storage(storage, "", "spec.models.storage", write=write)
        return child(self.tables(write=write), "models")

    def input(self, table: Input) -> Location:
        """Return where an input is."""
        given = self.run_spec.credentials.inputs if self.run_spec.credentials else ()
        secret = next((each.secret for each in given if each.name == table.name), None)
        return self.places.input(table, secret, self.tables(write=False))

    def source(self) -> SourceSpec | None:
        """Return the folder with the user's own operations, where there is one."""
        return self.operations


def child(location: Location, path: str) -> Location:
    """Return the location of what is beneath another."""
    return Location(
        uri=f"{location.uri.rstrip('/')}/{path}",
        endpoint=location.endpoint,
        region=location.region,
        credentials=location.credentials,
    )


def secret_for(storage: Storage, *, write: bool) -> SecretReference | None:
    """Return the Secret with which a storage is read, or read and written."""
    secrets = storage.credentials
    if secrets is None:
        return None
    return secrets.write or secrets.read if write else secrets.read or secrets.write

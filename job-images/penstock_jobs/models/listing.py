"""The Models that are in a storage: found by their manifests, and looked at file by file."""

from collections.abc import Iterator
from dataclasses import dataclass

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.storage_requests import SavedModel
from penstock_jobs.contract.termination_message import slim
from penstock_jobs.models import files
from penstock_jobs.models.loading import read_manifest
from penstock_jobs.storage import KeyNotFound, Store


@dataclass(frozen=True)
class ModelFolder:
    """A folder with a manifest; `key` is where it is in the store, empty for its root."""

    key: str

    def within(self, store: Store) -> Store:
        """Return the folder as a store of its own."""
        return store.child(self.key) if self.key else store


def find_model_folders(store: Store) -> list[ModelFolder]:
    """Return the folders that have a manifest: of a Model itself, of Models, or of a whole storage."""
    ending = f"/{files.MANIFEST}"
    found = [key for key in store.keys("") if f"/{key}".endswith(ending)]
    return [ModelFolder(key.removesuffix(files.MANIFEST).removesuffix("/")) for key in found]


def list_models(store: Store) -> Iterator[SavedModel]:
    """Yield each folder with a manifest, once all the digests in it were compared with those of the files."""
    for folder in find_model_folders(store):
        there = folder.within(store)
        try:
            manifest, digest = read_manifest(there)
            _require_name(there, manifest)
            _require_files(there, manifest)
        except Refused as refused:
            yield SavedModel(uri=there.uri, problem=str(refused))
        else:
            yield SavedModel(uri=there.uri, digest=digest, manifest=slim(manifest))


def _require_name(store: Store, manifest: ModelManifest) -> None:
    folder = store.uri.rpartition("/")[2]
    if folder != manifest.name:
        raise Refused(f"{store.uri} holds the Model {manifest.name}, and the folder of a Model has its name.")


def _require_files(store: Store, manifest: ModelManifest) -> None:
    for name, recorded in manifest.files.items():
        try:
            found = files.digest_of(store.read(name))
        except KeyNotFound as error:
            raise Refused(f"{store.uri}/{name} is missing, so the Model {manifest.name} is not whole.") from error
        if found != recorded:
            raise Refused(f"{store.uri}/{name} was changed: its digest is {found}, and {recorded} was recorded.")

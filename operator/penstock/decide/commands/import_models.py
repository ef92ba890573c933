"""Models made again from what is in a storage: which of those found there are new, and why another is left alone."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

import msgspec

from penstock.api.credentials import SecretReference, StorageCredentials
from penstock.api.metadata import ObjectMeta
from penstock.api.model import Model
from penstock.api.pipeline import PipelineSpec
from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.decide.model_resource import model_resource
from penstock.decide.objects.children import MANAGED_BY, MANAGER, PIPELINE, RUN_UID
from penstock.decide.run_places import secret_for
from penstock_jobs.contract.addresses import leads_out
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.contract.storage_requests import SavedModel

State = Literal["New", "There", "Refused"]


@dataclass(frozen=True)
class ImportStatus:
    """A folder that was looked at: the Model that it makes, how that stands to what is there, and why."""

    uri: str
    state: State
    model: Model | None = None
    message: str = ""

    @property
    def name(self) -> str:
        """The name of the Model, or of the folder that holds none."""
        return (self.model.metadata.name if self.model else None) or self.uri.rpartition("/")[2]


def storage_named(uri: str, endpoint: str | None, region: str | None, secret: str | None) -> Storage:
    """Return the storage that a person names by its address: `s3://bucket/prefix` or `pvc://claim/path`."""
    scheme, separator, rest = uri.partition("://")
    place, _, path = rest.rstrip("/").partition("/")
    if not separator or scheme not in ("s3", "pvc") or not place:
        raise Refused(f"{uri} is no storage that pods can read; write s3://bucket/prefix or pvc://claim/path.")
    if leads_out(uri):
        raise Refused(
            f"{uri} has a .., in some form, which leads out of the place that is named; write where it leads."
        )
    credentials = StorageCredentials(read=SecretReference(secret_name=secret)) if secret else None
    if scheme == "pvc":
        if endpoint or region or secret:
            raise Refused(f"{uri} is a volume, which has no endpoint, region or credentials; leave them out.")
        return Storage(pvc=VolumeStorage(claim_name=place, path=path or None))
    s3 = S3Storage(bucket=place, prefix=path or None, endpoint=endpoint, region=region)
    return Storage(s3=s3, credentials=credentials)


def storage_of_models(name: str, spec: PipelineSpec) -> tuple[Storage, str]:
    """Return the storage of a Pipeline's Models, and the folder of them in it."""
    if spec.models.storage is not None:
        return spec.models.storage, ""
    if spec.storage is None:
        raise Refused(
            f"The Pipeline {name} names no storage of its own, and only the operator knows the default one; "
            "name the folder: s3://bucket/prefix or pvc://claim/path."
        )
    return spec.storage, "models"


def read_saved_model(saved: SavedModel, storage: Storage | None) -> ImportStatus:
    """Return the Model that a folder of that storage makes; None stands for a folder of this machine."""
    if saved.manifest is None or saved.digest is None:
        return ImportStatus(saved.uri, "Refused", message=saved.problem or "It holds no Model.")
    manifest, s3 = saved.manifest, storage.s3 if storage else None
    reference = ModelReference(
        name=manifest.name,
        uri=saved.uri,
        digest=saved.digest,
        candidate=manifest.origin.candidate,
        algorithm=manifest.origin.algorithm,
    )
    made = model_resource(
        reference,
        manifest,
        run=None,
        pipeline_uid=None,
        endpoint=s3.endpoint if s3 else None,
        region=s3.region if s3 else None,
        credentials=secret_for(storage, write=False) if storage else None,
    )
    labels = {MANAGED_BY: MANAGER, PIPELINE: manifest.origin.pipeline, RUN_UID: manifest.origin.run_uid}
    metadata = ObjectMeta(name=manifest.name, labels=labels)
    return ImportStatus(saved.uri, "New", msgspec.structs.replace(made, metadata=metadata))


def compare_to_existing(found: ImportStatus, there: Model | None) -> ImportStatus:
    """Return what was found as it stands to the Model of that name that is there, if one is."""
    if found.model is None or there is None:
        return found
    name = found.model.metadata.name
    if there.spec.digest != found.model.spec.digest:
        return ImportStatus(
            found.uri,
            "Refused",
            found.model,
            f"There is another Model {name}, with the digest {there.spec.digest}; it is left alone. Delete it first, "
            "or leave this one.",
        )
    if unquote(there.spec.uri) != unquote(found.uri):
        return ImportStatus(
            found.uri,
            "Refused",
            found.model,
            f"The Model {name} is there, with its files at {there.spec.uri}. To have it read from here, delete that "
            "one with deletionPolicy Retain, and import it again.",
        )
    return ImportStatus(found.uri, "There", found.model)

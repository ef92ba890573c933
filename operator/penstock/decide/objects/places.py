"""Where the artifacts of a manifest are from inside a pod: what `penstock.local.places` is on a laptop.

Each Secret is a folder of its own in the pod, and each volume claim too. A pod mounts those that the specification of
its job names, so what a job was not told of it cannot read.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from msgspec import structs

from penstock.api.credentials import SecretReference
from penstock.api.dataset import Input
from penstock.api.model import Model
from penstock.api.pipeline import GitSource, PipelineSpec
from penstock.api.scalars import GIT_URL, phrase
from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.decide.objects.folders import VOLUMES, credentials_folder, volume_folder
from penstock.decide.run_places import child, secret_for
from penstock_jobs.contract.addresses import leads_out
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Credentials, Location

_FIELDS = (
    ("accessKeyId", "access_key_id"),
    ("secretAccessKey", "secret_access_key"),
    ("sessionToken", "session_token"),
    ("username", "username"),
    ("password", "password"),
    ("ssh-privatekey", "ssh_private_key"),
)
_GLOB = "/*?[]"  # what stays as it is in the address of an input


@dataclass(frozen=True)
class ClusterPlaces:
    """`penstock.decide.run_places.Reach`, from inside the pods of a namespace.

    `default` is the storage of who says none, a folder in it for each Pipeline of each namespace.
    """

    namespace: str
    default: Storage | None = None

    def storage(self, storage: Storage | None, pipeline: str, field: str, *, write: bool) -> Location:
        """Return the location of a storage; without one, that of the Pipeline in the operator's default storage."""
        if storage is None:
            return self._default(pipeline, field, write=write)
        return _locate(storage, field, write=write)

    def input(self, table: Input, credentials: SecretReference | None, storage: Location, /) -> Location:
        """Return the location of an input; a relative one is relative to the Pipeline's storage."""
        _refuse_file_of_a_machine(table)
        secret = credentials or table.credentials
        scheme, separator, rest = table.uri.partition("://")
        if not separator:
            volume = storage.uri.startswith("file://")
            found = child(storage, quote(table.uri, safe=_GLOB) if volume else table.uri)
            if secret is None:
                return found
            return structs.replace(found, credentials=_credentials(secret, f"inputs.{table.name}"))
        if scheme == "pvc":
            return Location(uri=f"file://{volume_folder(quote(rest, safe=_GLOB))}")
        return Location(
            uri=table.uri,
            endpoint=table.endpoint,
            region=table.region,
            credentials=_credentials(secret, f"inputs.{table.name}"),
        )

    def model(self, model: Model) -> Location:
        """Return the location of a Model's folder, read with the credentials that the Model names."""
        uri = model.spec.uri
        refuse_leading_out(uri, f"The Model {model.metadata.name}, spec.uri,")
        if not uri.startswith(("s3://", f"file://{VOLUMES}/")):
            raise Refused(
                f"The Model {model.metadata.name}, spec.uri, is {uri}, which is neither a bucket nor a volume of the "
                "cluster; import the Model again from where its files are."
            )
        return Location(
            uri=uri,
            endpoint=model.spec.endpoint,
            region=model.spec.region,
            credentials=_credentials(model.spec.credentials, "read"),
        )

    def repository(self, git: GitSource, credentials: SecretReference | None = None) -> Credentials:
        """Return the credentials of a git repository, in place of its own where some are given."""
        if re.search(GIT_URL, git.url) is None:
            raise Refused(f"spec.source.git.url is not {phrase(GIT_URL)}.")
        refuse_leading_out(git.url, "spec.source.git.url")
        refuse_leading_out(git.path or "", "spec.source.git.path")
        return _credentials(credentials or git.credentials, "source")

    def _default(self, pipeline: str, field: str, *, write: bool) -> Location:
        if self.default is None:
            raise Refused(
                f"{field} is not given, and the operator has no default storage; add {field}, or ask who runs the "
                "operator for one."
            )
        located = _locate(self.default, "the operator's default storage", write=write)
        return Location(
            uri=f"{located.uri}/{self.namespace}/{pipeline}",
            endpoint=located.endpoint,
            region=located.region,
            credentials=located.credentials,
        )


def refuse_laptop_only(spec: PipelineSpec) -> None:
    """Refuse the spec of a Pipeline that names files of a laptop, with the sentence that a condition will show."""
    for table in spec.dataset.inputs if spec.dataset else ():
        _refuse_file_of_a_machine(table)


def _refuse_file_of_a_machine(table: Input) -> None:
    scheme, separator, _ = table.uri.partition("://")
    if separator and scheme in ("s3", "pvc"):
        refuse_leading_out(table.uri, f"spec.dataset.inputs[{table.name}].uri")
        return
    if not separator and table.uri[0] not in "/~" and not leads_out(table.uri):
        return
    raise Refused(
        f"spec.dataset.inputs[{table.name}].uri is {table.uri}, a file of the machine that the manifest was "
        "written on, which no pod of a cluster can read; put it where pods can, and name it as s3://bucket/path "
        "or pvc://claim/path, or by a path beneath the Pipeline's storage."
    )


def refuse_leading_out(address: str, field: str) -> None:
    """Refuse an address with a `..`; the API server does so too, but not of what was there before its rule."""
    if leads_out(address):
        raise Refused(
            f"{field} has a .., in some form, which leads out of the place that is named; write where it leads."
        )


def _locate(storage: Storage, field: str, *, write: bool) -> Location:
    if storage.s3 is not None:
        refuse_leading_out(storage.s3.prefix or "", f"{field}.s3.prefix")
        return _bucket(storage.s3, secret_for(storage, write=write), write=write)
    if storage.pvc is not None:
        refuse_leading_out(storage.pvc.path or "", f"{field}.pvc.path")
        return Location(uri=_volume(storage.pvc))
    kind = "gcs" if storage.gcs is not None else "azure"
    raise Refused(f"{field}.{kind} is not there yet; keep files in s3 or pvc.")


def _bucket(s3: S3Storage, secret: SecretReference | None, *, write: bool) -> Location:
    return Location(
        uri=f"s3://{s3.bucket}/{s3.prefix}" if s3.prefix else f"s3://{s3.bucket}",
        endpoint=s3.endpoint,
        region=s3.region,
        credentials=_credentials(secret, "write" if write else "read"),
    )


def _volume(volume: VolumeStorage) -> str:
    folder = f"file://{volume_folder(volume.claim_name)}"
    return f"{folder}/{quote(volume.path)}" if volume.path else folder


def _credentials(secret: SecretReference | None, right: str) -> Credentials:
    if secret is None:
        return Credentials()
    keys = {} if secret.keys is None else {name: getattr(secret.keys, field) for name, field in _FIELDS}
    return Credentials(
        folder=credentials_folder(f"{right}/{secret.secret_name}"),
        keys={name: key for name, key in keys.items() if key is not None},
    )

"""Where the artifacts of a manifest are from here: storage, inputs and Models as locations that a job can open."""

from dataclasses import dataclass
from pathlib import Path

from penstock.api.credentials import SecretReference
from penstock.api.dataset import Input
from penstock.api.model import Model
from penstock.api.pipeline import GitSource, Pipeline
from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.decide.run_places import secret_for
from penstock.local.home import Home, expand
from penstock.local.mapping import LocalMapping, read_mapping
from penstock.local.sources import repository_credentials
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Credentials, Location

MANIFEST = "penstock.dev/manifest"  # an annotation: the folder of the manifest, to which inputs are relative


@dataclass(frozen=True)
class LaptopPlaces:
    """What turns the addresses of a manifest, which lies in `folder`, into locations on this machine."""

    home: Home
    mapped: LocalMapping
    folder: Path

    @classmethod
    def of(cls, home: Home, pipeline: Pipeline | None) -> "LaptopPlaces":
        """Return those of a Pipeline of the home, from where its manifest was; of the home alone where it is gone."""
        folder = Path(pipeline.metadata.annotations.get(MANIFEST, home.root)) if pipeline else home.root
        return cls(home, read_mapping(None, folder, home.root), folder)

    def storage(self, storage: Storage | None, pipeline: str, field: str, *, write: bool) -> Location:
        """Return the location of a storage; without one, the folder of the home. `field` names it in sentences."""
        if storage is None:
            return Location(uri=self.home.storage(pipeline).absolute().as_uri())
        if storage.s3 is not None:
            return self._bucket(storage.s3, secret_for(storage, write=write), field)
        if storage.pvc is not None:
            return Location(uri=self._volume(storage.pvc, field).absolute().as_uri())
        kind = "gcs" if storage.gcs is not None else "azure"
        raise Refused(f"{field}.{kind} is not there yet; keep files in s3 or pvc, or leave storage out for a folder.")

    def input(self, table: Input, credentials: SecretReference | None, storage: Location, /) -> Location:
        """Return the location of an input; a relative one is relative to the manifest."""
        place = f"spec.dataset.inputs[{table.name}]"
        scheme, separator, rest = table.uri.partition("://")
        if separator and scheme == "s3":
            return Location(
                uri=table.uri,
                endpoint=self.mapped.endpoint(table.endpoint),
                region=table.region,
                credentials=self.credentials(credentials or table.credentials, f"{place}.credentials.secretName"),
            )
        if separator and scheme == "pvc":
            claim, _, path = rest.partition("/")
            return Location(uri=_file_uri(self.mapped.volume(claim, f"{place}.uri") / path))
        if separator and scheme == "file":
            return Location(uri=table.uri)
        return Location(uri=_file_uri(self.folder / expand(Path(table.uri), f"{place}.uri, {table.uri},")))

    def model(self, model: Model) -> Location:
        """Return the location of a Model's folder, read with the credentials that the Model names."""
        return Location(
            uri=model.spec.uri,
            endpoint=self.mapped.endpoint(model.spec.endpoint),
            region=model.spec.region,
            credentials=self.credentials(model.spec.credentials, f"The Model {model.metadata.name}, spec.credentials,"),
        )

    def repository(self, git: GitSource, credentials: SecretReference | None = None) -> Credentials:
        """Return the environment variables that stand for the Secret of a git repository."""
        return repository_credentials(self.mapped, git, credentials or git.credentials)

    def credentials(self, secret: SecretReference | None, field: str) -> Credentials:
        """Return the environment variables that stand for the Secret, where there is one."""
        if secret is None:
            return Credentials()
        keys = (
            {}
            if secret.keys is None
            else {
                name: key
                for name, key in (
                    ("accessKeyId", secret.keys.access_key_id),
                    ("secretAccessKey", secret.keys.secret_access_key),
                    ("sessionToken", secret.keys.session_token),
                )
                if key is not None
            }
        )
        return self.mapped.credentials(secret.secret_name, keys, field)

    def _bucket(self, s3: S3Storage, secret: SecretReference | None, field: str) -> Location:
        return Location(
            uri=f"s3://{s3.bucket}/{s3.prefix}" if s3.prefix else f"s3://{s3.bucket}",
            endpoint=self.mapped.endpoint(s3.endpoint),
            region=s3.region,
            credentials=self.credentials(secret, f"{field}.credentials"),
        )

    def _volume(self, volume: VolumeStorage, field: str) -> Path:
        folder = self.mapped.volume(volume.claim_name, f"{field}.pvc.claimName")
        return folder / volume.path if volume.path else folder


def _file_uri(path: Path) -> str:
    """Return the address of a file, keeping the characters of a glob as they are."""
    uri = path.absolute().as_uri()
    return uri.replace("%2A", "*").replace("%3F", "?").replace("%5B", "[").replace("%5D", "]")

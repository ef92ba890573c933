"""`local.yaml`: what the Secrets, endpoints and volumes of a manifest are on this machine.

    secrets:
      churn-read: {accessKeyId: CHURN_KEY, secretAccessKey: CHURN_SECRET}   # a Secret's keys: environment variables
      repository: {username: GIT_USER, password: GIT_TOKEN}                 # for git; by SSH, {ssh-privatekey: GIT_KEY}
    endpoints:
      http://s3.data:9000: http://127.0.0.1:9000                            # as the manifest says it: as it is here
    volumes:
      datasets: ~/data                                                      # a volume claim: a folder
    sources:
      https://git.example/ml.git: ~/work/ml                                 # a git repository: a folder, as it is now

Relative folders are relative to the file. It is looked for beside the manifest, then in the home; `--local` names
another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from penstock.api.manifests import NotYamlError, read_manifests, read_text
from penstock.local.home import expand
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Credentials

_NAMES = ("accessKeyId", "secretAccessKey", "sessionToken")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    secrets: dict[str, dict[str, str]] = {}
    endpoints: dict[str, str] = {}
    volumes: dict[str, str] = {}
    sources: dict[str, str] = {}


@dataclass(frozen=True)
class LocalMapping:
    """What `local.yaml` says; `path` is the file itself, or where one would be looked for."""

    path: Path
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, Path] = field(default_factory=dict)
    sources: Mapping[str, Path] = field(default_factory=dict)

    def credentials(self, secret: str, keys: Mapping[str, str], place: str) -> Credentials:
        """Return the environment variables that stand for the Secret; `place` is the field that names it."""
        names = {keys.get(name, name): name for name in _NAMES}
        required = tuple(names)[:2]
        found = self.variables_of(secret, place, required, tuple(names)[2:])
        return Credentials(environment={names[key]: variable for key, variable in found.items()})

    def variables_of(
        self, secret: str, place: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, str]:
        """Return the environment variable that stands for each of these keys of the Secret."""
        if secret not in self.secrets:
            lacking = ", ".join(f"{key}: VARIABLE" for key in required)
            raise Refused(
                f"{place} names the Secret {secret}, and {self.path} does not say which environment variables stand "
                f"for it; add: secrets: {{{secret}: {{{lacking}}}}}."
            )
        variables = self.secrets[secret]
        for key in required:
            if key not in variables:
                raise Refused(f"{self.path} has no {key} for the Secret {secret}, which {place} names; add it.")
        return {key: variables[key] for key in (*required, *optional) if key in variables}

    def endpoint(self, endpoint: str | None) -> str | None:
        """Return where that endpoint is reached from here."""
        return None if endpoint is None else self.endpoints.get(endpoint.rstrip("/"), endpoint)

    def volume(self, claim: str, place: str) -> Path:
        """Return the folder that stands for the volume claim."""
        if claim not in self.volumes:
            raise Refused(
                f"{place} names the volume claim {claim}, and {self.path} does not say which folder stands for it; "
                f"add: volumes: {{{claim}: ~/folder}}."
            )
        return self.volumes[claim]

    def source(self, url: str) -> Path | None:
        """Return the folder that stands for the git repository, where one does."""
        return self.sources.get(url.rstrip("/"))

    def variables(self) -> frozenset[str]:
        """Return every environment variable that holds a credential: a job gets only those that it needs."""
        return frozenset(name for secret in self.secrets.values() for name in secret.values())


def read_mapping(option: Path | None, manifest_folder: Path | None, home: Path) -> LocalMapping:
    """Return the mapping: of the option, else of the manifest's folder, else of the home; empty where there is none."""
    if option is not None:
        return _read(option)
    places = [home] if manifest_folder is None else [manifest_folder, home]
    for folder in places:
        if (folder / "local.yaml").is_file():
            return _read(folder / "local.yaml")
    return LocalMapping(home / "local.yaml")


def _read(path: Path) -> LocalMapping:
    try:
        file = msgspec.convert(_content(path), _File)
    except msgspec.ValidationError as error:
        raise Refused(
            f"{path} is not as local.yaml must be: {error}; it has secrets, endpoints, volumes and sources."
        ) from error
    folder = path.absolute().parent
    return LocalMapping(
        path=path.absolute(),
        secrets=file.secrets,
        endpoints={name.rstrip("/"): value for name, value in file.endpoints.items()},
        volumes={claim: folder / _folder(path, "volumes", claim, value) for claim, value in file.volumes.items()},
        sources={url.rstrip("/"): folder / _folder(path, "sources", url, value) for url, value in file.sources.items()},
    )


def _content(path: Path) -> Any:
    """Return what the file says, read as a manifest is."""
    try:
        manifests = read_manifests(read_text(path))
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not text in UTF-8; save it so.") from error
    except NotYamlError as error:
        raise Refused(f"{path}:{error.place.line}:{error.place.column}: {error.sentence}") from error
    if len(manifests) > 1:
        raise Refused(f"{path} holds {len(manifests)} documents, and local.yaml is one; remove the lines of ---.")
    for fault in (fault for manifest in manifests for fault in manifest.faults):
        raise Refused(f"{path}: {fault.full_sentence}")
    return manifests[0].value if manifests else {}


def _folder(path: Path, section: str, name: str, value: str) -> Path:
    return expand(Path(value), f"{path}: {section}[{name}], {value},")

"""What a pod mounts: the Secrets and the volume claims that the specification of its job names, each as its folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from penstock.decide.objects.artifacts import Asked, all_locations, credentials, output_locations
from penstock.decide.objects.children import Object, volume_name
from penstock.decide.objects.folders import CREDENTIALS, VOLUMES, volume_folder
from penstock_jobs.contract.specification import Location


@dataclass(frozen=True)
class Mount:
    """A volume of a pod, and where its container sees it."""

    volume: Object
    mount: Object


def mounts_of(specification: Asked, *, optional: bool = False) -> tuple[Mount, ...]:
    """Return what the pod of this job mounts, in an order that does not change.

    With `optional` it begins also where there is no such Secret, and says so itself; else it waits for it.
    """
    secrets = sorted({each.folder for each in credentials(specification) if each.folder})
    writable = _claims(output_locations(specification))
    claims = sorted(_claims(all_locations(specification)))
    return (
        *(_secret(folder, optional=optional) for folder in secrets),
        *(_claim(claim, writable=claim in writable) for claim in claims),
    )


def secrets_of(specification: Asked) -> frozenset[str]:
    """Return the names of the Secrets that the pod of this job mounts."""
    folders = {each.folder for each in credentials(specification)}
    return frozenset(folder.rpartition("/")[2] for folder in folders if folder)


def _secret(folder: str, *, optional: bool) -> Mount:
    secret = folder.rpartition("/")[2]
    name = volume_name("credentials", *folder.removeprefix(f"{CREDENTIALS}/").split("/"))
    source: Object = {"secretName": secret} | ({"optional": True} if optional else {})
    return Mount(
        volume={"name": name, "secret": source},
        mount={"name": name, "mountPath": folder, "readOnly": True},
    )


def _claim(claim: str, *, writable: bool) -> Mount:
    name = volume_name("volume", claim)
    mount: Object = {"name": name, "mountPath": volume_folder(claim)}
    return Mount(
        volume={"name": name, "persistentVolumeClaim": {"claimName": claim}},
        mount=mount if writable else mount | {"readOnly": True},
    )


def _claims(locations: Iterable[Location]) -> frozenset[str]:
    """Return the volume claims that locations are on."""
    found: set[str] = set()
    for location in locations:
        parts = urlsplit(location.uri)
        path = unquote(parts.path)
        if parts.scheme == "file" and path.startswith(f"{VOLUMES}/"):
            found.add(path.removeprefix(f"{VOLUMES}/").partition("/")[0])
    return frozenset(found)

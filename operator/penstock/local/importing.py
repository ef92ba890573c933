"""Models of the home made again from their files: in a folder of this machine, or in a bucket that it reaches."""

from pathlib import Path
from urllib.parse import unquote

from penstock.api.model import Model
from penstock.api.storage import Storage
from penstock.decide.commands.import_models import ImportStatus, compare_to_existing, read_saved_model, storage_named
from penstock.local.home import expand
from penstock.local.places import LaptopPlaces
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location


def location_named(
    resources: Resources, uri: str, endpoint: str | None, region: str | None, secret: str | None
) -> tuple[Location, Storage | None]:
    """Return where a person's address is from here, and which storage it is; None for a folder of this machine."""
    places = LaptopPlaces.of(resources.home, None)
    if "://" not in uri or uri.startswith("file://"):
        if endpoint or region or secret:
            raise Refused(f"{uri} is a folder, which has no endpoint, region or credentials; leave them out.")
        folder = unquote(uri.removeprefix("file://")) if uri.startswith("file://") else uri
        path = expand(Path(folder), uri).absolute()
        if not path.is_dir():
            raise Refused(f"There is no folder {path}.")
        return Location(uri=path.as_uri()), None
    storage = storage_named(uri, endpoint, region, secret)
    location = places.storage(storage, "", "The storage", write=False)
    return location, storage if storage.s3 is not None else None


def import_models(
    resources: Resources, location: Location, storage: Storage | None, *, only_look: bool
) -> list[ImportStatus]:
    """Make each Model that is new, and return how each stands; with `only_look` none is made."""
    from penstock_jobs.models.listing import list_models
    from penstock_jobs.storage import open_store

    found = [read_saved_model(each, storage) for each in list_models(open_store(location))]
    return [_import_model(resources, each, only_look=only_look) for each in found]


def _import_model(resources: Resources, looked: ImportStatus, *, only_look: bool) -> ImportStatus:
    if looked.model is None:
        return looked
    standing = compare_to_existing(looked, resources.find(Model, looked.name))
    if standing.state == "New" and not only_look:
        resources.create(looked.model)
    return standing

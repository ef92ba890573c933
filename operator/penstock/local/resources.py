"""The resources of the home, as an API server would hold them: one JSON file each, of the types in `penstock.api`.

A file is replaced whole, and every change is made under one lock, from the file as it is then: two processes at once
lose nothing, and one that is killed leaves the old file or the new.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from penstock.api.metadata import ObjectMeta
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.local.home import Home, write_atomically
from penstock.local.locks import held
from penstock_jobs import document
from penstock_jobs.errors import Refused

Resource = TypeVar("Resource", Pipeline, PipelineRun, Model)

_FOLDERS: dict[type, str] = {Pipeline: "pipelines", PipelineRun: "pipelineruns", Model: "models"}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return the moment as Kubernetes writes it, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Resources:
    """The resources of a home; `clock` and `new_uid` are where time and chance come from."""

    home: Home
    clock: Callable[[], datetime] = utc_now
    new_uid: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))

    def now(self) -> str:
        """Return the time as resources say it."""
        return timestamp(self.clock())

    def find(self, kind: type[Resource], name: str) -> Resource | None:
        """Return the resource of that name, or None."""
        if not _NAME.fullmatch(name):
            return None
        path = self.home.resources / _FOLDERS[kind] / f"{name}.json"
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}.") from error
        return document.decode(content, kind, str(path))

    def get(self, kind: type[Resource], name: str) -> Resource:
        """Return the resource of that name, or refuse with the names that there are."""
        found = self.find(kind, name)
        if found is not None:
            return found
        names = self.names(kind)
        there = f"there are {', '.join(names[:10])}{'…' if len(names) > 10 else ''}" if names else "there is none yet"
        raise Refused(f"There is no {kind.__name__} {name} in {self.home.root}; {there}.")

    def names(self, kind: type[Resource]) -> list[str]:
        """Return the names of all resources of the kind, sorted."""
        try:
            entries = list((self.home.resources / _FOLDERS[kind]).iterdir())
        except FileNotFoundError:
            return []
        return sorted(path.stem for path in entries if path.suffix == ".json" and path.name[0] != ".")

    def list(self, kind: type[Resource]) -> list[Resource]:
        """Return all resources of the kind, oldest first."""
        found = [resource for name in self.names(kind) if (resource := self.find(kind, name)) is not None]
        return sorted(found, key=lambda each: (each.metadata.creation_timestamp or "", each.metadata.name or ""))

    def create(self, resource: Resource) -> Resource:
        """Put a new resource there; return it, or the one that was there."""
        name = resource.metadata.name or ""
        with held(self.home.lock("resources")):
            there = self.find(type(resource), name)
            return there if there is not None else self._write(self.born(resource))

    def change(self, kind: type[Resource], name: str, how: Callable[[Resource], Resource]) -> Resource:
        """Replace the resource by what `how` makes of it; nothing is written where it makes no difference."""
        with held(self.home.lock("resources")):
            before = self.get(kind, name)
            after = how(before)
            return before if after == before else self._write(after)

    def remove(self, kind: type[Resource], name: str) -> None:
        """Take the resource away; it is no error when it is not there."""
        with held(self.home.lock("resources")):
            (self.home.resources / _FOLDERS[kind] / f"{name}.json").unlink(missing_ok=True)

    def apply(self, pipeline: Pipeline, how: Callable[[Pipeline, Pipeline], Pipeline]) -> Pipeline:
        """Make the Pipeline as the manifest says, in one step; `how` merges the one that is there with the new one."""
        with held(self.home.lock("resources")):
            there = self.find(Pipeline, pipeline.metadata.name or "")
            if there is None:
                return self._write(self.born(pipeline))
            merged = how(there, pipeline)
            if merged.spec != there.spec:
                generation = (there.metadata.generation or 0) + 1
                merged = msgspec.structs.replace(
                    merged, metadata=msgspec.structs.replace(merged.metadata, generation=generation)
                )
            return there if merged == there else self._write(merged)

    def born(self, resource: Resource) -> Resource:
        """Return a new resource with the metadata that a server gives, if it has none yet."""
        given = resource.metadata
        if given.uid is not None:
            return resource
        metadata = ObjectMeta(
            name=given.name,
            labels=given.labels,
            annotations=given.annotations,
            owner_references=given.owner_references,
            uid=self.new_uid(),
            generation=1,
            creation_timestamp=self.now(),
        )
        return msgspec.structs.replace(resource, metadata=metadata)

    def _write(self, resource: Resource) -> Resource:
        name = resource.metadata.name or ""
        if not _NAME.fullmatch(name):
            raise Refused(f"metadata.name is {name!r}: a name has lower-case letters, digits, - and . only.")
        folder = self.home.resources / _FOLDERS[type(resource)]
        write_atomically(folder / f"{name}.json", document.encode(resource))
        return resource

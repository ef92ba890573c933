"""Pipelines, PipelineRuns, Triggers and Models of the home, as their types in `penstock.api`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec

from penstock.api.decoding import Unreadable, decode, require
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Trigger
from penstock.local.home import Home
from penstock.local.objects import Object, Objects, new_uid, utc_now
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.unknown_fields import with_unknown_fields

Resource = TypeVar("Resource", Pipeline, PipelineRun, Trigger, Model)


@dataclass(frozen=True)
class Resources:
    """The resources of a home; `clock` and `new_uid` are where time and chance come from."""

    home: Home
    clock: Callable[[], datetime] = utc_now
    new_uid: Callable[[], str] = new_uid
    objects: Objects = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", Objects(self.home, self.clock, self.new_uid))

    def find(self, kind: type[Resource], name: str) -> Resource | None:
        """Return the resource of that name, or None."""
        found = self.objects.find(kind.__name__, name)
        return None if found is None else _decoded(found, kind)

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
        return self.objects.names(kind.__name__)

    def list(self, kind: type[Resource]) -> list[Resource]:
        """Return all resources of the kind that can be read, oldest first."""
        found = [decode(_without_namespace(each), kind) for each in self.objects.all_of(kind.__name__)]
        return [each for each in found if not isinstance(each, Unreadable)]

    def create(self, resource: Resource) -> Resource:
        """Put a new resource there; return it, or the one that was there."""
        created, _ = self.objects.create(_encoded(resource))
        return _decoded(created, type(resource))

    def change(self, kind: type[Resource], name: str, how: Callable[[Resource], Resource]) -> Resource:
        """Replace the resource by what `how` makes of it; nothing is written where it makes no difference."""

        def changed(there: Object) -> Object | None:
            before = _decoded(there, kind)
            after = how(before)
            return None if after == before else with_unknown_fields(_encoded(after), there, kind)

        self.objects.change(kind.__name__, name, changed)
        return self.get(kind, name)


def _decoded(found: Object, kind: type[Resource]) -> Resource:
    return require(_without_namespace(found), kind)


def _without_namespace(found: Object) -> Object:
    return {**found, "metadata": {name: value for name, value in found["metadata"].items() if name != "namespace"}}


def _encoded(resource: msgspec.Struct) -> Object:
    plain: Object = msgspec.json.decode(msgspec.json.encode(resource))
    return plain

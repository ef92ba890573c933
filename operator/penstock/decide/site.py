"""Where runs are carried out: a cluster, or one machine. All that decisions differ by between the two is asked of this.

What a machine has no use for, as node selectors, is not here: it leaves those fields out of what it observes
(`penstock.api.cluster_only`).
"""

from dataclasses import dataclass
from typing import Protocol

from penstock.api.jobs import JobSettings
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRun
from penstock.api.storage import Storage
from penstock.decide.objects import service, source
from penstock.decide.objects.children import Owner
from penstock.decide.objects.places import ClusterPlaces, refuse_laptop_only
from penstock.decide.objects.profiles import processors_of
from penstock.decide.run_identity import identity_of
from penstock.decide.run_places import Reach
from penstock_jobs.contract.result import SourceResult
from penstock_jobs.contract.specification import Location, SourceSpec


class Site(Protocol):
    """Where runs are carried out."""

    def reach(self, namespace: str, default: Storage | None) -> Reach:
        """Return how artifacts are reached from there; `default` is the storage of a Pipeline that names none."""
        ...

    def refuse_inputs(self, spec: PipelineSpec) -> None:
        """Raise `Refused` where the spec names an input that no job there could read."""
        ...

    def processors(self, settings: JobSettings) -> int:
        """Return how many processors a job of these settings has to itself."""
        ...

    def operations(self, made: SourceResult, storage: Location) -> SourceSpec:
        """Return where the other jobs find what the source job made; `storage` is the run's."""
        ...

    def identity(self, run: PipelineRun) -> str | None:
        """Return by what a run is known that comes back as another object; None where each object is a new run."""
        ...

    def url(self, owner: Owner, port: int) -> str | None:
        """Return the address of a Pipeline's inference API; None where nothing answers until a person starts it."""
        ...


@dataclass(frozen=True)
class Cluster:
    """A cluster: jobs are pods, and reach what pods reach."""

    def reach(self, namespace: str, default: Storage | None) -> Reach:
        """Return how pods of the namespace reach artifacts."""
        return ClusterPlaces(namespace, default)

    def refuse_inputs(self, spec: PipelineSpec) -> None:
        """Refuse files of the machine that the manifest was written on."""
        refuse_laptop_only(spec)

    def processors(self, settings: JobSettings) -> int:
        """Return the whole processors that the pod asks for."""
        return processors_of(settings)

    def operations(self, made: SourceResult, storage: Location) -> SourceSpec:
        """Return the folder that each pod unpacks from the run's storage."""
        return source.operations(made, storage)

    def identity(self, run: PipelineRun) -> str | None:
        """Return the digest of the run's name and of what it asks for."""
        return identity_of(run)

    def url(self, owner: Owner, port: int) -> str | None:
        """Return the address of the Pipeline's Service."""
        return service.url(owner, port)


CLUSTER: Site = Cluster()

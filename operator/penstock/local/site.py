"""One machine, as where runs are carried out: `penstock.decide.site.Site`."""

import os
from dataclasses import dataclass

from penstock.api.jobs import JobSettings
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRun
from penstock.api.storage import Storage
from penstock.decide.objects.children import Owner
from penstock.decide.run_places import Reach
from penstock.local.places import LaptopPlaces
from penstock.local.sources import operations_in
from penstock_jobs.contract.result import SourceResult
from penstock_jobs.contract.specification import Location, SourceSpec


@dataclass(frozen=True)
class Laptop:
    """This machine: jobs are processes, and reach what `places` says."""

    places: LaptopPlaces

    def reach(self, namespace: str, default: Storage | None) -> Reach:
        """Return how this machine reaches artifacts."""
        return self.places

    def refuse_inputs(self, spec: PipelineSpec) -> None:
        """Refuse nothing: a process reads what the person can who started it."""

    def processors(self, settings: JobSettings) -> int:
        """Return the processors that this process may use: jobs come one after the other."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def operations(self, made: SourceResult, storage: Location) -> SourceSpec:
        """Return the folder that was found or checked out, which is there for all."""
        return operations_in(made)

    def identity(self, run: PipelineRun) -> str | None:
        """Return nothing: names are counted in the home, and a new home counts them anew."""
        return None

    def url(self, owner: Owner, port: int) -> str | None:
        """Return nothing: `penstock serve` says where it answers."""
        return None

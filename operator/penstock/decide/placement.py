"""Where the artifacts of a run are, as its jobs reach them. Who runs the jobs says it: pods mount, a laptop maps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from penstock_jobs.specification import Location, Source


@dataclass(frozen=True)
class Placement:
    """The locations of one run.

    `storage` holds the tables and `models` the Models; each is given twice, with the credentials to write it and with
    those to read it, so that a job that only reads gets no others. `inputs` are by the inputs' names. `memory` (bytes)
    and `processors` are those of the machine, for jobs whose resources nobody said; neither changes a result.
    """

    storage: Location
    run_storage: Location
    models: Location
    inputs: Mapping[str, Location] = field(default_factory=dict)
    storage_to_read: Location | None = None
    models_to_read: Location | None = None
    source: Source | None = None
    memory: int | None = None
    processors: int | None = None

    @property
    def readable_storage(self) -> Location:
        """The tables, for a job that only reads them."""
        return self.storage_to_read or self.storage

    @property
    def readable_models(self) -> Location:
        """The Models, for a job that only reads them."""
        return self.models_to_read or self.models

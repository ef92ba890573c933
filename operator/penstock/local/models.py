"""The Models of the home: where their files are, how they are loaded, how one of them is served."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.decide.objects.pod import thread_variables
from penstock.decide.serving import served_model
from penstock.local.environment import environment
from penstock.local.home import write_atomically
from penstock.local.places import LaptopPlaces
from penstock.local.resources import Resources
from penstock.local.sources import operations
from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location, ServerSpec, SourceSpec

if TYPE_CHECKING:
    from penstock_jobs.models.loading import LoadedModel


def find_model(resources: Resources, name: str) -> Model:
    """Return the Model of that name, or the one that the Pipeline of that name serves."""
    model = resources.find(Model, name)
    if model is not None:
        return model
    pipeline = resources.find(Pipeline, name)
    if pipeline is None:
        return resources.get(Model, name)
    return find_served_model(resources, pipeline)


def find_served_model(resources: Resources, pipeline: Pipeline) -> Model:
    """Return the Model that the Pipeline serves."""
    name = served_model(pipeline)
    if name is None:
        raise Refused(
            f"The Pipeline {pipeline.metadata.name} serves no Model yet; run it up to its deployment, or choose one: "
            "penstock deploy MODEL."
        )
    return resources.get(Model, name)


@dataclass(frozen=True)
class Files:
    """Where a Model's files are, and the types that they may hold."""

    location: Location
    trusted_types: tuple[str, ...]
    secrets: frozenset[str]
    source: SourceSpec | None


def files_of(resources: Resources, model: Model) -> Files:
    """Return where the Model's files are; its Pipeline, where it is still there, says which types are trusted."""
    pipeline = resources.find(Pipeline, model.spec.origin.pipeline_ref.name)
    places = LaptopPlaces.of(resources.home, pipeline)
    location = places.model(model)
    trusted = pipeline.spec.models.trusted_types if pipeline else ()
    # Only such a file can hold what is not scikit-learn's own; any other is loaded without a repository to ask.
    needed = pipeline is not None and model.spec.serving.format == "Skops" and bool(trusted)
    git = pipeline.spec.source.git if pipeline is not None and needed and pipeline.spec.source else None
    source = (
        operations(resources.home, places.mapped, git, model.spec.origin.commit, places.repository(git))
        if git
        else None
    )
    return Files(location, trusted, places.mapped.variables(), source)


def load(resources: Resources, model: Model) -> "LoadedModel":
    """Return the Model, loaded by the server's own code, its digests checked."""
    from penstock_jobs.importing import put_on_path
    from penstock_jobs.models.loading import load_model

    files = files_of(resources, model)
    put_on_path(files.source)
    return load_model(
        files.location,
        model.metadata.name,
        trusted_types=files.trusted_types,
        manifest_digest=model.spec.digest,
    )


def serve(resources: Resources, pipeline: Pipeline, host: str, port: int) -> None:
    """Become the inference server of the Model that the Pipeline serves; it ends with Ctrl-C."""
    model = find_served_model(resources, pipeline)
    files = files_of(resources, model)
    asked = ServerSpec(
        location=files.location,
        name=pipeline.metadata.name or "",
        manifest_digest=model.spec.digest,
        trusted_types=files.trusted_types,
        host=host,
        port=port,
    )
    path = resources.home.root / "serving" / f"{pipeline.metadata.name}-{port}.json"
    write_atomically(path, document.encode(asked))
    words = [sys.executable, "-P", "-m", "penstock_jobs.serving", str(path), "--log-level", "WARNING"]
    sys.stdout.flush()
    own = {"PYTHONPATH": _import_path(files.source)} if files.source else {}
    given = thread_variables(asked.threads) | own
    # The server takes this process's place: what a terminal or a supervisor sends reaches it, and nothing is left.
    os.execve(sys.executable, words, environment(os.environ, asked, files.secrets, given))  # noqa: S606


def _import_path(source: SourceSpec) -> str:
    return os.pathsep.join([source.folder, *filter(None, [os.environ.get("PYTHONPATH")])])


def batch(resources: Resources, model: Model, source: Path, output: Path) -> int:
    """Predict each row of a file; return how many there were."""
    from penstock_jobs.serving.batch import predict_file

    return predict_file(load(resources, model), source, output).rows

"""What the commands that only look read: runs by their names, their candidates, logs and reports."""

from urllib.parse import unquote, urlsplit

from penstock.api.run import PipelineRun
from penstock.decide.named_run import named_run
from penstock.decide.run_places import RunPlaces
from penstock.decide.run_state import status_of
from penstock.local.beginning import read_revision
from penstock.local.places import Places
from penstock.local.resources import Resources
from penstock_jobs.result import CandidateRow
from penstock_jobs.storage import open_store


def find_run(resources: Resources, name: str) -> PipelineRun:
    """Return the run of that name: its own, its execution name, or `PIPELINE/EXECUTION NAME`."""
    return resources.find(PipelineRun, name) or named_run(resources.list(PipelineRun), name, str(resources.home.root))


def places_of(resources: Resources, places: Places, run: PipelineRun) -> RunPlaces:
    """Return where the artifacts of a run are."""
    revision = read_revision(resources, run)
    return RunPlaces(places, run.spec.pipeline_ref.name, revision.spec, run.spec, _execution(run))


def candidates_of(resources: Resources, places: Places, run: PipelineRun) -> list[CandidateRow]:
    """Return what became of each candidate of the run."""
    from penstock_jobs.training.ledger import read_candidates

    return read_candidates(open_store(places_of(resources, places, run).run()))


def log_lines(resources: Resources, places: Places, run: PipelineRun, job: str) -> list[bytes]:
    """Return the lines of the log of a run's job, none where it has not begun."""
    at_home = resources.home.run(run.metadata.uid or "") / "logs" / f"{job}.log"
    if at_home.exists():
        return at_home.read_bytes().splitlines()
    store = open_store(places_of(resources, places, run).run())
    key = f"logs/{job}.log"
    return store.read(key).splitlines() if store.exists(key) else []


def report_path(uri: str) -> str:
    """Return the path of a report that is a local file, and its address elsewhere."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def _execution(run: PipelineRun) -> str:
    return status_of(run).execution_name or ""

"""What the commands that only look read: runs by their names, their candidates, logs and reports."""

from urllib.parse import unquote, urlsplit

from penstock.api.decoding import Unreadable, decode
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.decide.commands.find_run import match_run
from penstock.decide.objects.revision import read
from penstock.decide.run_places import RunPlaces
from penstock.decide.run_state import is_finished, status_of
from penstock.local.locks import is_free
from penstock.local.object_files import read_json, refusal
from penstock.local.places import LaptopPlaces
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import CandidateRow
from penstock_jobs.storage import open_store


def runs_of(resources: Resources, pipeline: str) -> list[PipelineRun]:
    """Return the runs of a Pipeline, oldest first."""
    return [run for run in resources.list(PipelineRun) if run.spec.pipeline_ref.name == pipeline]


def find_run(resources: Resources, name: str) -> PipelineRun:
    """Return the run of that name: its own, its execution name, or `PIPELINE/EXECUTION NAME`."""
    return resources.find(PipelineRun, name) or match_run(resources.list(PipelineRun), name, str(resources.home.root))


def read_revision(resources: Resources, run: PipelineRun) -> Pipeline | None:
    """Return the Pipeline as the run took it; None where it has not come so far."""
    uid = run.metadata.uid or ""
    revision = next(iter(resources.objects.of_run(uid).own("ControllerRevision")), None)
    if revision is not None:
        return read(revision).pipeline
    old = resources.home.run(uid) / "pipeline.json"  # of a run of version 0.1
    if not old.exists():
        return None
    found = decode(read_json(old), Pipeline)
    if isinstance(found, Unreadable):
        raise refusal(old, f"{found.field or 'it'} {found.problem}")
    return found


def is_worked_on(resources: Resources, run: PipelineRun) -> bool:
    """Return whether a process is working on the run now."""
    return not is_finished(run) and not is_free(resources.home.run_lock(run.metadata.uid or ""))


def places_of(resources: Resources, places: LaptopPlaces, run: PipelineRun) -> RunPlaces:
    """Return where the artifacts of a run are."""
    revision = read_revision(resources, run)
    if revision is None:
        raise Refused(f"The run {run.metadata.name} has not begun, and has no files yet.")
    return RunPlaces(places, run.spec.pipeline_ref.name, revision.spec, run.spec, _execution(run))


def candidates_of(resources: Resources, places: LaptopPlaces, run: PipelineRun) -> list[CandidateRow]:
    """Return what became of each candidate of the run."""
    from penstock_jobs.training.ledger import read_candidates

    return read_candidates(open_store(places_of(resources, places, run).run()))


def log_lines(resources: Resources, places: LaptopPlaces, run: PipelineRun, job: str) -> list[bytes]:
    """Return the lines of the log of a run's job, none where it has not begun."""
    at_home = resources.home.run(run.metadata.uid or "") / "logs" / f"{job}.log"
    if at_home.exists():
        return at_home.read_bytes().splitlines()
    if read_revision(resources, run) is None:
        return []
    store = open_store(places_of(resources, places, run).run())
    key = f"logs/{job}.log"
    return store.read(key).splitlines() if store.exists(key) else []


def report_path(uri: str) -> str:
    """Return the path of a report that is a local file, and its address elsewhere."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def _execution(run: PipelineRun) -> str:
    return status_of(run).execution_name or ""

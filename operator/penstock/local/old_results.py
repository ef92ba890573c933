"""What a run of an earlier version left in the home, as a run of this one would have it."""

from penstock.decide.decision import ApiObject
from penstock.decide.objects.results import results
from penstock.decide.ownership import run_owner
from penstock.local.home import Home
from penstock.local.objects import Object
from penstock_jobs import document
from penstock_jobs.result import JobResult
from penstock_jobs.termination_message import TerminationMessage


def results_of_old(home: Home, run: ApiObject) -> Object | None:
    """Return the ConfigMap with the results of a run of version 0.1, which kept each in a file of its own."""
    folder = home.run(str(run["metadata"]["uid"])) / "results"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    known = {path.stem: TerminationMessage(result=document.read(path, JobResult)) for path in files}
    return results(run_owner(run), known) if known else None

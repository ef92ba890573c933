"""Which run a person means: by its own name, its execution name, or `PIPELINE/EXECUTION NAME`."""

from collections.abc import Sequence

from penstock.api.findings import closest_name
from penstock.api.run import PipelineRun
from penstock.decide.run_state import status_of
from penstock_jobs.contract.errors import Refused

SHOWN = 10


def match_run(runs: Sequence[PipelineRun], name: str, where: str) -> PipelineRun:
    """Return the run that is meant.

    Args:
        runs: those that there are, the oldest first.
        name: what the person calls it.
        where: where they are, for the sentence.

    Raises:
        Refused: there is none of that name, or there are several.
    """
    exact = [run for run in runs if run.metadata.name == name]
    found = exact or [run for run in runs if _execution(run) and name in (_execution(run), _full(run))]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(f"Several runs are called {name}; say which: {', '.join(map(_full, found))}.")
    names = [run.metadata.name or "" for run in runs]
    likely = closest_name(name, [*names, *map(_execution, runs)])
    last = f"the last are {', '.join(names[-SHOWN:])}." if names else "there is none yet."
    raise Refused(f"There is no run {name} in {where}; {f'did you mean {likely}?' if likely else last}")


def _full(run: PipelineRun) -> str:
    return f"{run.spec.pipeline_ref.name}/{_execution(run)}"


def _execution(run: PipelineRun) -> str:
    return status_of(run).execution_name or ""

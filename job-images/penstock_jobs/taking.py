"""Whose place in the storage it is: a run has the folder of its execution name to itself, for good.

A run that was deleted and made again under the old name must not find the old results for its own.
"""

from pathlib import Path

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Run
from penstock_jobs.storage import Store

KEY = "snapshot.yaml"


class NameTaken(Refused):
    """The folder of the execution name is another run's."""

    reason = "ExecutionNameTaken"


def claim_run_folder(store: Store, run: Run, snapshot: Path) -> None:
    """Put there what the run was, if nothing is there; raise `NameTaken` where another run did so before.

    A later step knows more of the run, its tables and its images, and puts that in place of what it says already.
    """
    try:
        content = snapshot.read_bytes()
    except OSError as error:
        raise Refused(f"{snapshot} cannot be read: {error.strerror}.") from error
    if run.uid.encode() not in content:
        raise Refused(f"{snapshot} is not the snapshot of this run, whose uid is {run.uid}.")
    if store.write_if_absent(KEY, content):
        return
    there = store.read(KEY)
    if run.uid.encode() in there:
        if len(content) > len(there):
            store.write(KEY, content)
        return
    raise NameTaken(
        f"{store.uri} has the files of another run of the name {run.execution_name}; give this one another "
        "executionName."
    )

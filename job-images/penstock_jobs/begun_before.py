"""A run that comes back as another object: from a backup, or applied again in a new cluster.

Its uid is another one, and the identity that the operator gives it is the same: its name, and what it asks for. Beside
the folders of the runs is a small file for each identity, which says under which execution name it began. What is found
there is told, and nothing of it is done again. Where the files of that run were deleted, it has never been.
"""

import re
from datetime import UTC
from typing import ClassVar

import msgspec

from penstock_jobs.contract.document import Form, VersionedDocument, decode, encode, format_of
from penstock_jobs.contract.result import (
    DatasetResult,
    EarlierResult,
    EarlierRun,
    JobResult,
    SourceResult,
    TestingResult,
    TrainingResult,
)
from penstock_jobs.contract.specification import Location, Run
from penstock_jobs.storage import KeyNotFound, Store, open_store
from penstock_jobs.taking import KEY

BEGUN_RUN = Form("begun-run", 1, since="0.1.0")
_RESULTS = ("results/", "testing-again/results/")
_IDENTITY = re.compile(rb"\bidentity: ([0-9a-f]{64})\b")  # as the operator writes it into a snapshot


class BegunRun(VersionedDocument, frozen=True):
    """Under which execution name a run began: one that comes back as another object is found again by it."""

    form: ClassVar[Form] = BEGUN_RUN

    execution_name: str
    format: str = format_of(BEGUN_RUN)


def find_earlier_run(location: Location, run: Run) -> EarlierRun | None:
    """Return what came of the run when it was another object; None where it is this very one, or a new one.

    Of a new one it is written down under which name it begins. That comes before its folder: who is killed in between
    leaves a note of a folder that is not its own, and that is no note.
    """
    runs, name = _runs_beside(location)
    if run.identity is None or name != run.execution_name or _is_in(run.uid, open_store(location)):
        return None
    key = _key(run.identity)
    note = _read_note(runs, key)
    earlier = None if note is None else runs.child(note.execution_name)
    if note is not None and earlier is not None and _is_in(run.identity, earlier) and not _is_in(run.uid, earlier):
        return EarlierRun(execution_name=note.execution_name, storage=earlier.uri, results=_read_results(earlier))
    runs.write(key, encode(BegunRun(execution_name=name)))
    return None


def forget_run(location: Location, snapshot: bytes) -> None:
    """Remove the note of the run whose folder, which holds that snapshot, is being deleted."""
    found = _IDENTITY.search(snapshot)
    if found is None:
        return
    (runs, name), key = _runs_beside(location), _key(found[1].decode())
    note = _read_note(runs, key)
    if note is not None and note.execution_name == name:
        runs.delete(key)


def _runs_beside(location: Location) -> tuple[Store, str]:
    """Return the folder of all runs, and the name in it that the folder of this one has."""
    parent, _, name = location.uri.rpartition("/")
    return open_store(msgspec.structs.replace(location, uri=parent)), name


def _key(identity: str) -> str:
    return f".begun/{identity}.json"


def _read_note(runs: Store, key: str) -> BegunRun | None:
    try:
        return decode(runs.read(key), BegunRun, f"{runs.uri}/{key}")
    except KeyNotFound:
        return None


def _is_in(text: str, folder: Store) -> bool:
    """Return whether the snapshot in the folder of a run says this."""
    try:
        return text.encode() in folder.read(KEY)
    except KeyNotFound:
        return False


def _read_results(folder: Store) -> tuple[EarlierResult, ...]:
    found = []
    for prefix in _RESULTS:
        for file in folder.files(prefix):
            result = decode(folder.read(file.key), JobResult, f"{folder.uri}/{file.key}")
            if isinstance(result, SourceResult | DatasetResult | TrainingResult | TestingResult):
                part = prefix.partition("/")[0] if prefix != _RESULTS[0] else type(result).__struct_config__.tag
                moment = file.written.astimezone(UTC)
                found.append(EarlierResult(part=str(part), time=f"{moment:%Y-%m-%dT%H:%M:%SZ}", result=result))
    return tuple(found)

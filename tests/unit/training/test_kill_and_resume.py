"""`kill -9` at any fit, then the same command again. The estimator itself kills the job, at exactly that fit."""

import sys
from pathlib import Path
from typing import Any

import pytest

from penstock_jobs.contract import document
from penstock_jobs.contract.result import TrainingResult
from penstock_jobs.contract.specification import SourceSpec, TrainingJob
from penstock_jobs.training import train
from penstock_jobs.training.ledger import MOST_UNWRITTEN
from processes import ends
from training_jobs import Tables, algorithm, drop_seconds, start_job

SHIFTS = [float(shift) for shift in range(40)]
PROCESSES = 2

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the job's process in /proc")


def job_of(tables: Tables, name: str) -> TrainingJob:
    return tables.job(
        name=name,
        algorithms=(algorithm("own", "own_estimators.Noted", shift=SHIFTS),),
        source=SourceSpec(folder=str(Path(__file__).parent)),
        features=("first", "second"),
        exclude=("colour",),
        processes=PROCESSES,
        keep=2,
        trusted_types=("own_estimators.Noted",),
    )


@pytest.fixture(scope="module")
def undisturbed(mixed_tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTES", str(tmp_path_factory.mktemp("notes") / "fits"))
        train(job_of(mixed_tables, "undisturbed"))
    return drop_seconds(mixed_tables.rows("undisturbed"))


@pytest.mark.parametrize("fits_before", [1, 30, 42])
def test_a_job_killed_at_any_fit_and_started_again_does_nothing_finished_twice(
    mixed_tables: Tables, undisturbed: list[dict[str, Any]], tmp_path: Path, fits_before: int
) -> None:
    notes, name = tmp_path / "fits", f"killed-{fits_before}"
    job = job_of(mixed_tables, name)
    killed = start_job(job, tmp_path / "job.json", NOTES=str(notes), KILL_AT=str(fits_before))
    _, said = killed.communicate()
    assert killed.returncode == -9, said.decode()
    finished = {row.parameters["shift"] for row in mixed_tables.rows(name) if not row.baseline}
    before = notes.read_text().splitlines()

    again = start_job(job, tmp_path / "job.json", NOTES=str(notes))
    _, said = again.communicate()
    assert again.returncode == 0, said.decode()

    result = document.read(tmp_path / "job.result", TrainingResult)
    assert drop_seconds(mixed_tables.rows(name)) == undisturbed
    assert (result.succeeded, result.failed) == (len(SHIFTS), 0)
    assert mixed_tables.models(name) == sorted(model.name for model in result.models)
    saved = {row.parameters["shift"] for row in mixed_tables.rows(name) if row.candidate in _candidates(result)}
    fitted_again = {float(line) for line in notes.read_text().splitlines()[len(before) :]}
    assert not (finished - saved) & fitted_again
    if fits_before <= len(SHIFTS):  # lost is what was in flight, one a process and its answer, and what was on its way
        assert len(finished) >= fits_before - 2 * PROCESSES - MOST_UNWRITTEN


def test_no_worker_outlives_a_killed_job(mixed_tables: Tables, tmp_path: Path) -> None:
    job = job_of(mixed_tables, "orphans")
    killed = start_job(job, tmp_path / "job.json", NOTES=str(tmp_path / "fits"), KILL_AT="3")
    # All of the job's processes hold its standard error; it ends when the last of them has closed its files to go.
    assert killed.stderr is not None
    killed.stderr.read()
    assert killed.wait() == -9
    assert [each for each in _of_session(killed.pid) if not ends(each)] == []


def _candidates(result: TrainingResult) -> set[str | None]:
    return {model.candidate for model in result.models}


def _of_session(session: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found

"""The Python of a pod hears nothing of Python's variables, of the folder it is in, and of the user's own packages."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.decide.objects.pod import PYTHON
from penstock_jobs.contract import errors

IN_A_POD = [sys.executable, *PYTHON[1:]]
AGAIN = "from penstock_jobs.isolation import start_again; start_again('timeit')"


def told_again(tmp_path: Path, statement: str, **environment: str) -> str:
    """Return what a statement prints in the Python that an isolated one has started itself again as."""
    words = [sys.executable, "-I", "-c", AGAIN, "-n", "1", "-r", "1", statement]
    done = subprocess.run(words, cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


@pytest.mark.parametrize("module", ["penstock_jobs", "penstock_jobs.serving", "penstock_jobs.notify"])
def test_no_variable_and_no_file_beside_it_runs_a_command_in_a_job(tmp_path: Path, module: str) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "argparse.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    (tmp_path / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    mine = {
        "PYTHONWARNINGS": "all:0:antigravity.x:0:0",
        "BROWSER": f'/bin/sh -c "echo ran > {marker}" %s',
        "PYTHONPATH": str(tmp_path),
        "PYTHONSTARTUP": str(tmp_path / "argparse.py"),
    }

    done = subprocess.run(
        [*IN_A_POD, module, "{}"], cwd=tmp_path, env=os.environ | mine, capture_output=True, text=True, check=False
    )

    assert done.returncode == errors.REFUSED
    assert not marker.exists()


def test_hashes_of_texts_are_the_same_in_every_process_whatever_a_variable_says(tmp_path: Path) -> None:
    told = {told_again(tmp_path, "print(hash('a'))", PYTHONHASHSEED=seed) for seed in ("random", "1", "2")}

    assert len(told) == 1


def test_nothing_of_the_users_is_on_the_path_of_a_job(tmp_path: Path) -> None:
    path = told_again(tmp_path, "import sys; print(sys.path, sys.flags.no_user_site)", PYTHONPATH="/elsewhere")

    assert "/elsewhere" not in path
    assert str(tmp_path) not in path
    assert "''" not in path
    assert path.endswith(" 1")


def test_a_process_that_is_told_to_end_while_it_starts_again_ends(tmp_path: Path) -> None:
    ended = "import os, signal; signal.pthread_sigmask(signal.SIG_BLOCK, [15]); os.kill(os.getpid(), 15); "
    again = ended + AGAIN.replace("timeit", "penstock_jobs")

    done = subprocess.run([sys.executable, "-I", "-c", again, "absent.json"], cwd=tmp_path, check=False)

    assert done.returncode in (errors.TERMINATED, -signal.SIGTERM)

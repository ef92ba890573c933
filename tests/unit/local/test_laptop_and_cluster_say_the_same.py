"""However a run ends, its status is the same on a laptop and on a cluster, but for names, uids, times and addresses."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from git_repositories import git_environment, remote
from penstock_jobs.contract.errors import Refused
from penstock_jobs.source.commits import resolve_commit
from penstock_jobs.source.git import Git
from unit.decide_run import examples_of_runs as examples
from unit.local.two_worlds import Case, ClusterWorld, End, LaptopWorld, World, failing, telling

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_OF_A_PLACE = ("storage", "imageDigest")  # an address; and a laptop has no image

KILLED, OUT_OF_MEMORY, HANGS = End(137, "", "Error"), End(137, "", "OOMKilled"), End(hangs=True)
NO_SPACE = failing("Unavailable", "No space left on device.", 75)
NO_ANSWER = failing("Unavailable", "The storage does not answer.", 75)


def once(job: str, **settings: Any) -> dict[str, Any]:
    return {"jobs": [{"name": job, "retries": {"limit": 0}, **settings}]}


def cancel(world: World) -> None:
    world.change_run(cancel=True)


def end_of_testing(**changes: Any) -> End:
    return telling(msgspec.structs.replace(examples.outcome_of_testing((examples.model_name(0),)), **changes))


CASES: dict[str, Case] = {
    "all goes well": Case(),
    "a job refuses": Case({"dataset": [failing("Refused", "The column left is missing; add it.")]}),
    "a job refuses in the middle": Case({"training": [failing("Refused", "No candidate could be scored.")]}),
    "a job refuses at the end": Case({"testing": [failing("Refused", "The testing set has no rows.")]}),
    "a job is killed": Case({"training": [KILLED]}, pipeline=once("training")),
    "a job is killed and tried again": Case({"training": [KILLED]}),
    "a job runs out of memory": Case({"training": [OUT_OF_MEMORY]}, pipeline=once("training")),
    "a job says that it ran out of time": Case({"dataset": [failing("TimedOut", "It was still running.", 124)]}),
    "a job runs out of time without a word": Case({"dataset": [End(124)]}),
    "a job is ended at its ceiling": Case(
        {"training": [HANGS]},
        pipeline=once("training", timeout="10s"),
        during=("training", lambda world: world.expire()),
    ),
    "a job has a bug": Case({"testing": [End(1)]}),
    "a job says something of its own": Case({"dataset": [End(2, "The disk is made of cheese.")]}),
    "a disk is full": Case({"dataset": [NO_SPACE]}, pipeline=once("dataset")),
    "a storage does not answer, and then does": Case({"dataset": [NO_ANSWER]}),
    "a storage does not answer, and all tries are used up": Case({"dataset": [NO_ANSWER, NO_ANSWER]}),
    "a result is lost": Case({"training": [End(), End(0, "{"), End()]}),
    "one candidate fails": Case({"training": [telling(msgspec.structs.replace(examples.training_result(), failed=1))]}),
    "the challenger is below the minimum": Case(
        pipeline={"deployment": {"selection": {"scoring": "roc_auc", "minimum": "0.95"}}}
    ),
    "nothing can be compared": Case({"testing": [end_of_testing(challenger=None, models=())]}),
    "it is cancelled in a job": Case({"training": [HANGS]}, during=("training", cancel)),
    "it is cancelled between jobs": Case(after=("dataset", cancel)),
    "it takes longer than it may": Case(
        {"training": [HANGS]}, {"timeout": "1h"}, during=("training", lambda world: world.advance_clock(7200))
    ),
    "its Pipeline is deleted": Case(after=("testing", lambda world: world.delete_pipeline())),
    "an earlier result is missing": Case(run={"jobs": [{"name": "training"}]}),
    "it asks for a job that is not described": Case(
        run={"jobs": [{"name": "deployment"}]}, pipeline={"deployment": None}
    ),
    "nothing is described": Case(pipeline={"training": None, "testing": None, "deployment": None, "dataset": None}),
    "a storage is not there yet": Case(pipeline={"storage": {"gcs": {"bucket": "ml-team"}}}),
    "an override names no field": Case(run={"overrides": [{"path": "training.kep", "value": 1}]}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_says_the_same_on_a_laptop_and_on_a_cluster(case: str, tmp_path: Path) -> None:
    on_a_laptop, on_a_cluster = LaptopWorld(CASES[case], tmp_path).to_end(), ClusterWorld(CASES[case]).to_end()

    assert comparable(on_a_laptop) == comparable(on_a_cluster)


def test_a_commit_that_is_not_there_is_said_so_on_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = remote(tmp_path / "remotes" / "ml")
    made.commit(own="")
    for name, value in git_environment(tmp_path / "remotes").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Refused) as refused:
        resolve_commit(Git(made.url), "absent")
    case = Case(
        {"source": [failing("Refused", str(refused.value))]},
        pipeline={"source": {"git": {"url": made.url, "revision": "absent"}}},
    )
    on_a_laptop, on_a_cluster = LaptopWorld(case, tmp_path).to_end(), ClusterWorld(case).to_end()

    assert comparable(on_a_laptop) == comparable(on_a_cluster)


def comparable(status: Any) -> Any:
    """Return a status without what is of a place or a moment."""
    if isinstance(status, dict):
        return {name: comparable(value) for name, value in status.items() if name not in _OF_A_PLACE}
    if isinstance(status, list | tuple):
        return [comparable(each) for each in status]
    return _TIME.sub("TIME", status) if isinstance(status, str) else status

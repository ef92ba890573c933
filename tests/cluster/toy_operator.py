"""An operator with the real shell and the smallest decision: what the shell promises, apart from what runs are.

Each PipelineRun gets three ConfigMaps, one after the other; its `executionName` counts them.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from penstock.act import __main__ as program
from penstock.act.reconciler import Controller, Observed
from penstock.act.view import View, of_run
from penstock.api.run import PipelineRunStatus
from penstock.decide.decision import Create, Decision, Event, Refusal
from penstock.decide.objects.children import Owner, labels, metadata
from penstock.decide.settings import Settings
from penstock.kubernetes.client import Client
from penstock.kubernetes.kinds import Object

WANTED = 3


@dataclass(frozen=True)
class ToyObservation:
    run: Object
    made: frozenset[str]
    refused: Refusal | None = None


def decide(seen: ToyObservation, now: datetime) -> Decision:
    found = seen.run["metadata"]
    owner = Owner(found["namespace"], found["name"], found["uid"], seen.run["spec"]["pipelineRef"]["name"])
    status = PipelineRunStatus(execution_name=f"made-{len(seen.made)}", observed_generation=found["generation"])
    missing = [name for number in range(WANTED) if (name := f"{found['name']}-{number}") not in seen.made]
    if not missing:
        known = (seen.run.get("status") or {}).get("executionName") == status.execution_name
        return Decision((), status, () if known else (Event("Normal", "Made", "All are made."),))
    child = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(owner, missing[0], labels(owner)),
        "data": {},
    }
    return Decision((Create(child),), status)


def controllers(
    view: View, client: Client, settings: Settings, now: Callable[[], datetime]
) -> Mapping[str, Controller]:
    async def observe(run: Object) -> Observed:
        made = view.cache.by_index(of_run(run["metadata"]["uid"]), "ConfigMap")
        return Observed(ToyObservation(run, frozenset(each["metadata"]["name"] for each in made)))

    return {"PipelineRun": Controller(observe, decide)}


if __name__ == "__main__":
    sys.exit(program.main(table=controllers))

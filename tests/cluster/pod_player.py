"""Plays the nodes and the jobs of a namespace: each pod of a step ends well at once, with the result of its step, and
each pod of a server is ready at once.

The pods are real objects that the Job controller made; a node selector that no node has keeps the scheduler's hands off
them. What a kubelet would say of their end is written to their status. Pods without that selector are left alone, and
so are those of a step (or of `SERVERS`) that is held: nothing happens to them until it is let go.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from cluster.kubernetes_api import PODS, ApiRefused, KubernetesApi, Object, StillWaiting
from penstock_jobs.contract.result import JobResult
from penstock_jobs.contract.termination_message import TerminationMessage
from unit.decide_run.examples_of_runs import dataset_result, manifest, model_name, outcome_of_testing, training_result

NOWHERE = {"penstock.dev/test": "nowhere"}  # the node selector of pods that are played
SERVERS = "servers"
PIPELINE, STEP, RUN_UID = "penstock.dev/pipeline", "penstock.dev/step", "penstock.dev/run-uid"


def message_of(step: str, run_uid: str) -> str:
    """Return what the job of that step leaves in its pod's status."""
    name = model_name(0, run_uid)
    results: dict[str, JobResult] = {
        "dataset": dataset_result(),
        "training": training_result(0, run_uid),
        "testing": outcome_of_testing((name,)),
    }
    manifests = (manifest(name, run_uid),) if step == "training" else ()
    message = TerminationMessage(result=results[step], stored=f"s3://ml-team/results/{step}.json", manifests=manifests)
    return msgspec.json.encode(message).decode()


@dataclass
class PodPlayer:
    """Plays until stopped. `played` counts the pods that ended, by the uid of their run and their step."""

    api: KubernetesApi
    namespace: str
    message: Callable[[str, str], str] = message_of
    played: Counter[tuple[str, str]] = field(default_factory=Counter)
    held: set[str] = field(default_factory=set)
    _ended: set[str] = field(default_factory=set)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "PodPlayer":
        self._thread = threading.Thread(target=self._play, name="pod player", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()

    def _play(self) -> None:
        while not self._stopped.is_set():
            try:
                self.api.wait(PODS, self.namespace, self._pending, what="a pod", seconds=1, labels=PIPELINE)
            except (StillWaiting, ApiRefused):
                continue

    def _pending(self, there: dict[str, Object]) -> bool | None:
        for pod in there.values():
            uid = pod["metadata"]["uid"]
            if self._is_to_end(pod) and uid not in self._ended and not self._stopped.is_set():
                self._end(pod)
                self._ended.add(uid)
        return True if self._stopped.is_set() else None

    def _is_to_end(self, pod: Object) -> bool:
        labels = pod["metadata"]["labels"]
        step = labels.get(STEP, SERVERS)
        is_played = pod["spec"].get("nodeSelector") == NOWHERE and (RUN_UID in labels or step == SERVERS)
        return is_played and step not in self.held and pod["status"].get("phase") == "Pending"

    def _end(self, pod: Object) -> None:
        labels, name = pod["metadata"]["labels"], pod["metadata"]["name"]
        try:
            self.api.patch(PODS, name, {"status": self._status(pod)}, self.namespace, beneath="status")
        except ApiRefused as refused:
            if refused.code not in (404, 409):
                raise
            return
        if STEP in labels:
            self.played[labels[RUN_UID], labels[STEP]] += 1

    def _status(self, pod: Object) -> Object:
        labels, container = pod["metadata"]["labels"], pod["spec"]["containers"][0]
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said: Object = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
        if STEP not in labels:
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": moment}
            running = {"ready": True, "started": True, "state": {"running": {"startedAt": moment}}}
            return {"phase": "Running", "conditions": [ready], "containerStatuses": [said | running]}
        terminated = {
            "exitCode": 0,
            "reason": "Completed",
            "message": self.message(labels[STEP], labels[RUN_UID]),
            "startedAt": moment,
            "finishedAt": moment,
        }
        return {
            "phase": "Succeeded",
            "containerStatuses": [said | {"ready": False, "state": {"terminated": terminated}}],
        }

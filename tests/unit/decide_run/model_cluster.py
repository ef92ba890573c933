"""A small model of a cluster: objects with versions, the Job controller, kubelets, and a storage that keeps results.

It knows nothing of the operator. What it does not model is not promised by the tests that use it: admission, garbage
collection by owners, and the timing of Kubernetes.
"""

import copy
import hashlib
import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from penstock.decide.objects.children import NOTIFICATION, REVISION, RUN_UID, STEP
from penstock.decide.objects.folders import SPECIFICATION
from penstock.decide.objects.pod import PYTHON
from penstock.decide.times import write_time
from penstock.kubernetes.kinds import BY_NAME
from penstock_jobs.contract import errors
from penstock_jobs.contract.notification import NotificationRequest
from penstock_jobs.contract.result import EarlierResult, EarlierRun, Failure, JobResult, SourceResult
from penstock_jobs.contract.specification import (
    CleaningJob,
    DatasetJob,
    JobSpecification,
    LookJob,
    Run,
    SourceJob,
    TestingJob,
    TrainingJob,
)
from penstock_jobs.contract.termination_message import TerminationMessage, log_lines, termination_message
from unit.decide_run import examples_of_runs as examples

Object = dict[str, Any]
DIGEST = f"sha256:{'4' * 64}"
Key = tuple[str, str]  # kind and name
FINAL = 1000  # failures that one of its own fault counts for


class ModelCluster:
    def __init__(self, now: datetime = examples.BEGINNING) -> None:
        self.now = now
        self.objects: dict[Key, Object] = {}
        self.history: list[Object] = []  # each object as it ever was
        self.counted: dict[str, set[int]] = {}  # by Job uid: indexes that succeeded, whatever became of the pod
        self.failures: dict[str, int] = {}
        self.claims: dict[str, str] = {}  # by folder: the uid of the run it belongs to
        self.begun: dict[str, tuple[str, str]] = {}  # by identity of a run: its folder, and the uid it had
        self.stored: dict[tuple[str, str, int], JobResult] = {}
        self.computed: list[tuple[str, str, int]] = []
        self.logs: dict[str, bytes] = {}
        self.posted: list[NotificationRequest] = []
        self.long_messages = False
        self.once_ready: set[str] = set()  # revisions whose servers have been ready
        self.version = 1
        self._uids = itertools.count(1)

    # --- the API server -------------------------------------------------------------------------------------------

    def put(self, made: Object) -> Object:
        made = copy.deepcopy(made)
        metadata = made["metadata"]
        made.setdefault("apiVersion", BY_NAME[made["kind"]].api_version)
        metadata.setdefault("namespace", examples.NAMESPACE)
        metadata.setdefault("uid", self.new_uid())
        metadata.setdefault("creationTimestamp", self.time)
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        if made["kind"] == "Deployment":
            before = self.objects.get(("Deployment", metadata["name"]), {})
            metadata["generation"] = metadata.get("generation", 0) + (made["spec"] != before.get("spec"))
        self.objects[made["kind"], metadata["name"]] = made
        self.history.append(made)
        return made

    def new_uid(self) -> str:
        return f"uid-{next(self._uids)}"

    def change(self, key: Key, **fields: Any) -> Object:
        return self.put({**self.objects[key], **fields})

    def remove(self, key: Key) -> None:
        """Delete an object; a Job's pods with it, those that run after their grace."""
        gone = self.objects.pop(key, None)
        if gone is not None and gone["kind"] == "Job":
            for pod in self.pods_of(gone):
                if self.is_live(pod):
                    self.put({**pod, "metadata": {"deletionTimestamp": self.time, **pod["metadata"]}})
                else:
                    self.remove(("Pod", pod["metadata"]["name"]))

    def of(self, kind: str) -> list[Object]:
        return [each for (its, _), each in sorted(self.objects.items()) if its == kind]

    def ever(self, kind: str) -> list[Object]:
        """Return each object of a kind that there ever was, as it was last."""
        return [*{each["metadata"]["uid"]: each for each in self.history if each["kind"] == kind}.values()]

    @property
    def time(self) -> str:
        return write_time(self.now)

    def advance_clock(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # --- the Job controller ---------------------------------------------------------------------------------------

    def control(self, job: Object) -> None:
        """Do what the Job controller does of a Job: pods where they lack, and its conditions."""
        uid = job["metadata"]["uid"]
        if self.is_over(job) or job["spec"].get("suspend"):
            return
        pods = self.pods_of(job)
        succeeded = self.counted.setdefault(uid, set()) | {
            self.index_of(pod) for pod in pods if pod["status"]["phase"] == "Succeeded"
        }
        self.counted[uid] = succeeded
        completions = job["spec"].get("completions", 1)
        live = [pod for pod in pods if self.is_live(pod)]
        if succeeded == set(range(completions)):
            self._conclude(job, "Complete", "CompletionsReached")
        elif self.failures.get(uid, 0) > self._limit(job):
            for pod in live:
                self.remove(("Pod", pod["metadata"]["name"]))
            final = self.failures[uid] >= FINAL
            self._conclude(job, "Failed", "PodFailurePolicy" if final else "BackoffLimitExceeded")
        else:
            for index in set(range(completions)) - succeeded - {self.index_of(pod) for pod in live}:
                self._make_pod(job, index)

    def expire(self, job: Object) -> None:
        """End a Job whose pods hang, at its ceiling."""
        if self.is_over(job) or job["spec"].get("suspend"):
            return
        for pod in self.pods_of(job):
            if self.is_live(pod):
                self.remove(("Pod", pod["metadata"]["name"]))
        self._conclude(job, "Failed", "DeadlineExceeded")

    def admit(self, job: Object) -> None:
        """Let a Job go that waits in a queue, as Kueue does where there is room."""
        if job["spec"].get("suspend"):
            self.put({**job, "spec": {**job["spec"], "suspend": False}})

    def _limit(self, job: Object) -> int:
        return int(job["spec"].get("backoffLimit", job["spec"].get("backoffLimitPerIndex", 0)))

    def _conclude(self, job: Object, kind: str, reason: str) -> None:
        condition = {"type": kind, "status": "True", "reason": reason, "message": "", "lastTransitionTime": self.time}
        self.put({**job, "status": {"conditions": [condition]}})

    def _make_pod(self, job: Object, index: int) -> None:
        metadata = job["metadata"]
        number = next(self._uids)
        self.put(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"{metadata['name']}-{index}-{number}",
                    "namespace": metadata["namespace"],
                    "labels": {
                        **job["spec"]["template"]["metadata"]["labels"],
                        "batch.kubernetes.io/job-completion-index": str(index),
                    },
                    "ownerReferences": [{"kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}],
                },
                "spec": {},
                "status": {"phase": "Pending"},
            }
        )

    def is_over(self, job: Object) -> bool:
        conditions = (job.get("status") or {}).get("conditions") or ()
        return any(each["type"] in ("Complete", "Failed") and each["status"] == "True" for each in conditions)

    def pods_of(self, job: Object) -> list[Object]:
        uid = job["metadata"]["uid"]
        return [pod for pod in self.of("Pod") if pod["metadata"]["ownerReferences"][0]["uid"] == uid]

    def job_of(self, pod: Object) -> Object | None:
        found = self.objects.get(("Job", pod["metadata"]["ownerReferences"][0]["name"]))
        uid = pod["metadata"]["ownerReferences"][0]["uid"]
        return found if found is not None and found["metadata"]["uid"] == uid else None

    # --- the Deployment controller ------------------------------------------------------------------------------------

    def roll_out(self, deployment: Object, *, well: bool = True) -> None:
        """Let the servers of a Deployment come up, or not come up in their time."""
        replicas = deployment["spec"]["replicas"]
        reason, available = ("NewReplicaSetAvailable", replicas) if well else ("ProgressDeadlineExceeded", 0)
        condition = {"type": "Progressing", "status": str(well), "reason": reason, "message": "It took too long."}
        generation = deployment["metadata"]["generation"]
        status = {"observedGeneration": generation, "availableReplicas": available, "conditions": [condition]}
        if well and replicas:
            self.once_ready.add(deployment["metadata"]["labels"][REVISION])
        if deployment.get("status") != status:
            self.put({**deployment, "status": status})

    # --- kubelets -------------------------------------------------------------------------------------------------

    @staticmethod
    def is_live(pod: Object) -> bool:
        return pod["status"]["phase"] in ("Pending", "Running")

    @staticmethod
    def index_of(pod: Object) -> int:
        return int(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"])

    def live_pods(self) -> Iterator[Object]:
        return (pod for pod in self.of("Pod") if self.is_live(pod))

    def unfinished_pods(self) -> list[Object]:
        """Return the live pods whose job has not ended; beside a sidecar a pod goes on after that."""
        states = {pod["metadata"]["name"]: pod["status"].get("containerStatuses") or [{}] for pod in self.live_pods()}
        return [
            pod for pod in self.live_pods() if "terminated" not in states[pod["metadata"]["name"]][0].get("state", {})
        ]

    def has_done_its_work(self, job: Object) -> bool:
        """Return whether a Job has pods, and what they were made for has ended in each: it only has yet to say so.

        A sidecar may go on in one, and the Job's controller may not have looked.
        """
        pods = self.pods_of(job)
        return bool(pods) and not any(pod in self.unfinished_pods() for pod in pods)

    def unschedulable(self, pod: Object, message: str = "0/3 nodes are available: 3 Insufficient cpu.") -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        self.put({**pod, "status": {"phase": "Pending", "conditions": [condition]}})

    def begin(self, pod: Object) -> None:
        state = {"name": "job", "state": {"running": {"startedAt": self.time}}}
        self.put({**pod, "status": {"phase": "Running", "containerStatuses": [state]}})

    def end(
        self, pod: Object, code: int, message: str = "", reason: str | None = None, *, sidecar: bool = False
    ) -> None:
        """End the job's container; beside a sidecar the pod goes on, and its Job hears nothing of it."""
        ended = {"exitCode": code, "message": message, "startedAt": self.time, "finishedAt": self.time}
        ended["reason"] = reason or ("Completed" if code == 0 else "Error")
        state = {"name": "job", "state": {"terminated": ended}, "imageID": f"docker.io/penstock/jobs@{DIGEST}"}
        if sidecar:
            states = [state, {"name": "mesh", "state": {"running": {}}}]
            self.put({**pod, "status": {"phase": "Running", "containerStatuses": states}})
            return
        phase = "Succeeded" if code == 0 else "Failed"
        self.put({**pod, "status": {"phase": phase, "containerStatuses": [state]}})
        if code != 0:
            self._count_failure(pod, code)

    def _count_failure(self, pod: Object, code: int | None) -> None:
        """Count what the Job controller counts of a pod that failed, by the first rule of its policy that fits."""
        job = self.job_of(pod)
        if job is None:
            return
        rules = [each for each in job["spec"].get("podFailurePolicy", {}).get("rules", ()) if "onExitCodes" in each]
        action = next((each["action"] for each in rules if code in each["onExitCodes"]["values"]), "Count")
        uid, counted = job["metadata"]["uid"], {"Ignore": 0, "Count": 1, "FailJob": FINAL}
        self.failures[uid] = self.failures.get(uid, 0) + counted[action]

    def delete_pending(self, pod: Object) -> None:
        """Delete a pod that has not begun: it ends without a container, which its Job takes for a failure."""
        self._count_failure(pod, None)
        self.remove(("Pod", pod["metadata"]["name"]))

    def disrupt(self, pod: Object) -> None:
        """Take the pod away for no fault of its own: that is not counted as a failure."""
        condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
        self.put({**pod, "status": {"phase": "Failed", "conditions": [condition]}})

    def vanish(self, pod: Object) -> None:
        """Remove a pod that is over, once its Job has counted it."""
        job = self.job_of(pod)
        if job is not None:
            self.control(job)
        self.remove(("Pod", pod["metadata"]["name"]))

    def finish(self, pod: Object, *, sidecar: bool = False) -> None:
        """Let the job do its work to the end, as its entrypoint does: claim, find or make the result, report it."""
        job = self.job_of(pod)
        if job is not None and NOTIFICATION in pod["metadata"]["labels"]:
            words = job["spec"]["template"]["spec"]["containers"][0]["command"]
            self.posted.append(msgspec.json.decode(words[len(PYTHON) + 1], type=NotificationRequest))
            self.end(pod, 0)
            return
        if job is None or self._specification(pod) is None:
            return
        specification = self._specification(pod)
        assert specification is not None
        assert not isinstance(specification, CleaningJob | LookJob)
        folder, uid = specification.run_storage.uri, specification.run.uid
        earlier = self._earlier_run(specification.run, folder)
        if earlier is not None:
            self.end(pod, 0, _text(termination_message(TerminationMessage(result=earlier))))
            return
        if self.claims.setdefault(folder, uid) != uid:
            failure = Failure(reason="ExecutionNameTaken", message=f"{folder} has the files of another run.")
            self.end(pod, errors.REFUSED, _text(TerminationMessage(result=failure)), sidecar=sidecar)
            return
        part, index = pod["metadata"]["labels"][STEP], self.index_of(pod)
        if (folder, part, index) not in self.stored:
            self.stored[folder, part, index] = _result(specification, index)
            self.computed.append((uid, part, index))
        whole = examples.whole_message(self.stored[folder, part, index], uid)
        message = termination_message(whole)
        if self.long_messages:
            lines, digest = log_lines(whole), hashlib.sha256(_text(whole).encode()).hexdigest()
            message = TerminationMessage(result=None, omitted={"result": 1}, digest=digest, lines=len(lines))
            self.logs[pod["metadata"]["uid"]] = "\n".join(lines).encode()
        self.end(pod, 0, _text(message), sidecar=sidecar)

    def _earlier_run(self, run: Run, folder: str) -> EarlierRun | None:
        """Return what came of the run as another object, as `penstock_jobs.begun_before` finds it in storage."""
        if self.claims.get(folder) == run.uid or run.identity is None or not folder.endswith(f"/{run.execution_name}"):
            return None
        before = self.begun.get(run.identity)
        if before is not None and self.claims[before[0]] == before[1] != run.uid:
            results = tuple(
                EarlierResult(part=part, time=self.time, result=result)  # type: ignore[arg-type]
                for (where, part, _), result in sorted(self.stored.items(), key=lambda each: each[0])
                if where.startswith(before[0]) and where.removeprefix(before[0]) in ("", "/testing-again")
            )
            return EarlierRun(execution_name=before[0].rpartition("/")[2], storage=before[0], results=results)
        if self.claims.setdefault(folder, run.uid) == run.uid:
            self.begun[run.identity] = (folder, run.uid)
        return None

    def _specification(self, pod: Object) -> JobSpecification | None:
        job = self.job_of(pod)
        volumes = job["spec"]["template"]["spec"]["volumes"] if job else []
        name = next((each["configMap"]["name"] for each in volumes if each["name"] == "specification"), "")
        found = self.objects.get(("ConfigMap", name))
        if found is None:
            return None
        specification: JobSpecification = msgspec.json.decode(found["data"][SPECIFICATION], type=JobSpecification)
        return specification

    def restored(self) -> "ModelCluster":
        """Return an empty cluster beside the same storage, to which what people made came back, without a status."""
        other = ModelCluster(self.now)
        other.claims, other.begun, other.stored, other.computed = self.claims, self.begun, self.stored, self.computed
        other._uids, other.long_messages = self._uids, self.long_messages
        for _, there in sorted(self.objects.items()):
            if there["kind"] in ("Pipeline", "PipelineRun", "Model"):
                kept = ("name", "namespace", "labels", "annotations", "generation")
                metadata = {name: value for name, value in there["metadata"].items() if name in kept}
                other.put({name: value for name, value in there.items() if name != "status"} | {"metadata": metadata})
        return other

    # --- what the tests ask ---------------------------------------------------------------------------------------

    def live_jobs(self, uid: str, part: str | None = None) -> list[Object]:
        return [
            job
            for job in self.of("Job")
            if not self.is_over(job)
            and job["metadata"]["labels"].get(RUN_UID) == uid
            and part in (None, job["metadata"]["labels"][STEP])
        ]


def _result(specification: SourceJob | DatasetJob | TrainingJob | TestingJob, index: int) -> JobResult:
    uid = specification.run.uid
    if isinstance(specification, DatasetJob):
        return examples.dataset_result()
    if isinstance(specification, TrainingJob):
        return examples.training_result(index, uid)
    if isinstance(specification, SourceJob):
        return SourceResult(commit="c" * 40, archive="source.tar", digest=f"sha256:{'1' * 64}", files=3)
    names = tuple(model.name for model in specification.models)
    served = specification.served.name if specification.served else None
    return examples.outcome_of_testing(names, served, specification.anchor_name)


def _text(message: TerminationMessage) -> str:
    return msgspec.json.encode(message).decode()

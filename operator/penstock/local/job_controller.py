"""The Job controller of this machine: a Job that is not over has a pod, and what became of its pods is its own end.

It goes by what the Job itself says (`backoffLimit`, `podFailurePolicy`, `activeDeadlineSeconds`), as Kubernetes does. A
pod whose process went with the command that had started it was taken away from outside: its Job makes another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from penstock.decide.decision import ApiObject
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed import pods as pod_views
from penstock.decide.run.plan import SOURCE
from penstock.decide.times import read_time
from penstock.local import containers
from penstock.local.kubelet import Kubelet
from penstock.local.objects import Object, Objects

BACKOFF_LIMIT = 6  # of a Job that says none, as Kubernetes has it


@dataclass(frozen=True)
class JobController:
    """Makes the Jobs right that are the objects' own; the kubelet runs their pods.

    `known` are the uids of those that it has seen.
    """

    objects: Objects
    kubelet: Kubelet
    known: set[str] = field(default_factory=set)

    def control(self) -> bool:
        """Do for each Job what is to be done now; return whether anything changed."""
        changed = self.kubelet.report()
        pods = self.objects.own("Pod")
        for gone in self.kubelet.at_work - {pod["metadata"]["uid"] for pod in pods}:
            self.kubelet.stop(gone)
            changed = True
        # What only fetches is done while this process waits for it, so it comes before what goes on by itself.
        for job in sorted(self.objects.own("Job"), key=lambda each: job_views.part_of(each) != SOURCE):
            own = [pod for pod in pods if pod_views.belongs_to(pod, job_views.uid(job))]
            changed = self._control(job, own) or changed
        return changed

    def _control(self, job: Object, pods: Sequence[Object]) -> bool:
        if job_views.is_over(job) or job_views.is_suspended(job):
            return False
        live = [pod for pod in pods if not pod_views.is_over(pod)]
        left = [pod for pod in live if pod["metadata"]["uid"] not in self.kubelet.at_work]
        for pod in left:
            self._change(pod, containers.disrupted_status(pod["status"]))
        if job_views.uid(job) not in self.known:
            # Its time is that in which it may have pods: not that in which nobody worked on the run.
            self.known.add(job_views.uid(job))
            job = {**job, "status": {"startTime": self.objects.now()}}
            self._change(job, job["status"])
            pods = [pod for pod in self.objects.own("Pod") if pod_views.belongs_to(pod, job_views.uid(job))]
            live = []
        if any(pod["status"]["phase"] == "Succeeded" for pod in pods):
            return self._conclude(job, "Complete", "CompletionsReached")
        why = _failure(job, pods)
        if why is not None:
            return self._conclude(job, "Failed", why)
        if self._is_late(job):
            for pod in live:
                self.kubelet.stop(str(pod["metadata"]["uid"]))
            return self._conclude(job, "Failed", "DeadlineExceeded")
        return not live and self.kubelet.start(job, self._pod(job, len(pods) + 1))

    def _is_late(self, job: Object) -> bool:
        deadline = job["spec"].get("activeDeadlineSeconds")
        since = read_time(job["status"]["startTime"])
        return deadline is not None and self.objects.clock() >= since + timedelta(seconds=deadline)

    def _conclude(self, job: Object, kind: str, reason: str) -> bool:
        now = self.objects.now()
        condition = {"type": kind, "status": "True", "reason": reason, "message": "", "lastTransitionTime": now}
        return self._change(job, {**job["status"], "conditions": [condition]})

    def _change(self, there: Object, status: Object) -> bool:
        name = str(there["metadata"]["name"])
        return self.objects.change(there["kind"], name, lambda before: {**before, "status": status}) is not None

    def _pod(self, job: Object, number: int) -> Object:
        template, metadata = job["spec"]["template"], job["metadata"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{metadata['name']}-{number}",
                "labels": dict(template["metadata"]["labels"]),
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": {},
        }


def _failure(job: ApiObject, pods: Sequence[ApiObject]) -> str | None:
    """Return why the Job has failed by its own rules, or None where it may go on."""
    actions = [_action(job, pod) for pod in pods if pod["status"]["phase"] == "Failed"]
    if "FailJob" in actions:
        return "PodFailurePolicy"
    return "BackoffLimitExceeded" if actions.count("Count") > job["spec"].get("backoffLimit", BACKOFF_LIMIT) else None


def _action(job: ApiObject, pod: ApiObject) -> str:
    """Return what the first rule of the Job that holds of a failed pod says: Ignore, FailJob or Count."""
    for rule in (job["spec"].get("podFailurePolicy") or {}).get("rules") or ():
        if any(_has_condition(pod, asked) for asked in rule.get("onPodConditions") or ()):
            return str(rule["action"])
        ended, exits = pod_views.exit_of(pod), rule.get("onExitCodes")
        if ended is not None and exits is not None and ended.code in exits["values"]:
            return str(rule["action"])
    return "Count"


def _has_condition(pod: ApiObject, asked: ApiObject) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any(each["type"] == asked["type"] and each["status"] == asked["status"] for each in conditions)

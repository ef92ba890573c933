"""Why Kueue holds a Job back, in its own words: they are in the Workload that it keeps beside the Job.

Kueue need not be there, and the operator need not have the right to ask it: then the queue's name has to do.
"""

from penstock.decide.objects.job import QUEUE
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import NotFound, Rejected
from penstock.kubernetes.kinds import Kind, Object

JOB_UID = "kueue.x-k8s.io/job-uid"  # the label that Kueue gives a Workload
# The newest first; older installations have only the other.
WORKLOADS = tuple(Kind("kueue.x-k8s.io", version, "workloads", "Workload") for version in ("v1beta2", "v1beta1"))


def is_queued(job: Object) -> bool:
    """Return whether the Job waits in a queue of Kueue."""
    return bool(job["spec"].get("suspend")) and QUEUE in (job["metadata"].get("labels") or {})


async def workload_events(client: Client, job: Object) -> tuple[Object, ...]:
    """Return what Kueue says of the Job that waits, in the form of an Event about the Job; empty where it says nothing.

    Its conditions are documented at https://kueue.sigs.k8s.io/docs/concepts/workload/.
    """
    namespace, uid = job["metadata"]["namespace"], job["metadata"]["uid"]
    for kind in WORKLOADS:
        try:
            listed = await client.list(kind, namespace, f"{JOB_UID}={uid}")
        except NotFound:
            continue
        except Rejected:
            return ()
        return tuple(
            {"involvedObject": {"uid": uid}, "metadata": {}, "reason": "Pending", "message": message}
            for workload in listed.items
            if (message := _why(workload))
        )
    return ()


def _why(workload: Object) -> str | None:
    """Return why the Workload has no quota, or was put back into the queue."""
    conditions = (workload.get("status") or {}).get("conditions") or ()
    for kind, status in (("QuotaReserved", "False"), ("Admitted", "False")):
        for each in conditions:
            if each.get("type") == kind and each.get("status") == status and each.get("message"):
                return str(each["message"])
    return None

"""The Job of a chore: a small thing done beside the runs, that is tried a few times and may be done twice."""

from penstock.decide.objects.children import Object
from penstock.decide.objects.pod import CONTAINER
from penstock_jobs.contract import errors


def chore(metadata: Object, template: Object, tries: int, deadline: int) -> Object:
    """Return the Job: so many pods at most, in so many seconds; a refusal is final, a pod that was taken is no try."""
    final = {"containerName": CONTAINER, "operator": "In", "values": [errors.REFUSED]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": tries - 1,
            "activeDeadlineSeconds": deadline,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {"action": "FailJob", "onExitCodes": final},
                ]
            },
            "template": template,
        },
    }

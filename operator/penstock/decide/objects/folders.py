"""Where things are inside a pod. Jobs read these paths from their specification; nothing else knows them."""

from penstock_jobs.contract.addresses import VOLUMES as VOLUMES

OURS = "/var/run/penstock"
SPECIFICATION_FOLDER = f"{OURS}/job"
SPECIFICATION = "specification.json"
SNAPSHOT = "snapshot.yaml"
CREDENTIALS = f"{OURS}/credentials"
SCRATCH = "/tmp"  # noqa: S108 - an emptyDir of the pod's own
SOURCE = f"{SCRATCH}/source"  # where the user's own operations are unpacked
TERMINATION_MESSAGE = "/dev/termination-log"


def volume_folder(claim: str) -> str:
    """Return the folder that a volume claim is mounted at, the same in every pod."""
    return f"{VOLUMES}/{claim}"


def credentials_folder(artifact: str) -> str:
    """Return the folder that holds the credentials of an artifact."""
    return f"{CREDENTIALS}/{artifact}"

"""The names of Models: functions of the run and the candidate, so that the same one is never saved twice."""

import hashlib
import re

from penstock_jobs.contract.specification import Run
from penstock_jobs.training.candidates import Candidate

LONGEST = 63  # a DNS label, RFC 1123


def model_name(run: Run, candidate: Candidate) -> str:
    """Return `<pipeline>-<execution>-<algorithm>-<6 digits>`, which is a DNS label.

    What is too long is cut and ends with a hash of the whole.
    """
    whole = "-".join((run.pipeline, run.execution_name, candidate.algorithm))
    label = re.sub(r"[^a-z0-9]+", "-", whole.lower()).strip("-") or "model"
    if not label[0].isalpha():
        label = f"m-{label}"
    digits = candidate.identity[:6]
    room = LONGEST - len(digits) - 1
    if len(label) > room:
        short = hashlib.sha256(whole.encode()).hexdigest()[:8]
        label = f"{label[: room - len(short) - 1].rstrip('-')}-{short}"
    return f"{label}-{digits}"

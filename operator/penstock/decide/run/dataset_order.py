"""Whose turn it is to make tables: dataset steps of one storage come one after the other, the oldest run first.

A storage belongs to one Pipeline, so these are the runs of one Pipeline. Where two begin in the same moment all the
same, the testing set's conditional commit lets only one through, and the other is tried again.
"""

from datetime import timedelta

from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import goes_on
from penstock.decide.run.facts import RunFacts
from penstock.decide.times import read_time

TO_BEGIN = timedelta(minutes=1)  # an older run that has not said what it does by then is not waited for


def preceding_run(facts: RunFacts) -> str | None:
    """Return the name of the run that makes its tables before this one, or None where it is this one's turn."""
    mine = (facts.run.metadata.creation_timestamp or "", facts.owner.uid)
    for other in facts.observation.runs.live:
        if goes_on(other) and (_has_begun(other) or (_identity(other) < mine and _is_about_to(other, facts))):
            return str(other["metadata"]["name"])
    return None


def _identity(run: ApiObject) -> tuple[str, str]:
    return str(run["metadata"].get("creationTimestamp") or ""), str(run["metadata"]["uid"])


def _has_begun(run: ApiObject) -> bool:
    step = _dataset(run)
    return step is not None and step.get("jobName") is not None and step.get("state") in ("Running", "Waiting")


def _is_about_to(run: ApiObject, facts: RunFacts) -> bool:
    if run["spec"].get("suspend"):
        return False
    if (run.get("status") or {}).get("steps"):
        step = _dataset(run)
        return step is not None and step.get("state") == "Pending"
    asked = {each.get("name") for each in run["spec"].get("jobs") or ()}
    young = facts.now < read_time(_identity(run)[0]) + TO_BEGIN
    return young and (not asked or "dataset" in asked)


def _dataset(run: ApiObject) -> ApiObject | None:
    steps = (run.get("status") or {}).get("steps") or ()
    return next((step for step in steps if step.get("name") == "dataset"), None)

"""Which Model is to be served, and why, in a sentence.

The challenger is the new Model with the best *validation* score; only it meets the gate (`penstock_jobs.gate`), on the
testing set: choosing the best of several on the testing set would flatter it. A pinned Model (`deployment.model`) is
served whatever the scores say, and the decision still says what the gate would have done.
"""

from penstock_jobs.gate import Decision, gate
from penstock_jobs.result import TestingResult
from penstock_jobs.specification import Selection

__all__ = ["Decision", "decide"]


def decide(
    testing: TestingResult | None, selection: Selection, served: str | None = None, pinned: str | None = None
) -> Decision:
    """Return which Model is to be served after these tests.

    Args:
        testing: the result of the run's testing, or None where nothing was tested.
        selection: the rules; that they are possible was checked with the manifest (`penstock.api.gate_rules`).
        served: the Model that is served now.
        pinned: the Model that a person named in `deployment.model`.
    """
    found = gate(testing, selection, served) if testing is not None else None
    if pinned is not None:
        return _pinned(pinned, found)
    if found is None:
        kept = f"{served} stays" if served else "No Model is served"
        return Decision("NotComparable", served, f"{kept}: no Model was tested in this run.")
    return found


def _pinned(pinned: str, gate: Decision | None) -> Decision:
    said = "" if gate is None else f" Without the pin: {gate.reason}"
    return Decision(gate.verdict if gate else None, pinned, f"deployment.model pins {pinned}, so it is served.{said}")

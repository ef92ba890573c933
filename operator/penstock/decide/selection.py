"""Which Model is to be served, and why, in a sentence.

The challenger is the new Model with the best *validation* score; only it meets the gate
(`penstock_jobs.contract.gate`), on the testing set: choosing the best of several on the testing set would flatter it. A
pinned Model (`deployment.model`) is served whatever the scores say, and the decision still says what the gate would
have done.
"""

from penstock_jobs.contract.gate import GateDecision, apply_gate
from penstock_jobs.contract.result import TestingResult, Verdict
from penstock_jobs.contract.specification import SelectionSpec


def select_model(
    testing: TestingResult | None,
    selection: SelectionSpec | None,
    served: str | None = None,
    pinned: str | None = None,
    anchor: str | None = None,
) -> GateDecision:
    """Return which Model is to be served after these tests.

    Args:
        testing: the result of the run's testing, or None where nothing was tested.
        selection: the rules; that they are possible was checked with the manifest (`penstock.api.gate_rules`). None
            where nothing is trained, so that there is no gate.
        served: the Model that is served now.
        pinned: the Model that a person named in `deployment.model`.
        anchor: the last Model that was served for being better, or first, where that is not the one served now.
    """
    found = apply_gate(testing, selection, served, anchor) if testing is not None and selection is not None else None
    if pinned is not None:
        return _decision_for_pin(pinned, found)
    if found is None:
        kept = f"{served} stays" if served else "No Model is served"
        verdict: Verdict | None = None if selection is None else "NotComparable"
        return GateDecision(verdict, served, f"{kept}: no Model was tested in this run.")
    return found


def _decision_for_pin(pinned: str, gate: GateDecision | None) -> GateDecision:
    said = "" if gate is None else f" Without the pin: {gate.reason}"
    return GateDecision(gate.verdict if gate else None, pinned, f"deployment.model pins {pinned}.{said}")

"""Which Model is to be served, and why, in a sentence.

The challenger is the new Model with the best *validation* score; only it meets the gate (`penstock_jobs.gate`), on the
testing set: choosing the best of several on the testing set would flatter it. A pinned Model (`deployment.model`) is
served whatever the scores say, and the decision still says what the gate would have done.
"""

from penstock_jobs.errors import Refused
from penstock_jobs.gate import Decision, gate, is_error, number
from penstock_jobs.result import TestingResult
from penstock_jobs.specification import Selection

__all__ = ["Decision", "decide", "refuse_impossible"]


def decide(
    testing: TestingResult | None, selection: Selection, served: str | None = None, pinned: str | None = None
) -> Decision:
    """Return which Model is to be served after these tests.

    Args:
        testing: the result of the run's testing, or None where nothing was tested.
        selection: the rules, checked by `refuse_impossible`.
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


def refuse_impossible(selection: Selection) -> None:
    """Raise `Refused` where the rules ask for a number on the wrong scale.

    Scores are on scikit-learn's scale, greater is better; people see an error as a positive number.
    """
    name = selection.scoring
    error = is_error(selection)
    if error and selection.minimum is not None and selection.minimum > 0:
        raise Refused(
            f"deployment.selection.minimum is {number(selection.minimum)}, but {name} is an error, for which less is "
            f"better: say maximum: {number(selection.minimum)} for the greatest error to accept."
        )
    if not error and selection.maximum is not None:
        raise Refused(
            f"deployment.selection.maximum is {number(selection.maximum)}, but for {name} more is better: "
            "say minimum for the least score to accept."
        )
    if selection.maximum is not None and selection.maximum < 0:
        raise Refused(
            f"deployment.selection.maximum is {number(selection.maximum)}, but an error is shown as a positive "
            f"number: say maximum: {number(-selection.maximum)}."
        )
    if selection.minimum is not None and selection.maximum is not None:
        raise Refused(f"deployment.selection has both minimum and maximum for {name}: keep the one that is meant.")
    if not 0.5 <= selection.confidence < 1:
        raise Refused(
            f"deployment.selection.mustImprove.confidence is {number(selection.confidence)}: it must be at least 0.5 "
            "and below 1; 0.95 is usual."
        )


def _pinned(pinned: str, gate: Decision | None) -> Decision:
    said = "" if gate is None else f" Without the pin: {gate.reason}"
    return Decision(gate.verdict if gate else None, pinned, f"deployment.model pins {pinned}, so it is served.{said}")

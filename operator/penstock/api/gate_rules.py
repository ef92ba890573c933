"""The rules of the gate that look beyond `deployment`: at what is trained, what testing computes, what is an error.

Scores are on scikit-learn's scale, greater is better; people see an error as a positive number. What is an error is
said by the name of scikit-learn's scoring functions (`neg_`) and by `greaterIsBetter` of one's own. The gate itself
(`penstock_jobs.contract.gate.is_error`) goes by the same two.
"""

from penstock.api.schema import Rule

_GATED = "has(self.deployment) && has(self.deployment.selection)"
_TESTED = "has(self.testing) && has(self.testing.scoring) && self.testing.scoring.size() > 0"
_LIMIT = "self.deployment.selection"
_OWN_ERROR = "each.name == self.deployment.selection.scoring && has(each.greaterIsBetter) && !each.greaterIsBetter"
_ERROR = (
    f"({_LIMIT}.scoring.startsWith('neg_') || ({_TESTED}"
    f" ? self.testing.scoring.exists(each, {_OWN_ERROR})"
    f" : has(self.training) && ({_OWN_ERROR.replace('each.', 'self.training.scoring.')})))"
)

GATE_RULES = (
    Rule(
        f"!({_GATED}) || has(self.training)",
        "A selection is among Models that were trained; add training, or remove deployment.selection.",
        field=".deployment",
    ),
    Rule(
        f"!({_GATED}) || !has(self.training) || ({_TESTED}"
        f" ? self.testing.scoring.exists(each, each.name == {_LIMIT}.scoring)"
        f" : self.training.scoring.name == {_LIMIT}.scoring)",
        "The gate rests on a score that testing does not compute; add deployment.selection.scoring to testing.scoring.",
        field=".deployment",
    ),
    Rule(
        f"!({_GATED}) || !has({_LIMIT}.maximum) || {_ERROR}",
        "A maximum is for errors: a scoring that begins with neg_, or one of your own with greaterIsBetter: false; "
        "use minimum for this one.",
        field=".deployment.selection.maximum",
    ),
    Rule(
        # By the text and not as a number: text that is no number is refused elsewhere, and must not fail here.
        f"!({_GATED}) || !has({_LIMIT}.minimum) || {_LIMIT}.minimum.matches('^(-.*|[+]?0+([.]0+)?)$') || !{_ERROR}",
        "The score of an error is the error with a minus sign, so it does not reach a positive minimum; write the "
        "greatest error to accept as maximum, or a negative minimum.",
        field=".deployment.selection.minimum",
    ),
)

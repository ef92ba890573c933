"""What the runs of a Trigger give for the Pipeline's parameters: texts, or what an expression comes to, as text."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from penstock.api.parameters import LONGEST, GivenParameter
from penstock.api.trigger import TriggerParameter
from penstock.decide.times import write_time
from penstock.decide.trigger.expressions import evaluate
from penstock.decide.trigger.occasion import Occasion
from penstock_jobs.contract.errors import Refused


def resolve_parameters(
    parameters: Sequence[TriggerParameter], occasion: Occasion, given: Mapping[str, str]
) -> tuple[GivenParameter, ...]:
    """Return the parameters of the run for an occasion.

    Args:
        parameters: those of the Trigger.
        occasion: what the run is for.
        given: values that a person gives in place of the Trigger's.

    Raises:
        Refused: an expression has no value, or none that a parameter could have.
    """
    values = {each.name: _value(each, occasion) for each in parameters if each.name not in given} | dict(given)
    return tuple(GivenParameter(name=name, value=value) for name, value in values.items())


def _value(parameter: TriggerParameter, occasion: Occasion) -> str:
    if parameter.expression is None:
        return parameter.value or ""
    field = f"spec.parameters[{parameter.name}].expression"
    text = _as_text(evaluate(parameter.expression, field, occasion.variables()), field)
    if len(text) > LONGEST:  # the API server would refuse the run
        raise Refused(f"{field} comes to {len(text)} characters, and a parameter has at most {LONGEST}; shorten it.")
    return text


def _as_text(value: Any, field: str) -> str:
    """Return the value as a manifest has it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case datetime():
            return write_time(value)
        case _:
            raise Refused(f"{field} comes to {type(value).__name__}; let it come to text, a number or a moment.")

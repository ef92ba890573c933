"""The parameters that a run has: what it gives, and what its Pipeline says where it gives nothing.

Only the dataset job reads with parameters. A run without that job has none: it takes over tables that another run made
with its own.
"""

from penstock.api.findings import field_name
from penstock.api.parameters import as_value, declaration_faults, given_faults, known_parameters, used_parameters
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRunSpec
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import SCHEDULED_TIME, ParameterValue, canonical_text


def refuse_declarations(spec: PipelineSpec) -> None:
    """Raise `Refused` where the parameters that a Pipeline declares and uses cannot work, whatever run is made."""
    wrong = [fault.full_sentence for fault in declaration_faults(spec)]
    if wrong:
        raise Refused(" ".join(wrong))


def run_parameters(spec: PipelineSpec, run: PipelineRunSpec, scheduled_time: str | None) -> tuple[ParameterValue, ...]:
    """Return the parameters of a run, in the order of their declaration.

    Args:
        spec: the Pipeline, with the overrides of the run.
        run: the run; `scheduledTime` may be among what it gives.
        scheduled_time: the moment for which a Trigger made the run, where one did.

    Raises:
        Refused: one is missing, unknown, of another type, or not allowed.
    """
    if spec.dataset is None or (run.jobs and all(request.name != "dataset" for request in run.jobs)):
        if run.parameters:
            raise Refused(
                f"spec.parameters gives {run.parameters[0].name}, and only the dataset job reads with parameters, "
                "which this run does not do; add it to spec.jobs, or remove the parameters."
            )
        return ()
    refuse_declarations(spec)
    wrong = [fault.full_sentence for fault in given_faults(spec, run.parameters)]
    if wrong:
        raise Refused(" ".join(wrong))
    given = {each.name: each.value for each in run.parameters}
    if scheduled_time is not None:
        _refuse_other_moment(given.get(SCHEDULED_TIME), scheduled_time)
        given[SCHEDULED_TIME] = scheduled_time
    used, found = used_parameters(spec), []
    for declared in known_parameters(spec):
        text = given.get(declared.name, declared.default)
        if text is not None:
            found.append(as_value(declared, text))
        elif declared.name == SCHEDULED_TIME and SCHEDULED_TIME in used:
            raise Refused(
                f"{field_name(used[SCHEDULED_TIME])} uses {SCHEDULED_TIME}, which only a run that a Trigger made has "
                "by itself; give it in spec.parameters, or as penstock run --param "
                f"{SCHEDULED_TIME}=2026-11-07T03:00:00Z."
            )
        elif declared.name != SCHEDULED_TIME:
            raise Refused(
                f"spec.parameters gives no {declared.name}, a {declared.type} for which the Pipeline has no default; "
                f"give it there, or as penstock run --param {declared.name}=VALUE."
            )
    return tuple(found)


def _refuse_other_moment(given: str | None, scheduled_time: str) -> None:
    if given is not None and canonical_text("Timestamp", given) != canonical_text("Timestamp", scheduled_time):
        raise Refused(
            f"spec.parameters gives {SCHEDULED_TIME} as {given}, and the Trigger made this run for {scheduled_time}; "
            "remove it."
        )

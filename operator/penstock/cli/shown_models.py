"""Models as people see them, on a laptop and on a cluster."""

from collections.abc import Mapping
from datetime import datetime

from rich.table import Table
from rich.text import Text

from penstock.api.model import Model
from penstock.api.run import PipelineRun
from penstock.cli.output import age, format_score, number, table
from penstock.decide.run_state import step_of

COLUMNS = ("name", "pipeline", "run", "algorithm", "validation", "testing", "file", "served", ">age")


def row_of(model: Model, now: datetime, *, served: bool) -> tuple[object, ...]:
    """Return the cells of a Model, by `COLUMNS`."""
    return (
        model.metadata.name,
        model.spec.origin.pipeline_ref.name,
        model.spec.origin.execution_name,
        model.spec.origin.algorithm,
        _validation(model),
        _testing(model),
        model.spec.serving.format,
        "yes" if served else "",
        age(model.spec.creation_time, now),
    )


def testing_table(models: Mapping[str, Model], run: PipelineRun) -> Table | None:
    """Return the Models that the run tested with their scores; None where it tested none."""
    step = step_of(run, "testing")
    if step is None or step.testing is None:
        return None
    columns = ("Model", "scoring", ">validation", ">testing", ">95 % interval")
    made = table(*columns, title=f"Testing, {step.testing.points:,} points")
    for tested in step.testing.models:
        model = models.get(tested.name)
        validation = {score.name: score.value for score in model.spec.validation_scores} if model else {}
        for position, score in enumerate(tested.scores):
            name, value = format_score(score.name, score.value)
            sign = -1 if score.name.startswith("neg_") else 1
            ends = sorted(sign * float(end) for end in (score.low, score.high) if end is not None)
            made.add_row(
                Text(tested.name if position == 0 else ""),
                name,
                format_score(score.name, validation.get(score.name))[1],
                value,
                " to ".join(number(end) for end in ends),
            )
    return made


def _validation(model: Model) -> str:
    scores = model.spec.validation_scores
    return " ".join(format_score(scores[0].name, scores[0].value)) if scores else ""


def _testing(model: Model) -> str:
    tested = model.status.testing if model.status else ()
    if not tested or not tested[0].scores:
        return ""
    return " ".join(format_score(tested[0].scores[0].name, tested[0].scores[0].value))

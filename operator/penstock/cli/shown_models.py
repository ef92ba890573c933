"""Models as people see them, on a laptop and on a cluster."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from penstock.api.model import Model
from penstock.api.run import PipelineRun, TestedModel
from penstock.api.scores import PlainScore, TestedScore
from penstock.cli.output import age, format_score, number, table
from penstock.decide.run_state import step_of
from penstock.decide.score_display import display_in
from penstock_jobs.contract.score_display import ScoreDisplay, depends_on_positive, depends_on_threshold

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
            shown = display_in(model, score.name, step.testing.own_errors)
            name, value = format_score(shown, score.value)
            made.add_row(
                Text(tested.name if position == 0 else ""),
                name,
                format_score(shown, validation[score.name])[1] if score.name in validation else "",
                value,
                _interval(shown, score),
            )
    made.caption, made.caption_justify = _caption(step.testing.models, models), "left"
    return made


def _interval(shown: ScoreDisplay, score: TestedScore) -> str:
    if score.low is None or score.high is None:
        return "none"
    ends = shown.ends(float(score.low), float(score.high))
    return " to ".join(number(end) for end in ends)


def _caption(tested: Sequence[TestedModel], models: Mapping[str, Model]) -> Text | None:
    """Return what the scores depend on, and where it is said why one has no interval; None where neither is so."""
    said = []
    for each in tested:
        target = models[each.name].spec.target if each.name in models else None
        if target is None or len(target.classes) != 2:
            continue
        shown = [display_in(models[each.name], score.name) for score in each.scores]
        if target.positive and any(depends_on_positive(one.name, 2, one.average) for one in shown):
            said.append(f"The positive class is {target.positive}.")
        if target.threshold and any(depends_on_threshold(one.name) for one in shown):
            said.append(f"{each.name} predicts it from a probability of {target.threshold} on.")
    if any(score.low is None for each in tested for score in each.scores):
        said.append("The report says why a score has no interval.")
    return Text("\n".join(dict.fromkeys(said))) if said else None


def _validation(model: Model) -> str:
    scores = model.spec.validation_scores
    return _first(model, scores[0]) if scores else ""


def _testing(model: Model) -> str:
    tested = model.status.testing if model.status else ()
    if not tested or not tested[0].scores:
        return ""
    return _first(model, tested[0].scores[0])


def _first(model: Model, score: PlainScore) -> str:
    return " ".join(format_score(display_in(model, score.name), score.value))

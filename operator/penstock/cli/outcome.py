"""What `penstock run` prints at the end: the best candidates, the Model chosen and why, and what to do next."""

from rich.console import Console
from rich.text import Text

from penstock.api.model import Model
from penstock.api.run import PipelineRun
from penstock.cli.options import LaptopSettings
from penstock.cli.output import format_score, rows, table
from penstock.cli.shown_models import testing_table
from penstock.decide.run_state import status_of, step_of
from penstock.local.places import LaptopPlaces
from penstock.local.reading import candidates_of, report_path
from penstock.local.resources import Resources
from penstock_jobs.contract.result import CandidateRow
from penstock_jobs.contract.score_display import display_of

SHOWN = 12


def show_outcome(settings: LaptopSettings, resources: Resources, places: LaptopPlaces, run: PipelineRun) -> None:
    """Print what came of the run."""
    console = settings.results
    if step_of(run, "training"):
        _show_candidates(settings, candidates_of(resources, places, run))
    testing = step_of(run, "testing")
    if testing and testing.testing:
        found = {each.name: resources.find(Model, each.name) for each in testing.testing.models}
        console.print(testing_table({name: model for name, model in found.items() if model}, run))
    deployment = step_of(run, "deployment")
    show_decision(console, run)
    served = deployment.deployment.served if deployment and deployment.deployment else None
    pipeline = run.spec.pipeline_ref.name
    if served:
        console.print(
            Text(f"Serve it: penstock serve {pipeline}   Predict: penstock predict {served} FILE"), soft_wrap=True
        )
    else:
        console.print(Text(f"{pipeline}, run {status_of(run).execution_name}: done."), soft_wrap=True)


def show_decision(console: Console, run: PipelineRun) -> None:
    """Print the Model that was chosen and why, and where the report is, as far as the run came."""
    testing, deployment = step_of(run, "testing"), step_of(run, "deployment")
    if deployment and deployment.deployment:
        decided = deployment.deployment
        kept = decided.challenger is not None and decided.served not in (None, decided.challenger)
        if decided.verdict or decided.served:
            chosen = Text.assemble(("Model kept: " if kept else "Model chosen: ", "bold"), decided.served or "none")
            console.print(chosen)
        console.print(Text(f"  {decided.message}"))
    if testing and testing.testing:
        console.print(Text.assemble(("Report: ", "bold"), report_path(testing.testing.report)), soft_wrap=True)


def _show_candidates(settings: LaptopSettings, found: list[CandidateRow]) -> None:
    scored = sorted((row for row in found if row.scores), key=lambda row: (-row.scores[0].value, row.index))
    failed = [row for row in found if row.error]
    if not scored:
        return
    made = table(
        "candidate",
        "algorithm",
        *(f">{display_of(score).label}" for score in scored[0].scores),
        "parameters",
        title="Validation",
    )
    shown = scored[:SHOWN] + [row for row in scored[SHOWN:] if row.baseline]
    rows(made, [_row(row) for row in shown])
    settings.results.print(made)
    if len(scored) > len(shown):
        settings.results.print(Text(f"  … and {len(scored) - len(shown):,} more"))
    if failed:
        first = failed[0]
        settings.results.print(Text(f"  {len(failed):,} failed; the first, {first.candidate[:8]}: {first.error}"))


def _row(row: CandidateRow) -> list[object]:
    parameters = ", ".join(f"{name}={value}" for name, value in row.parameters.items())
    scores = [format_score(display_of(score), score.value)[1] for score in row.scores]
    return [row.candidate[:8], "baseline" if row.baseline else row.algorithm, *scores, parameters]

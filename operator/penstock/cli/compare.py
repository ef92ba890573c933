"""`penstock compare`: two runs beside each other."""

from pathlib import Path

import click

from penstock.cli.names import run_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.runs import state_at_home
from penstock.cli.shown_comparison import html_option, show_comparison
from penstock.decide.commands.compare_runs import compare_runs
from penstock.decide.commands.run_evidence import RunEvidence
from penstock.local.evidence import collect_evidence
from penstock.local.reading import find_run
from penstock.local.resources import Resources


@click.command()
@click.argument("first", metavar="RUN", shell_complete=run_names)
@click.argument("second", metavar="RUN", shell_complete=run_names)
@html_option
@with_settings
def compare(settings: LaptopSettings, first: str, second: str, html: Path | None) -> None:
    """Set two runs side by side: which fields, data, scores and decisions differ.

    RUN is the name of a run, its execution name, or PIPELINE/EXECUTION. Scores have an arrow, which says which way is
    better, only where the two may be compared.
    """
    resources = Resources(settings.home)

    def collect(name: str) -> RunEvidence:
        run = find_run(resources, name)
        return collect_evidence(resources, run, state_at_home(resources, run))

    show_comparison(settings, compare_runs(collect(first), collect(second)), html)

"""`penstock --cluster compare`: two runs of a cluster beside each other."""

from pathlib import Path
from typing import Any

import click

from penstock.cli.cluster.finding import as_run, find_run
from penstock.cli.cluster.names import run_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.shown_comparison import html_option, show_comparison
from penstock.cli.shown_runs import state_of
from penstock.decide.commands.compare_runs import compare_runs
from penstock.decide.commands.run_evidence import RunEvidence


@click.command()
@click.argument("first", metavar="RUN", shell_complete=run_names)
@click.argument("second", metavar="RUN", shell_complete=run_names)
@html_option
@with_cluster
def compare(settings: ClusterSettings, first: str, second: str, html: Path | None) -> None:
    """Set two runs side by side: which fields, data, scores and decisions differ.

    RUN is the name of a run, its execution name, or PIPELINE/EXECUTION. Scores have an arrow, which says which way is
    better, only where the two may be compared.
    """

    async def question(cluster: Any) -> list[RunEvidence]:
        from penstock.remote.evidence import collect_evidence

        found = [await find_run(cluster, name) for name in (first, second)]
        return [await collect_evidence(cluster, each, state_of(as_run(each))) for each in found]

    show_comparison(settings, compare_runs(*ask(settings, question)), html)

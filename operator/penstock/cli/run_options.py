"""Which jobs a run does, and how: the options of `penstock run` and `rerun`, on a laptop and on a cluster."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from penstock.api.run import PipelineRunSpec
from penstock.api.schema import JOBS
from penstock.cli.overriding import with_set
from penstock.cli.parameters import with_parameters
from penstock.decide.commands.new_run import reset_word, with_execution_name, with_jobs, with_reset

_Decorator = Callable[[Any], Any]
_CHANGES: tuple[_Decorator, ...] = (
    click.option(
        "--name", "--execution-name", help="A name for the run; where it is taken it gets an index, as test_2."
    ),
    click.option(
        "--param",
        "parameters",
        metavar="NAME=VALUE",
        multiple=True,
        help="The value of a parameter of the Pipeline, as asOf=2026-11-07. As often as you like.",
    ),
    click.option(
        "--set",
        "overrides",
        metavar="PATH=VALUE",
        multiple=True,
        help="A field of the Pipeline that has another value in this run, as training.keep=1; an item of a list by "
        "its name, as training.algorithms.forest.parameters.max_depth.values=[4,8]. As often as you like.",
    ),
)
_NEW: tuple[_Decorator, ...] = (
    click.option("--jobs", help="Which of dataset, training, testing, deployment, with commas; all without it."),
    click.option(
        "--reset-testing", is_flag=True, help="Begin a new testing set, of a new draw; the old one stays readable."
    ),
)
_AGAIN: tuple[_Decorator, ...] = (
    click.option(
        "--from",
        "first",
        type=click.Choice(JOBS),
        help="The first job that is done again; without it the first that did not succeed.",
    ),
    click.option(
        "--until",
        "last",
        type=click.Choice(JOBS),
        help="The last job that is done again; without it the last that the run had.",
    ),
    click.option("--debug", is_flag=True, help="With your own operations as they are now; nothing is deployed of it."),
)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--jobs`, `--name`, `--reset-testing`, `--param` and `--set`."""
    return _decorate(command, (*_NEW, *_CHANGES))


def rerun_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--from`, `--until`, `--debug`, `--name`, `--param` and `--set`."""
    return _decorate(command, (*_AGAIN, *_CHANGES))


def with_options(spec: PipelineRunSpec, jobs: str | None, *, reset_testing: bool) -> PipelineRunSpec:
    """Return the run as these options change it."""
    if jobs is not None:
        spec = with_jobs(spec, jobs)
    return with_reset(spec, reset_word(datetime.now(UTC))) if reset_testing else spec


def with_changes(
    spec: PipelineRunSpec, name: str | None, parameters: tuple[str, ...], overrides: tuple[str, ...]
) -> PipelineRunSpec:
    """Return the run with this name, these parameters and these overrides."""
    if name is not None:
        spec = with_execution_name(spec, name)
    return with_set(with_parameters(spec, parameters), overrides)


def _decorate(command: Callable[..., Any], options: tuple[_Decorator, ...]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command

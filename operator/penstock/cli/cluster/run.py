"""`penstock --cluster run`: a run in the cluster, which goes on there whatever becomes of this command."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from penstock.api.manifests import read_manifests
from penstock.api.run import PipelineReference, PipelineRunSpec
from penstock.cli.cluster.finding import PIPELINE, RUN, Object, find_one, kind_of
from penstock.cli.cluster.following import follow_to_end
from penstock.cli.cluster.names import pipeline_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.output import show
from penstock.cli.run_options import run_options, with_changes, with_options
from penstock.cli.terminal import echo
from penstock.decide.commands.apply import to_create, to_patch
from penstock.decide.commands.new_run import new_run, with_generated_name
from penstock.decide.objects.places import refuse_laptop_only
from penstock.local.manifests import pipeline_and_run, whole_run
from penstock_jobs.contract.errors import Refused

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class _RunRequest:
    """What is to be run: the Pipeline to apply before, where a file has one, and the run to make."""

    pipeline: Object | None
    spec: PipelineRunSpec
    run: Object | None
    namespace: str | None


@click.command()
@click.argument("what", metavar="FILE|PIPELINE", shell_complete=pipeline_names)
@run_options
@click.option("--wait", is_flag=True, help="Tell how it goes until it has ended. Ctrl-C leaves it running.")
@with_cluster
def run(
    settings: ClusterSettings,
    what: str,
    jobs: str | None,
    name: str | None,
    reset_testing: bool,
    parameters: tuple[str, ...],
    overrides: tuple[str, ...],
    wait: bool,
) -> None:
    """Make a run of a Pipeline in the cluster, and print its name.

    The Pipeline of a FILE is applied first, as by kubectl apply, and the PipelineRun in it says how to run it. It is a
    new run each time. With --wait the exit code is 0 when it succeeded and 2 when it failed.
    """
    wanted = _read_request(what)
    asked = with_options(wanted.spec, jobs, reset_testing=reset_testing)
    spec = with_changes(asked, name, parameters, overrides)
    settings = replace(settings, access=replace(settings.access, namespace=_namespace(settings, wanted)))
    manifest = _without_name(wanted.run) if name is not None else wanted.run

    async def create(cluster: Any) -> Object:
        return await _create_run(settings, cluster, replace(wanted, spec=spec, run=manifest))

    tell_run(settings, ask(settings, create), wait=wait)


def tell_run(settings: ClusterSettings, created: Object, *, wait: bool) -> None:
    """Print the name of a run that was made; or follow it to its end, where that is asked."""
    if wait:
        follow_to_end(settings, created)
    else:
        _tell(settings, created, created["metadata"]["name"])


def _read_request(what: str) -> _RunRequest:
    path = Path(what)
    if path.suffix.lower() not in _SUFFIXES and "/" not in what and not path.is_file():
        return _RunRequest(None, PipelineRunSpec(pipeline_ref=PipelineReference(name=what)), None, None)
    pipeline, found = pipeline_and_run(path)
    assert pipeline is not None or found is not None
    if pipeline is not None:
        refuse_laptop_only(pipeline.spec)
    manifests: dict[str, Object] = {each.value["kind"]: each.value for each in read_manifests(path.read_text("utf-8"))}
    named = [manifests[kind] for kind, there in ((PIPELINE, pipeline), (RUN, found)) if there is not None]
    namespaces = {space for each in named if (space := each["metadata"].get("namespace"))}
    if len(namespaces) > 1:
        raise Refused(
            f"{path} names the namespaces {' and '.join(sorted(namespaces))}; a run is in that of its Pipeline."
        )
    return _RunRequest(
        pipeline=manifests[PIPELINE] if pipeline is not None else None,
        spec=found.spec if found is not None else whole_run(pipeline),  # type: ignore[arg-type]
        run=manifests[RUN] if found is not None else None,
        namespace=next(iter(namespaces), None),
    )


def _namespace(settings: ClusterSettings, wanted: _RunRequest) -> str | None:
    given = settings.access.namespace
    if given is not None and wanted.namespace not in (None, given):
        raise Refused(f"The manifest is for the namespace {wanted.namespace}, and -n says {given}; make them the same.")
    return given or wanted.namespace


async def _create_run(settings: ClusterSettings, cluster: Any, wanted: _RunRequest) -> Object:
    from penstock.kubernetes.errors import AlreadyExists

    name = wanted.spec.pipeline_ref.name
    if wanted.pipeline is not None:
        done = await _apply_pipeline(cluster, wanted.pipeline)
        settings.notes.print(f"pipeline.penstock.dev/{name} {done}", markup=False)
    elif wanted.run is None:
        await find_one(cluster, PIPELINE, name)
    asked_for = new_run(wanted.spec, wanted.run)
    try:
        created: Object = await cluster.create(asked_for)
    except AlreadyExists:
        created = await cluster.create(with_generated_name(asked_for))
    return created


async def _apply_pipeline(cluster: Any, manifest: Object) -> str:
    kind = kind_of(PIPELINE)
    name = manifest["metadata"]["name"]
    there = await cluster.find(kind, name)
    if there is None:
        await cluster.create(to_create(manifest))
        return "created"
    patch = to_patch(manifest, there)
    if not patch:
        return "unchanged"
    await cluster.patch(kind, name, patch)
    return "configured"


def _without_name(manifest: Object | None) -> Object | None:
    if manifest is None:
        return None
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in ("name", "generateName")}
    return {**manifest, "metadata": metadata}


def _tell(settings: ClusterSettings, created: Object, name: str) -> None:
    if settings.output != "table":
        show(settings, created)
        return
    echo(name)
    settings.notes.print(f"It runs in the cluster. Wait for its end: penstock wait plr/{name}", markup=False)

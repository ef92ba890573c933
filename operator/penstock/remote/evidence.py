"""What a cluster holds of a run, to be compared with another."""

from dataclasses import replace

from penstock.api.decoding import Unreadable, decode, require
from penstock.api.model import Model
from penstock.api.run import PipelineRun
from penstock.decide.commands.run_evidence import RunEvidence, Source, models_named, run_evidence
from penstock.decide.objects.children import results_name, revision_name
from penstock.decide.ownership import run_owner
from penstock.kubernetes.errors import Rejected
from penstock.kubernetes.kinds import CONFIG_MAP, CONTROLLER_REVISION, MODEL, Kind, Object
from penstock.remote.cluster import Cluster

_FORBIDDEN = 403


async def collect_evidence(cluster: Cluster, found: Object, state: str) -> RunEvidence:
    """Return what is left of a run in the cluster; `state` is how far it is, in a word or two."""
    unread: dict[Source, str] = {}
    owner = run_owner(found)
    children: dict[Source, Object | None] = {}
    places: tuple[tuple[Source, Kind, str], ...] = (
        ("snapshot", CONTROLLER_REVISION, revision_name(owner)),
        ("results", CONFIG_MAP, results_name(owner)),
    )
    for source, kind, name in places:
        try:
            children[source] = await cluster.find(kind, name)
        except Rejected as error:
            if error.status != _FORBIDDEN:
                raise
            # Who may look at runs need not have the right to look at what they are made of.
            unread[source] = f"The {source} of {owner.name} may not be read: the cluster does not let you ({error})."
    run = require(found, PipelineRun)
    evidence = run_evidence(run, state, children.get("snapshot"), children.get("results"), unread)
    there = {name: await cluster.find(MODEL, name) for name in models_named(evidence)}
    read = {name: decode(each, Model) for name, each in there.items() if each is not None}
    return replace(evidence, models={name: each for name, each in read.items() if not isinstance(each, Unreadable)})

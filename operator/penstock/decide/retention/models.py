"""Which Models go: the oldest beyond so many, and never one that is served, pinned or referred to."""

from collections.abc import Iterable, Iterator, Sequence

from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import PIPELINE, RUN_UID
from penstock.decide.observed.listers import is_live
from penstock.decide.retention.runs import has_live_rerun, latest_with, steps_of
from penstock.decide.serving import models_named_by


def surplus_models(
    pipeline: str,
    keep: int | None,
    models: Sequence[ApiObject],
    pipelines: Iterable[ApiObject],
    runs: Iterable[ApiObject],
) -> tuple[ApiObject, ...]:
    """Return the Models of a Pipeline that are to go, the oldest first.

    Args:
        pipeline: its name.
        keep: how many of the newest are kept, beside those that are held; None keeps all.
        models: Models, all of this Pipeline among them.
        pipelines: the Pipelines of the namespace.
        runs: the runs of this Pipeline; they are looked at only where something may go.
    """
    if keep is None:
        return ()
    own = [model for model in models if _labels(model).get(PIPELINE) == pipeline]
    newest_first = sorted(own, key=lambda model: (_made_at(model), _name(model)), reverse=True)
    beyond = newest_first[keep:]
    if not beyond:
        return ()
    held = models_in_use(models, pipelines, tuple(runs))
    return tuple(
        model
        for model in reversed(beyond)
        if _name(model) not in held and not model["metadata"].get("deletionTimestamp")
    )


def models_in_use(
    models: Iterable[ApiObject], pipelines: Iterable[ApiObject], runs: Sequence[ApiObject]
) -> frozenset[str]:
    """Return the names of the Models that somebody serves, pins or refers to, whatever their age.

    That is: any Pipeline of the namespace; a live run, which may yet test and propose those that it made or took over;
    and the last run that trained, whose Models a run without training would test.
    """
    named = {name for pipeline in pipelines for name in models_named_by(pipeline)}
    served = {_name(model) for model in models if (model.get("status") or {}).get("servedBy")}
    live = [run for run in runs if is_live(run)]
    uids = {run["metadata"]["uid"] for run in live}
    made = {_name(model) for model in models if _labels(model).get(RUN_UID) in uids}
    referring = [*live, *(run for run in runs if has_live_rerun(live, run))]
    last = latest_with("training", runs)
    told = {name for run in (*referring, *([last] if last else [])) for name in _of_run(run)}
    return frozenset(named | served | made | told)


def _of_run(run: ApiObject) -> Iterator[str]:
    for step in steps_of(run):
        yield from (step.get("training") or {}).get("models") or ()
        yield from (str(each.get("name")) for each in (step.get("testing") or {}).get("models") or ())
        decided = step.get("deployment") or {}
        yield from (str(decided[each]) for each in ("challenger", "served", "against") if decided.get(each))


def _labels(there: ApiObject) -> dict[str, str]:
    return there["metadata"].get("labels") or {}


def _name(there: ApiObject) -> str:
    return str(there["metadata"]["name"])


def _made_at(model: ApiObject) -> str:
    """Return when the Model was saved; one that an earlier version wrote has the time of the object alone."""
    return str(model["spec"].get("creationTime") or model["metadata"].get("creationTimestamp") or "")

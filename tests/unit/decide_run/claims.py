"""What a condition says of the cluster, each sentence with what must be so where it is said.

The sentences are those of `penstock.decide.messages` with any words in their gaps, so none is written here again.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.decide import messages
from penstock.decide.objects.children import MODEL, REVISION, RUN_UID, STEP
from penstock.decide.pipeline import messages as pipeline_messages
from unit.decide_run.model_cluster import Key, ModelCluster, Object

Words = dict[str, str]
Holds = Callable[[ModelCluster, Object, Words], bool]
_GAP = "\x00{}\x00"


@dataclass(frozen=True)
class Claim:
    """A sentence, and what must be so of the cluster, given the object that says it and the words in its gaps."""

    sentence: re.Pattern[str]
    holds: Holds


def check_claims(cluster: ModelCluster, *subjects: Key) -> None:
    """Hold that each sentence in a condition of these objects, which were just looked at, is so."""
    for key in subjects:
        subject = cluster.objects.get(key, {})
        # Of a run that has ended a sentence may tell within another how it once was.
        ended = (subject.get("status") or {}).get("completionTime")
        for said in _sentences(subject):
            for claim in CLAIMS:
                if found := claim.sentence.fullmatch(said) if ended else claim.sentence.search(said):
                    assert claim.holds(cluster, subject, found.groupdict()), f"{subject['kind']} says: {said}"


def _sentences(subject: Object) -> Iterator[str]:
    for condition in (subject.get("status") or {}).get("conditions", ()):
        yield condition["message"]


def _claim(sentence: Callable[..., str], holds: Holds) -> Claim:
    """Return the claim of a sentence with any words for its parameters."""
    gaps = {name: _GAP.format(name) for name in inspect.signature(sentence).parameters}
    pattern = re.escape(sentence(**gaps))
    for name, gap in gaps.items():
        first, *more = pattern.split(re.escape(gap))
        pattern = first if not more else f"{first}(?P<{name}>.+?){f'(?P={name})'.join(more)}"
    return Claim(re.compile(pattern), holds)


# --- runs -------------------------------------------------------------------------------------------------------------


def _uid(run: Object) -> str:
    return str(run["metadata"]["uid"])


def _live_pods(cluster: ModelCluster, run: Object) -> list[Object]:
    return [pod for pod in cluster.live_pods() if pod["metadata"]["labels"].get(RUN_UID) == _uid(run)]


def _a_pod(of: Callable[[Object], Any]) -> Holds:
    return lambda cluster, run, _: any(of(pod) for pod in _live_pods(cluster, run))


def _is_unschedulable(pod: Object) -> bool:
    return any(each["reason"] == "Unschedulable" for each in pod["status"].get("conditions", ()))


def _step_runs(cluster: ModelCluster, run: Object, words: Words) -> bool:
    parts = {job["metadata"]["labels"][STEP] for job in cluster.live_jobs(_uid(run))}
    return bool(parts & {words["step"], "source"})  # who trains with operations of one's own fetches them first


def _waits_for_earlier(cluster: ModelCluster, _: Object, words: Words) -> bool:
    earlier = cluster.objects.get(("PipelineRun", words["run"]))
    return earlier is not None and not (earlier.get("status") or {}).get("completionTime")


def _is_not_there(cluster: ModelCluster, _: Object, words: Words) -> bool:
    return ("PipelineRun", words["run"]) not in cluster.objects


def _job_without_pod(cluster: ModelCluster, run: Object, _: Words) -> bool:
    return any(not list(filter(cluster.is_live, cluster.pods_of(job))) for job in cluster.live_jobs(_uid(run)))


def _nothing_runs(cluster: ModelCluster, run: Object, _: Words) -> bool:
    running = [pod for pod in _live_pods(cluster, run) if not pod["metadata"].get("deletionTimestamp")]
    return run["spec"].get("cancel") is True and not cluster.live_jobs(_uid(run)) and not running


def _all_succeeded(_: ModelCluster, run: Object, __: Words) -> bool:
    return all(step["state"] in ("Succeeded", "Reused") for step in run["status"]["steps"])


def _challenger_is_there(cluster: ModelCluster, _: Object, words: Words) -> bool:
    return ("Model", words["challenger"]) in cluster.objects


# --- Pipelines --------------------------------------------------------------------------------------------------------


def _selected_servers(cluster: ModelCluster, model: str) -> tuple[int, int]:
    """Return how many servers of the Model the Service selects: those available, and those there are to be."""
    service = cluster.objects.get(("Service", "churn"))
    revision = service["spec"]["selector"].get(REVISION) if service else None
    for each in cluster.of("Deployment"):
        labels = each["metadata"]["labels"]
        if revision is not None and (labels[REVISION], labels[MODEL]) == (revision, model):
            return each.get("status", {}).get("availableReplicas") or 0, each["spec"]["replicas"]
    return 0, 0


def _all_answer(cluster: ModelCluster, _: Object, words: Words) -> bool:
    available, wanted = _selected_servers(cluster, words["name"])
    return available >= wanted > 0


def _some_answer(cluster: ModelCluster, _: Object, words: Words) -> bool:
    return _selected_servers(cluster, words["name"]) == (int(words["available"]), int(words["wanted"]))


def _none_answers(cluster: ModelCluster, _: Object, words: Words) -> bool:
    return _selected_servers(cluster, words["name"])[0] == 0


def _nothing_served(cluster: ModelCluster, pipeline: Object, _: Words) -> bool:
    return not pipeline["status"].get("servedModel") and ("Service", "churn") not in cluster.objects


def _model_is_gone(cluster: ModelCluster, _: Object, words: Words) -> bool:
    return ("Model", words["name"]) not in cluster.objects


CLAIMS = [
    _claim(sentence, holds)
    for sentence, holds in (
        (messages.step_runs, _step_runs),
        (messages.pipeline_not_found, lambda cluster, _, words: ("Pipeline", words["name"]) not in cluster.objects),
        (messages.suspension_message, lambda _, run, __: run["spec"].get("suspend") is True),
        (messages.earlier_run, _waits_for_earlier),
        (messages.no_pod_yet, _job_without_pod),
        (messages.unschedulable, _a_pod(_is_unschedulable)),
        (messages.starting, _a_pod(lambda pod: pod["status"]["phase"] == "Pending")),
        (messages.nodes_lost, _a_pod(lambda pod: pod["metadata"].get("deletionTimestamp"))),
        (messages.pods_ending, _a_pod(lambda pod: pod["metadata"].get("deletionTimestamp"))),
        (messages.cancellation_message, _nothing_runs),
        (messages.all_succeeded, _all_succeeded),
        (messages.no_run_to_repeat, _is_not_there),
        (messages.repeated_run_lives, _waits_for_earlier),
        (messages.repeated_run_unseen, lambda cluster, run, words: not _waits_for_earlier(cluster, run, words)),
        (messages.proposal_message, _challenger_is_there),
        (pipeline_messages.model_served, _all_answer),
        (pipeline_messages.model_served_by_some, _some_answer),
        (pipeline_messages.servers_unavailable, _none_answers),
        (pipeline_messages.no_model, _nothing_served),
        (messages.model_not_found, _model_is_gone),
    )
]

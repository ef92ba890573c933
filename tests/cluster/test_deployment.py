"""`kubectl apply`, and the Model is there: served, replaced when a better one is ready, and called back by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from cluster.callers import REVISION, ServiceChanges, answer_to, rows_of_breast_cancer, start_caller, watch_service
from cluster.kubernetes_api import CONFIG_MAPS, DEPLOYMENTS, PODS, SERVICES, Object
from cluster.sites import LINEAR, MODELS, PIPELINES, RUNS, Site, run_condition, step_of
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl

IMAGES = ("serving",)
NAME = "breast-cancer"
GATE = {"scoring": "roc_auc", "minimum": "0.5"}
PREDICT = f"http://{NAME}/v1/models/{NAME}:predict"


def linear(strength: str) -> Object:
    """Return an algorithm with one candidate, of another Model for each strength."""
    return LINEAR | {"parameters": [*LINEAR["parameters"], {"name": "C", "value": strength}]}


@dataclass(frozen=True)
class Served:
    """A Pipeline that served one Model, and then another, while a neighbour called and the Service was watched."""

    site: Site
    first: str
    second: str
    heard: list[str]
    turns: ServiceChanges
    revisions: dict[str, str]  # of the pods of the servers, by their names

    def pipeline(self) -> Object:
        return self.site.api.get(PIPELINES, NAME, self.site.namespace)

    def apply(self, **changes: Any) -> None:
        self.site.pipeline(
            NAME, **{"training__algorithms": [linear("1.0")], "deployment": {"selection": GATE}} | changes
        )

    def until(self, holds: Callable[[Object], Any], what: str) -> Object:
        return self.site.api.wait_for(PIPELINES, NAME, self.site.namespace, holds, what=what)


@pytest.fixture(scope="module")
def served(
    site: Site, cluster: Cluster, image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Served:
    api, namespace = site.api, site.namespace
    manifest = site.manifest(NAME, training__algorithms=[linear("0.01")], deployment={"selection": GATE})
    run = {
        "apiVersion": RUNS.api_version,
        "kind": "PipelineRun",
        "metadata": {"name": "first"},
        "spec": {"pipelineRef": {"name": NAME}},
    }
    file = tmp_path_factory.mktemp("applied") / "pipeline.yaml"
    file.write_text(yaml.safe_dump_all([manifest, run]))
    Kubectl(cluster.kubeconfig)("apply", "--namespace", namespace, "--filename", str(file))
    first = _chosen(site.wait_for_success("first"))

    with watch_service(api, namespace, NAME) as turns:
        caller = start_caller(api, namespace, image("serving"), PREDICT, rows_of_breast_cancer())
        caller.wait_for(first)
        revisions = _revisions(site)
        site.pipeline(NAME, training__algorithms=[linear("1.0")], deployment={"selection": GATE})
        site.run(NAME, "training", "testing", "deployment", name="second")
        second = _chosen(site.wait_for_success("second"))
        caller.wait_for(second)
        revisions |= _revisions(site)
        _wait_until_drained(site, first)
    return Served(site, first, second, caller.read_answers(), turns, revisions)


def _chosen(run: Object) -> str:
    return str(step_of(run, "deployment")["deployment"]["served"])


def _revisions(site: Site) -> dict[str, str]:
    pods = site.api.objects(PODS, site.namespace, labels=REVISION)
    return {each["metadata"]["name"]: each["metadata"]["labels"][REVISION] for each in pods}


def _deployment(site: Site, model: str) -> Object:
    [found] = site.api.objects(
        DEPLOYMENTS, site.namespace, labels=f"penstock.dev/model={model},penstock.dev/pipeline={NAME}"
    )
    return found


def _wait_until_drained(site: Site, model: str) -> None:
    def drained(there: dict[str, Object]) -> bool | None:
        return True if not there else None

    site.api.wait(PODS, site.namespace, drained, what="an end of the old servers", labels=f"penstock.dev/model={model}")


def ready(pipeline: Object) -> Object:
    """Return the condition that says whether the Pipeline is ready."""
    conditions = (pipeline.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == "Ready"), {})


def test_what_was_applied_answers_under_its_name_and_says_which_model_it_is(
    served: Served, image: Callable[[str], str]
) -> None:
    answer = answer_to(served.site.api, served.site.namespace, image("serving"), PREDICT, rows_of_breast_cancer())

    assert answer["model"] == served.second
    assert set(answer["predictions"]) <= {"malignant", "benign"}
    assert served.pipeline()["status"]["url"] == f"http://{NAME}.{served.site.namespace}"


def test_each_of_the_two_runs_had_its_model_served_and_the_pipeline_remembers_since_when(served: Served) -> None:
    status = served.pipeline()["status"]
    history = [status["servedModel"], *status["servedHistory"]]
    oldest = history[-1]

    assert served.first != served.second
    assert (oldest["name"], oldest["selectedBy"]) == (served.first, "first")
    assert (history[-2]["name"], history[-2]["selectedBy"]) == (served.second, "second")
    assert oldest["startTime"] < oldest["endTime"] == history[-2]["startTime"]


def test_a_new_model_is_a_new_revision_and_the_old_one_is_kept_without_servers(served: Served) -> None:
    old, new = (_deployment(served.site, model) for model in (served.first, served.second))

    assert old["metadata"]["labels"][REVISION] != new["metadata"]["labels"][REVISION]
    assert old["spec"]["replicas"] == 0
    assert new["status"]["availableReplicas"] == 1


def test_the_service_never_selects_two_revisions_and_turns_once(served: Served) -> None:
    assert all(REVISION in each for each in served.turns.selected)
    assert len(served.turns.revisions()) == 2
    for pods in served.turns.behind:
        assert len({served.revisions[pod] for pod in pods if pod in served.revisions}) <= 1
    assert {pod for pods in served.turns.behind for pod in pods} == set(served.revisions)


def test_each_request_during_the_turn_is_answered_by_the_old_model_and_then_by_the_new(served: Served) -> None:
    answers = [line for line in served.heard if line.startswith("answer ")]
    turned = answers.index(f"answer {served.second}")

    assert served.heard == answers
    assert set(answers[:turned]) == {f"answer {served.first}"}
    assert set(answers[turned:]) == {f"answer {served.second}"}


def test_a_pin_is_the_way_back_and_without_it_the_model_last_selected_is_served_again(served: Served) -> None:
    served.apply(deployment={"selection": GATE, "model": served.first})
    pinned = served.until(lambda seen: serves(seen, served.first), "the first Model served again")
    was_old = _deployment(served.site, served.first)["metadata"]["uid"]
    served.apply()
    unpinned = served.until(lambda seen: serves(seen, served.second), "the Model last selected served again")

    assert (pinned["status"]["servedModel"]["selectedBy"], pinned["status"]["servedModel"]["reason"]) == (
        "deployment.model",
        "Pinned",
    )
    assert pinned["status"]["selectedModel"] == served.second
    assert unpinned["status"]["servedHistory"][0]["name"] == served.first
    assert _deployment(served.site, served.first)["metadata"]["uid"] == was_old


def test_what_somebody_deletes_or_edits_of_the_servers_is_made_again_and_ready_says_meanwhile_that_none_answers(
    served: Served, image: Callable[[str], str]
) -> None:
    api, namespace = served.site.api, served.site.namespace
    before = _deployment(served.site, served.second)
    name = before["metadata"]["name"]

    api.delete(CONFIG_MAPS, name, namespace)
    api.delete(DEPLOYMENTS, name, namespace)
    down = served.until(lambda seen: ready(seen).get("reason") == "ServersUnavailable", "no server that answers")
    api.patch(SERVICES, NAME, {"spec": {"selector": {REVISION: "elsewhere"}}}, namespace)
    served.until(lambda seen: ready(seen)["status"] == "True", "servers that answer")
    answer = answer_to(api, namespace, image("serving"), PREDICT, rows_of_breast_cancer(), "of-the-mended")

    assert serves(down, served.second)
    assert answer["model"] == served.second
    after = _deployment(served.site, served.second)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"]["template"] == before["spec"]["template"]


def test_a_status_that_is_lost_is_found_again_from_the_service_and_no_server_is_touched(served: Served) -> None:
    api, namespace = served.site.api, served.site.namespace
    before = _deployment(served.site, served.second)["metadata"]

    api.patch(PIPELINES, NAME, {"status": None}, namespace, beneath="status")
    served.until(lambda seen: serves(seen, served.second) and ready(seen)["status"] == "True", "its status again")

    after = _deployment(served.site, served.second)["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])


@pytest.fixture(scope="module")
def challenger(served: Served) -> str:
    """A third Model, tested and not decided about."""
    served.apply(training__algorithms=[linear("0.1")])
    served.site.run(NAME, "training", "testing", name="made-only")
    return str(step_of(served.site.wait_for_success("made-only"), "training")["training"]["models"][0])


def test_a_model_whose_file_is_damaged_leaves_the_old_one_serving_and_the_run_says_why(
    served: Served, challenger: str
) -> None:
    site = served.site
    model = site.api.get(MODELS, challenger, site.namespace)["spec"]
    site.buckets.damage(f"{model['uri']}/{model['serving']['file']}")

    site.run(NAME, "deployment", name="damaged")
    reason, message = site.wait_for_failure("damaged")

    assert reason == "ModelNotReady"
    assert f"{served.second} stays" in message
    assert "digest" in message
    # The run may say so a moment before its Pipeline does.
    pipeline = site.api.wait_for(
        PIPELINES, NAME, site.namespace, lambda seen: ready(seen)["status"] == "True", what="a ready Pipeline"
    )
    assert serves(pipeline, served.second)
    site.api.wait(
        DEPLOYMENTS,
        site.namespace,
        lambda there: True if not there else None,
        what="no servers of the damaged Model",
        labels=f"penstock.dev/model={challenger}",
    )


def test_a_run_whose_model_is_not_chosen_has_succeeded_and_keeps_the_served_one(
    served: Served, challenger: str
) -> None:
    served.apply(deployment={"selection": GATE | {"minimum": "0.9999999"}})
    served.site.run(NAME, "deployment", name="kept")

    run = served.site.wait_for_success("kept")
    served.apply()

    said = step_of(run, "deployment")["deployment"]
    assert run_condition(run)["reason"] == "ServedModelKept"
    assert (said["verdict"], said["challenger"], said["served"]) == ("BelowMinimum", challenger, served.second)


def test_a_pipeline_of_nothing_but_a_model_serves_it_and_goes_with_its_api_alone(
    served: Served, image: Callable[[str], str]
) -> None:
    api, namespace = served.site.api, served.site.namespace
    apply_serving(served.site, "other", served.first)

    api.wait_for(PIPELINES, "other", namespace, lambda seen: serves(seen, served.first), what="a served Model")
    answer = answer_to(
        api, namespace, image("serving"), "http://other/v1/models/other:predict", rows_of_breast_cancer(), "of-other"
    )
    served_by = api.get(MODELS, served.first, namespace)["status"]["servedBy"]
    api.delete(PIPELINES, "other", namespace)
    api.wait_until_gone(SERVICES, "other", namespace)

    assert answer["model"] == served.first
    assert "other" in served_by
    api.wait(
        DEPLOYMENTS,
        namespace,
        lambda there: True if not there else None,
        what="no servers",
        labels="penstock.dev/pipeline=other",
    )
    assert api.find(MODELS, served.first, namespace) is not None


@pytest.mark.parametrize(
    ("spec", "reason", "sentence"),
    [
        ({"deployment": {"model": "nobody"}}, "ModelNotFound", "There is no Model nobody in this namespace"),
        (
            {"deployment": {"model": "nobody"}, "jobs": [{"name": "deployment", "profile": "huge"}]},
            "Invalid",
            "spec.jobs[deployment].profile",
        ),
    ],
)
def test_a_pipeline_that_cannot_work_says_why(site: Site, spec: Object, reason: str, sentence: str) -> None:
    name = f"wrong-{reason.lower()}"
    manifest = {"apiVersion": PIPELINES.api_version, "kind": "Pipeline", "metadata": {"name": name}, "spec": spec}
    site.api.apply(manifest, site.namespace)

    seen = site.api.wait_for(PIPELINES, name, site.namespace, lambda there: ready(there), what="a word on the Pipeline")

    assert (ready(seen)["status"], ready(seen)["reason"]) == ("False", reason)
    assert sentence in ready(seen)["message"]


def serves(pipeline: Object, model: str) -> bool:
    """Return whether the Pipeline says that it serves this Model."""
    return ((pipeline.get("status") or {}).get("servedModel") or {}).get("name") == model


def apply_serving(site: Site, name: str, model: str) -> None:
    """Apply a Pipeline that does nothing but serve a Model which is there."""
    spec = {"deployment": {"model": model}}
    site.api.apply(
        {"apiVersion": PIPELINES.api_version, "kind": "Pipeline", "metadata": {"name": name}, "spec": spec},
        site.namespace,
    )

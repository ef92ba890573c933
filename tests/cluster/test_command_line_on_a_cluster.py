"""The command line speaks to a cluster, with a person's kubeconfig: a run made, followed, looked at, waited for, ended.

API server and operator are real; the pods of the runs are played, but where a log is read.
"""

import copy
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from cluster.api_proxy import ApiProxy, run_proxy
from cluster.custom_resources import install
from cluster.kubernetes_api import PODS, KubernetesApi, Object
from cluster.namespaces import Namespaces
from cluster.operator_process import run_operator
from cluster.pod_player import NOWHERE, PodPlayer
from cluster.sites import MODELS, PIPELINES, RUN_UID, RUNS, STEP, run_condition
from manifest_changes import named
from penstock.api import schema
from penstock.decide.serving import UNDONE_BY_A_MANIFEST
from penstock_command import PROGRAM, CommandResult, run_penstock
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl
from testcluster.kubectl import program as kubectl_program
from testcluster.patience import attempts
from unit.decide_run.examples_of_runs import PIPELINE


@dataclass(frozen=True)
class Desk:
    """A person with a kubeconfig and a namespace in which an operator works."""

    api: KubernetesApi
    namespace: str
    kubeconfig: Path
    folder: Path

    def say(self, *words: str, timeout: float = 300) -> CommandResult:
        """Say `penstock --cluster …` in the namespace."""
        return self.run("--cluster", "-n", self.namespace, *words, timeout=timeout)

    def wait(self, *words: str, timeout: float = 300) -> CommandResult:
        return self.run("wait", "-n", self.namespace, *words, timeout=timeout)

    @contextmanager
    def waiting(self, name: str) -> Iterator[tuple[ApiProxy, Future[CommandResult]]]:
        """Wait for a suspended run by way of a proxy, through which it is watched by now."""
        with run_proxy(self.kubeconfig) as proxy, ThreadPoolExecutor() as threads:
            waiting = threads.submit(self.wait, "--kubeconfig", str(proxy.kubeconfig(self.folder)), name)
            for _ in attempts("a watch", 60):
                if proxy.watches():
                    break
            yield proxy, waiting

    def run(self, *words: str, timeout: float = 300) -> CommandResult:
        environment = {"KUBECONFIG": str(self.kubeconfig)}
        return run_penstock(*words, home=self.folder / "home", environment=environment, timeout=timeout)

    def apply(self, name: str) -> str:
        """Apply a Pipeline of that name; return it."""
        self.api.apply(manifest(name), self.namespace)
        return name

    @contextmanager
    def suspended(self, name: str, pipeline: str) -> Iterator[str]:
        """Make a run that starts nothing; let it go on in the end, where it is still there."""
        self.api.create(_run(name, pipeline, suspend=True, jobs=[{"name": "dataset"}]), self.namespace)
        yield name
        if self.api.find(RUNS, name, self.namespace):
            self.api.patch(RUNS, name, {"spec": {"suspend": False}}, self.namespace)

    def file(self, name: str, *manifests: Object) -> str:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump_all(manifests))
        return str(path)


def manifest(name: str) -> Object:
    made: Object = copy.deepcopy(PIPELINE)
    made["metadata"] = {"name": name}
    made["spec"]["storage"]["s3"]["prefix"] = name
    for job in schema.JOBS:
        named(made["spec"]["jobs"], job)["nodeSelector"] = NOWHERE
    return made


@pytest.fixture(scope="module")
def desk(
    api: KubernetesApi, cluster: Cluster, namespaces: Namespaces, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    install(api)
    folder = tmp_path_factory.mktemp("desk")
    with (
        namespaces.one(f"{__file__}::desk") as name,
        PodPlayer(api, name),
        run_operator(cluster.kubeconfig, name, folder) as operator,
    ):
        operator.wait_until_ready()
        yield Desk(api, name, cluster.kubeconfig, folder)


# --- run --------------------------------------------------------------------------------------------------------------


def test_a_run_is_made_and_its_name_is_all_that_is_printed(desk: Desk) -> None:
    done = desk.say("run", desk.apply("printed"), "--jobs", "dataset")

    [name] = done.output.splitlines()
    assert done.code == 0
    spec = desk.api.get(RUNS, name, desk.namespace)["spec"]
    assert spec["pipelineRef"] == {"name": "printed"}
    assert [each["name"] for each in spec["jobs"]] == ["dataset"]


def test_a_run_that_is_waited_for_is_told_step_by_step_and_with_its_outcome(desk: Desk) -> None:
    done = desk.say("run", desk.apply("told"), "--wait")

    assert done.code == 0, done.errors
    for step in ("dataset", "training", "testing", "deployment"):
        assert f"{step} begins" in done.errors
    assert "training: 4 candidates, 1 Model kept" in done.errors
    assert "is the first Model to be served" in done.output
    assert "report.html" in done.output


def test_a_name_that_is_taken_gets_an_index(desk: Desk) -> None:
    desk.apply("twice")

    made = [
        desk.say("run", "twice", "--jobs", "dataset", "--name", "test", "--wait", "-o", "json").json() for _ in "12"
    ]

    assert [each["status"]["executionName"] for each in made] == ["test", "test_2"]
    assert made[0]["metadata"]["name"] == "twice-test"
    assert made[1]["metadata"]["name"].startswith("twice-test-")


def test_a_file_is_applied_as_kubectl_would_and_run_as_it_says(desk: Desk) -> None:
    run = {
        "apiVersion": RUNS.api_version,
        "kind": "PipelineRun",
        "metadata": {"name": "filed-1", "annotations": {"team.example/ticket": "17"}},
        "spec": {"pipelineRef": {"name": "filed"}, "jobs": [{"name": "dataset"}]},
    }
    file = desk.file("filed", manifest("filed"), run)

    first, again = desk.say("run", file), desk.say("run", file)

    assert "filed created" in first.errors
    assert "filed unchanged" in again.errors
    assert first.output == "filed-1\n"
    made = desk.api.get(RUNS, again.output.strip(), desk.namespace)
    assert made["metadata"]["name"].startswith("filed-1-")
    assert made["spec"]["executionName"] == "filed-1"
    assert made["metadata"]["annotations"]["team.example/ticket"] == "17"


def test_kubectl_and_run_may_apply_one_manifest_in_turn(desk: Desk, cluster: Cluster) -> None:
    """What the manifest no longer says goes, whoever applied it before; what another has set stays."""
    kubectl = Kubectl(cluster.kubeconfig)
    first = manifest("shared")
    first["spec"]["displayName"] = "Shared"
    kubectl("apply", "-n", desk.namespace, "-f", desk.file("shared", first))
    kubectl("annotate", "-n", desk.namespace, "pl/shared", "team.example/owner=me")
    second = manifest("shared")
    second["spec"]["description"] = "By penstock."

    changed = desk.say("run", desk.file("shared", second), "--jobs", "dataset")

    assert "shared configured" in changed.errors
    there = desk.api.get(PIPELINES, "shared", desk.namespace)
    assert "displayName" not in there["spec"]
    assert there["metadata"]["annotations"]["team.example/owner"] == "me"
    kubectl("apply", "-n", desk.namespace, "-f", desk.file("shared", manifest("shared")))
    assert "description" not in desk.api.get(PIPELINES, "shared", desk.namespace)["spec"]


def test_a_run_that_fails_says_why_in_its_last_line_and_ends_with_2(desk: Desk) -> None:
    done = desk.say("run", desk.apply("early"), "--jobs", "testing", "--wait")

    assert done.code == 2
    assert "The job testing needs what dataset makes, and no run has made it" in done.errors.splitlines()[-1]
    assert done.output == ""


def test_a_run_goes_on_when_the_command_is_interrupted(desk: Desk) -> None:
    command = [str(PROGRAM), "--cluster", "-n", desk.namespace, "run", desk.apply("left"), "--name", "x", "--wait"]
    environment = os.environ | {"KUBECONFIG": str(desk.kubeconfig), "NO_COLOR": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    assert "left-x runs in the cluster." in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 130, errors
    assert "left-x goes on in the cluster. To end it: penstock --cluster cancel left-x" in errors
    assert desk.wait("plr/left-x").code == 0


def test_a_pipeline_that_is_not_there_is_refused_with_the_name_that_was_meant(desk: Desk) -> None:
    desk.apply("customers")

    done = desk.say("run", "custmers")

    assert (done.code, done.output) == (2, "")
    assert f"There is no Pipeline custmers in the namespace {desk.namespace}; did you mean customers?" in done.errors


def test_a_manifest_for_another_namespace_is_refused(desk: Desk) -> None:
    elsewhere = manifest("elsewhere")
    elsewhere["metadata"]["namespace"] = "another"

    done = desk.say("run", desk.file("elsewhere", elsewhere))

    assert done.code == 2
    assert f"The manifest is for the namespace another, and -n says {desk.namespace}" in done.errors


# --- what there is ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def churn(desk: Desk) -> Object:
    """A run of all jobs that has ended well."""
    done = desk.say("run", desk.apply("churn"), "--name", "first", "--wait", "-o", "json")
    made: Object = done.json()
    return made


def test_runs_are_listed_as_on_a_laptop(desk: Desk, churn: Object) -> None:
    [_, *lines] = [line for line in desk.say("runs", "--pipeline", "churn").output.splitlines() if line.strip(" ─")]

    [words] = [line.split() for line in lines]
    assert words[:4] == ["churn-first", "churn", "first", "Succeeded"]


def test_models_are_listed_with_their_scores_and_whether_they_are_served(desk: Desk, churn: Object) -> None:
    labelled = desk.say("models", "-l", "penstock.dev/pipeline=churn", "-o", "json").json()
    shown = desk.say("models", "-l", "penstock.dev/pipeline=churn").output

    assert labelled["kind"] == "List"
    [model] = labelled["items"]
    assert model["metadata"]["name"] in shown
    assert "roc_auc ↑ 0.9" in shown
    assert model["metadata"]["name"] in desk.say("models", "--pipeline", "churn").output
    assert desk.say("models", "--pipeline", "nobody").code == 2


def test_nothing_found_is_said_and_is_no_mistake(desk: Desk) -> None:
    done = desk.say("runs", "-l", "nobody=has-this")

    assert (done.code, done.output) == (0, "")
    assert f"There is no PipelineRun in the namespace {desk.namespace}." in done.errors


def test_a_namespace_that_is_not_there_is_told_apart_from_an_empty_one(desk: Desk) -> None:
    done = desk.run("--cluster", "runs", "-n", "nobody-has-this-namespace")

    assert done.code == 2
    assert "There is no namespace nobody-has-this-namespace in the cluster" in done.errors


def test_a_run_is_described_with_its_steps_and_conditions(desk: Desk, churn: Object) -> None:
    by_name, by_execution = desk.say("describe", "plr/churn-first"), desk.say("describe", "churn/first")

    for said in ("s3://ml-team/churn", "10 training", "of 4 candidates scored", "is the first Model to be served"):
        assert said in by_name.output
    assert "Succeeded" in by_name.output
    assert by_execution.output.splitlines()[:3] == by_name.output.splitlines()[:3]


def test_a_pipeline_is_described_with_what_it_serves_and_served(desk: Desk, churn: Object) -> None:
    said = desk.say("describe", "churn").output

    assert "churn-first" in said
    assert "ModelServed" in said
    assert "http://churn" in said


def test_a_model_is_described_with_its_origin_and_scores(desk: Desk, churn: Object) -> None:
    [model] = desk.api.objects(MODELS, desk.namespace, labels="penstock.dev/pipeline=churn")

    said = desk.say("describe", f"mdl/{model['metadata']['name']}").output

    assert model["spec"]["uri"] in said
    assert "testing set" in said


def test_two_runs_are_compared_by_their_snapshots_and_results(desk: Desk, churn: Object) -> None:
    found = desk.say("compare", "plr/churn-first", "churn/first", "-o", "json").json()

    assert found["gaps"] == found["spec"] == []
    assert all(each["equal"] for each in found["tables"])
    assert [each["best"]["algorithm"] for each in found["runs"]] == ["linear", "linear"]
    assert desk.say("compare", "churn-first", "churn-frist").errors == desk.say("describe", "churn-frist").errors


def test_one_name_of_nothing_is_refused_with_the_one_that_was_meant(desk: Desk, churn: Object) -> None:
    done = desk.say("describe", "churn-frist")

    assert done.code == 2
    assert "did you mean churn-first?" in done.errors


# --- wait -------------------------------------------------------------------------------------------------------------


def test_waiting_ends_with_0_when_the_run_has_succeeded(desk: Desk, churn: Object) -> None:
    done = desk.wait("plr/churn-first", "pl/churn")

    assert done.code == 0
    assert sorted(done.output.splitlines()) == [
        "pipeline.penstock.dev/churn condition=Ready",
        "pipelinerun.penstock.dev/churn-first condition=Succeeded",
    ]


def test_waiting_ends_with_1_and_the_sentence_when_the_run_has_failed(desk: Desk) -> None:
    [name] = desk.say("run", desk.apply("lost"), "--jobs", "testing").output.splitlines()

    done = desk.wait(f"plr/{name}", "--timeout", "5m")

    assert done.code == 1
    assert "The job testing needs what dataset makes" in done.errors


def test_waiting_ends_with_124_and_the_state_when_the_time_is_over(desk: Desk) -> None:
    with desk.suspended("late-1", desk.apply("late")):
        done = desk.wait("plr/late-1", "--timeout", "5s")

    assert done.code == 124
    assert "The time was over. Suspended: " in done.errors
    assert "until spec.suspend is false" in done.errors


def test_a_run_that_is_deleted_while_it_is_waited_for_ends_the_waiting(desk: Desk) -> None:
    with desk.suspended("gone-1", desk.apply("gone")), desk.waiting("plr/gone-1") as (_, waiting):
        desk.api.delete(RUNS, "gone-1", desk.namespace)

        done = waiting.result()

    assert done.code == 1
    assert "PipelineRun gone-1 was deleted while it was waited for." in done.errors


def test_what_is_waited_for_and_is_not_there_is_refused_at_once(desk: Desk, churn: Object) -> None:
    done = desk.wait("plr/churn-frist")

    assert done.code == 2
    assert "did you mean churn-first?" in done.errors


def test_waiting_outlives_a_watch_that_expired_and_a_server_that_did_not_answer(desk: Desk) -> None:
    with desk.suspended("outage-1", desk.apply("outage")), desk.waiting("outage-1") as (proxy, waiting):
        refused = iter((503, 503, 429))
        proxy.refuse = lambda asked: next(refused, None)
        proxy.expire_watches()
        desk.api.patch(RUNS, "outage-1", {"spec": {"suspend": False}}, desk.namespace)

        done = waiting.result()

    assert done.code == 0, done.errors
    assert next(refused, None) is None


# --- cancel -----------------------------------------------------------------------------------------------------------


def test_a_run_is_cancelled_and_its_end_can_be_waited_for(desk: Desk) -> None:
    with desk.suspended("ended-1", desk.apply("ended")):
        done = desk.say("cancel", "ended-1", "--wait")

    assert (done.code, done.output) == (0, "ended-1 is cancelled.\n")
    assert run_condition(desk.api.get(RUNS, "ended-1", desk.namespace))["reason"] == "Cancelled"
    assert desk.say("cancel", "ended-1").code == 0


def test_a_run_that_has_ended_cannot_be_cancelled(desk: Desk, churn: Object) -> None:
    done = desk.say("cancel", "churn-first")

    assert done.code == 2
    assert "The run churn-first has ended already: Succeeded." in done.errors


# --- deploy -----------------------------------------------------------------------------------------------------------


def test_an_older_model_is_served_by_hand_and_the_selected_one_again(desk: Desk) -> None:
    desk.apply("rollback")
    first, second = [desk.say("run", "rollback", "--wait", "-o", "json").json()["status"] for _ in range(2)]
    older, newer = [next(each for each in run["steps"] if each["name"] == "training") for run in (first, second)]
    [old], [new] = older["training"]["models"], newer["training"]["models"]
    served = desk.api.get(PIPELINES, "rollback", desk.namespace)["status"]["servedModel"]["name"]
    other = old if served == new else new

    pinned = desk.say("deploy", other, "--pipeline", "rollback", "--wait")
    unpinned = desk.say("deploy", "--unpin", "rollback", "--wait")

    assert (pinned.code, pinned.output) == (0, f"rollback serves {other}.\n{UNDONE_BY_A_MANIFEST}\n")
    assert (unpinned.code, unpinned.output) == (0, f"rollback serves {served}.\n")


def test_a_model_that_is_not_there_is_not_deployed(desk: Desk) -> None:
    desk.apply("bare")

    for words in ([], ["--pipeline", "bare"]):
        done = desk.say("deploy", "no-such-model", *words)
        assert done.code == 2
        assert "There is no Model no-such-model" in done.errors


# --- logs -------------------------------------------------------------------------------------------------------------


def test_where_the_pods_are_gone_the_place_of_the_logs_is_told(desk: Desk, churn: Object) -> None:
    done = desk.say("logs", "churn-first", "--job", "dataset")

    assert done.code == 2
    assert "s3://ml-team/churn/runs/first/logs/" in done.errors


def test_a_run_without_a_pod_says_what_it_waits_for(desk: Desk) -> None:
    with desk.suspended("silent-1", desk.apply("silent")):
        desk.wait("plr/silent-1", "--for", "condition=Succeeded=Unknown")
        done = desk.say("logs", "silent-1")

    assert done.code == 2
    assert "The run silent-1 has no log." in done.errors
    assert "until spec.suspend is false" in done.errors


def test_logs_are_followed_to_the_end_of_the_run(
    desk: Desk, namespace: str, image: Callable[[str], str], tmp_path: Path
) -> None:
    run = desk.api.create(_run("spoken", "speech"), namespace)
    _speak(desk.api, namespace, run, image("jobs"))
    there = replace(desk, namespace=namespace)
    with ThreadPoolExecutor() as threads:
        following = threads.submit(there.say, "logs", "spoken", "-f")
        desk.api.wait_for(PODS, "speaker", namespace, _has_ended, what="an end of the pod")
        ended = {"type": "Succeeded", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": NOW}
        desk.api.patch(RUNS, "spoken", {"status": {"conditions": [ended]}}, namespace, beneath="status")
        done = following.result()

    assert done.output.splitlines() == ["dataset: one", f"dataset: {NOW} INFO    two (2/3)", "dataset: three"]
    printed = there.say("logs", "spoken", "-o", "json").output.splitlines()
    assert json.loads(printed[1]) == {
        "job": "dataset",
        "time": NOW,
        "level": "INFO",
        "message": "two",
        "done": 2,
        "total": 3,
    }


NOW = "2026-11-21T12:00:00Z"
_SPEECH = f"""
import json, time
print("one", flush=True)
print(json.dumps({{"time": "{NOW}", "level": "INFO", "message": "two", "done": 2, "total": 3}}), flush=True)
time.sleep(1)
print("three")
print("penstock-result 1/1 what only the operator reads")
"""


def _run(name: str, pipeline: str, **spec: object) -> Object:
    made = {"pipelineRef": {"name": pipeline}, **spec}
    return {"apiVersion": RUNS.api_version, "kind": "PipelineRun", "metadata": {"name": name}, "spec": made}


def _speak(api: KubernetesApi, namespace: str, run: Object, image: str) -> None:
    """Make a pod of the run's dataset step that prints a few lines; no operator works in that namespace."""
    container = {
        "name": "job",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", _SPEECH],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    labels = {RUN_UID: run["metadata"]["uid"], STEP: "dataset"}
    spec = {"restartPolicy": "Never", "securityContext": security, "containers": [container]}
    metadata = {"name": "speaker", "labels": labels}
    api.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, namespace)


def _has_ended(pod: Object) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Succeeded")


# --- who asks, and how ------------------------------------------------------------------------------------------------


def test_who_may_not_look_is_told_so_in_a_sentence(desk: Desk) -> None:
    kubeconfig = _kubeconfig_of(desk, "default")

    done = desk.run("--cluster", "--kubeconfig", str(kubeconfig), "-n", desk.namespace, "runs")

    assert done.code == 2
    assert "The cluster does not let you: pipelineruns.penstock.dev is forbidden" in done.errors
    assert "Traceback" not in done.errors


def test_a_token_that_is_not_known_is_told_so(desk: Desk) -> None:
    kubeconfig = _kubeconfig_of(desk, "default", token="nobody")

    done = desk.run("--cluster", "--kubeconfig", str(kubeconfig), "runs")

    assert done.code == 2
    assert "does not know who you are; log in again" in done.errors


def test_the_namespace_of_the_context_is_meant_where_none_is_named(desk: Desk, churn: Object) -> None:
    document = yaml.safe_load(desk.kubeconfig.read_text())
    document["contexts"].append(copy.deepcopy(document["contexts"][0]))
    document["contexts"][-1]["name"] = "team"
    document["contexts"][-1]["context"]["namespace"] = desk.namespace
    path = desk.folder / "team"
    path.write_text(yaml.safe_dump(document))

    said = desk.run("--cluster", "--kubeconfig", str(path), "--context", "team", "runs", "--pipeline", "churn")

    assert "churn-first" in said.output


def test_kubectl_finds_its_plugin(desk: Desk, churn: Object) -> None:
    """`kubectl penstock …` is `penstock --cluster …`."""
    own = os.pathsep.join([str(PROGRAM.parent), os.environ["PATH"]])
    command = [str(kubectl_program()), "penstock", "-n", desk.namespace, "runs", "--pipeline", "churn"]
    environment = os.environ | {"PATH": own, "KUBECONFIG": str(desk.kubeconfig)}

    done = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "churn-first" in done.stdout


def test_the_shell_completes_names_of_the_cluster(desk: Desk, churn: Object) -> None:
    words = f"penstock --cluster -n {desk.namespace} describe plr/churn-f"
    environment = {"COMP_WORDS": words, "COMP_CWORD": "5", "_PENSTOCK_COMPLETE": "bash_complete"}

    done = run_penstock(home=desk.folder, environment=environment | {"KUBECONFIG": str(desk.kubeconfig)})

    assert done.output.split() == ["plain,plr/churn-first"]


def test_kubectl_completes_names_for_its_plugin(desk: Desk, churn: Object) -> None:
    own = os.pathsep.join([str(PROGRAM.parent), os.environ["PATH"]])
    command = [str(kubectl_program()), "__complete", "penstock", "-n", desk.namespace, "describe", "plr/churn-f"]
    environment = os.environ | {"PATH": own, "KUBECONFIG": str(desk.kubeconfig)}

    done = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert done.stdout.split() == ["plr/churn-first", ":4"], done.stderr


def _kubeconfig_of(desk: Desk, account: str, token: str | None = None) -> Path:
    """Write the kubeconfig of a service account, which has no right to anything."""
    if token is None:
        path = f"/api/v1/namespaces/{desk.namespace}/serviceaccounts/{account}/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = desk.api.json("POST", path, asked)["status"]["token"]
    document = yaml.safe_load(desk.kubeconfig.read_text())
    document["users"] = [{"name": each["name"], "user": {"token": token}} for each in document["users"]]
    written = desk.folder / f"kubeconfig-{account}"
    written.write_text(yaml.safe_dump(document))
    return written

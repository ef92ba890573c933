"""The operator around `decide`, as a model: a view of the cluster that may be behind, and writes that may be cut short.

It promises what `penstock.act` promises: the view of an object is never older than its own last write to it, writes
come in their order, the status after them and only on the version that was observed.
"""

import copy
from dataclasses import replace
from typing import Any

import msgspec

from penstock.decide.cleaning.record import Identity
from penstock.decide.decision import (
    ApiObject,
    Apply,
    Create,
    Decision,
    Delete,
    Event,
    Patch,
    Refusal,
    Write,
)
from penstock.decide.objects.children import PIPELINE, RECORD, REVISION, RUN_UID, STEP
from penstock.decide.others import Models, Runs, pipeline_of
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.pipeline.reconcile import decide as decide_pipeline
from penstock.decide.run import earlier
from penstock.decide.run.observation import RunObservation
from penstock.decide.run.reconcile import awaited, decide
from penstock.decide.settings import Settings
from penstock.decide.status import status_to_write
from unit.decide_run.model_cluster import Cluster, Key, Object

MOST_STATUS = 32 * 1024
SETTINGS = Settings()
IDENTITY = Identity("definition", "namespace")


class Killed(Exception):
    """The operator died in the middle."""


class Operator:
    def __init__(self, cluster: Cluster, settings: Settings = SETTINGS) -> None:
        self.cluster = cluster
        self.settings = settings
        self.seen: dict[Key, Object] = {}
        self.events: list[Event] = []
        self.writes = 0
        self.lives = 10**9  # writes that it has left before it dies
        self.forbidden: str | None = None  # a kind that the API server refuses for its quota

    def born_again(self) -> "Operator":
        """Return another process, which has seen all and remembers nothing."""
        other = Operator(self.cluster, self.settings)
        other.forbidden = self.forbidden
        other.looks()
        return other

    def looks(self, key: Key | None = None) -> None:
        """Bring the view of one object, or of all, up to date."""
        if key is None:
            self.seen = copy.deepcopy(self.cluster.objects)
        elif key in self.cluster.objects:
            self.seen[key] = copy.deepcopy(self.cluster.objects[key])
        else:
            self.seen.pop(key, None)

    def observation(self, name: str, refused: Refusal | None = None) -> RunObservation:
        run = self.seen["PipelineRun", name]
        uid, pipeline = run["metadata"]["uid"], pipeline_of(run)
        maps = self._own("ConfigMap", uid)
        pods = self._own("Pod", uid)
        runs = tuple(
            each for each in self._of("PipelineRun") if pipeline_of(each) == pipeline and each["metadata"]["uid"] != uid
        )
        wanted = earlier.wanted(run, runs)
        observation = RunObservation(
            run=run,
            settings=self.settings,
            pipeline=self.seen.get(("Pipeline", pipeline)),
            revision=next(iter(self._own("ControllerRevision", uid)), None),
            results=next((each for each in maps if STEP not in each["metadata"]["labels"]), None),
            specifications=frozenset(each["metadata"]["name"] for each in maps if STEP in each["metadata"]["labels"]),
            jobs=self._own("Job", uid),
            pods=pods,
            earlier=tuple(each for each in self._of("ConfigMap") if each["metadata"]["name"] in wanted),
            runs=Runs(runs),
            models=Models(self._of("Model")),
            deployments=tuple(
                each for each in self._of("Deployment") if each["metadata"]["labels"].get(PIPELINE) == pipeline
            ),
            files=frozenset(
                each["metadata"]["name"]
                for each in self._of("ControllerRevision")
                if each["metadata"]["labels"].get(RECORD) == uid
            ),
            identity=IDENTITY,
            refused=refused,
        )
        whole = {each.uid: self.cluster.logs.get(each.uid) for each in awaited(observation)}
        return replace(observation, whole=whole)

    def reconcile(self, name: str) -> Decision:
        """Do one pass; raise `Killed` where it dies in it."""
        if ("PipelineRun", name) not in self.seen:
            return Decision()
        observation = self.observation(name)
        decision = decide(observation, self.cluster.now)
        for write in decision.writes:
            refusal = self._carry_out(write)
            if refusal is not None:
                again = decide(self.observation(name, refusal), self.cluster.now)
                decision = Decision((), again.status, again.events, again.look_again)
                break
        if decision.status is not None:
            self._write_status(("PipelineRun", name), observation.run, decision.status)
        self.events += decision.events
        return decision

    def serve(self) -> Decision:
        """Do one pass of the Pipeline."""
        pipeline = self.seen.get(("Pipeline", "churn"))
        if pipeline is None:
            return Decision()
        observation = self.pipeline_observation(pipeline)
        decision = decide_pipeline(observation, self.cluster.now)
        for write in decision.writes:
            refusal = self._carry_out(write)
            if refusal is not None:
                again = decide_pipeline(replace(observation, refused=refusal), self.cluster.now)
                decision = Decision((), again.status, again.events, again.look_again)
                break
        if decision.status is not None:
            self._write_status(("Pipeline", "churn"), pipeline, decision.status)
        return decision

    def pipeline_observation(self, pipeline: Object) -> PipelineObservation:
        return PipelineObservation(
            pipeline=pipeline,
            settings=self.settings,
            runs=Runs(self._of("PipelineRun")),
            models=Models(self._of("Model")),
            deployments=self._of("Deployment"),
            pods=tuple(each for each in self._of("Pod") if REVISION in each["metadata"]["labels"]),
            service=self.seen.get(("Service", "churn")),
        )

    def rest(self, name: str, most: int = 20) -> Decision:
        """Do passes until one comes to nothing; fail where that does not come."""
        for _ in range(most):
            self.looks()
            decision, serving = self.reconcile(name), self.serve()
            if not any((decision.writes, decision.status, serving.writes, serving.status)):
                return decision
        raise AssertionError(f"{most} passes, and no rest: {decision}")

    def _carry_out(self, write: Write) -> Refusal | None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed
        self.writes += 1
        match write:
            case Create(made) | Apply(made):
                return self._make(copy.deepcopy(dict(made)), over=isinstance(write, Apply))
            case Patch():
                self._patch(write)
            case Delete(kind=kind, name=name, uid=uid):
                there = self.cluster.objects.get((kind, name))
                if there is not None and there["metadata"]["uid"] == uid:
                    self.cluster.remove((kind, name))
                self.looks((kind, name))
        return None

    def _make(self, made: Object, *, over: bool) -> Refusal | None:
        key = (made["kind"], made["metadata"]["name"])
        if made["kind"] == self.forbidden:
            return Refusal(*key, 403, "QuotaExceeded", "exceeded quota: pods, used: 3, limited: 3")
        if made["kind"] == "Service":
            self.check_turn(made)
        there = self.cluster.objects.get(key)
        if there is not None and not _ours(there, made):
            return Refusal(*key, 409, "NameConflict", "already exists")
        if there is None:
            self.check_child(made)
            self.cluster.put(made)
        elif over and any(there.get(field) != made.get(field) for field in ("data", "binaryData", "spec")):
            self.cluster.put({**there, **{name: value for name, value in made.items() if name != "metadata"}})
        self.looks(key)
        return None

    def _patch(self, patch: Patch) -> None:
        key = (patch.kind, patch.name)
        there = self.cluster.objects.get(key)
        if there is None or there["metadata"]["uid"] != patch.uid:
            return
        if patch.resource_version in (None, there["metadata"]["resourceVersion"]):
            self.cluster.put(_merged(there, dict(patch.content)))
            self.looks(key)
        else:
            self.looks(key)
            raise Killed  # a conflict ends the pass; the next one begins with what is there now

    def _write_status(self, key: Key, observed: ApiObject, status: msgspec.Struct) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed
        there = self.cluster.objects.get(key)
        if there is None or there["metadata"]["resourceVersion"] != observed["metadata"]["resourceVersion"]:
            self.looks(key)
            return
        content = status_to_write(observed, status)
        if content is None:
            return
        assert len(msgspec.json.encode(content)) <= MOST_STATUS
        self.writes += 1
        self.cluster.put({**there, "status": content})
        self.looks(key)

    def check_child(self, made: Object) -> None:
        """Hold what must hold of each object that is made."""
        labels = made["metadata"]["labels"]
        if made["kind"] == "Model":
            assert "ownerReferences" not in made["metadata"]
            return
        (owner,) = made["metadata"]["ownerReferences"]
        if owner["kind"] == "CustomResourceDefinition":
            assert RUN_UID not in labels, "a record of files would be taken for a child of its run"
            return
        assert owner["controller"]
        if owner["kind"] == "Pipeline":
            assert owner["uid"] == self.cluster.objects["Pipeline", "churn"]["metadata"]["uid"]
            return
        assert owner["uid"] == labels[RUN_UID]
        if made["kind"] == "Job":
            part = labels[STEP]
            assert self.cluster.live_jobs(labels[RUN_UID], part) == [], "a second Job of a part while one is live"
            results = self.results(labels[RUN_UID])
            assert part not in results, "a Job of a part whose result is recorded"
            volumes = made["spec"]["template"]["spec"]["volumes"]
            name = next(each["configMap"]["name"] for each in volumes if each["name"] == "specification")
            assert ("ConfigMap", name) in self.cluster.objects, "a Job without its specification"

    def check_turn(self, service: Object) -> None:
        """Hold that a Service turns only to servers that were seen ready as they are to be now."""
        now = self.cluster.objects.get(("Service", service["metadata"]["name"]))
        if now is not None and now["spec"]["selector"] == service["spec"]["selector"]:
            return
        revision = service["spec"]["selector"][REVISION]
        (selected,) = (each for each in self._of("Deployment") if each["metadata"]["labels"][REVISION] == revision)
        assert selected["status"]["observedGeneration"] == selected["metadata"]["generation"]
        assert selected["status"]["availableReplicas"] >= selected["spec"]["replicas"] > 0
        assert revision in self.cluster.once_ready

    def results(self, uid: str) -> set[str]:
        """Return the parts whose results are recorded."""
        for each in self.cluster.of("ConfigMap"):
            labels = each["metadata"]["labels"]
            if labels.get(RUN_UID) == uid and STEP not in labels:
                return {name.removesuffix(".json") for name in each.get("data") or {}}
        return set()

    def _of(self, kind: str) -> tuple[Object, ...]:
        return tuple(copy.deepcopy(each) for (its, _), each in sorted(self.seen.items()) if its == kind)

    def _own(self, kind: str, uid: str) -> tuple[Object, ...]:
        return tuple(each for each in self._of(kind) if each["metadata"].get("labels", {}).get(RUN_UID) == uid)


def _ours(there: Object, made: Object) -> bool:
    owners = made["metadata"].get("ownerReferences")
    if not owners:
        return bool(there["metadata"]["labels"].get(RUN_UID) == made["metadata"]["labels"].get(RUN_UID))
    if RECORD in made["metadata"]["labels"]:
        return bool(there["metadata"]["labels"].get(RECORD) == made["metadata"]["labels"][RECORD])
    return any(each["uid"] == owners[0]["uid"] for each in there["metadata"].get("ownerReferences") or ())


def _merged(there: Any, content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    there = there if isinstance(there, dict) else {}
    merged = {**there, **{name: _merged(there.get(name), value) for name, value in content.items()}}
    return {name: value for name, value in merged.items() if value is not None}


def settled(cluster: Cluster, operator: Operator, *names: str) -> Object:
    """Let everything go well from here on, until these runs (churn-1, if none is named) have ended; return the last."""
    operator.lives = 10**9
    operator.forbidden = None
    names = names or ("churn-1",)
    for _ in range(80):
        for name in names:
            operator.rest(name)
        runs = [cluster.objects["PipelineRun", name] for name in names]
        if all((run.get("status") or {}).get("completionTime") for run in runs):
            return runs[-1]
        advance(cluster)
    raise AssertionError(f"They do not end: {[run.get('status') for run in runs]}")


def advance(cluster: Cluster) -> None:
    """Let Kubernetes, and whoever serves, do all that they have to do, well."""
    cluster.passes(2)
    for job in cluster.of("Job"):
        cluster.admit(job)
    for job in cluster.of("Job"):
        cluster.control(job)
    for pod in list(cluster.live_pods()):
        if pod["metadata"].get("deletionTimestamp") is not None:
            cluster.remove(("Pod", pod["metadata"]["name"]))
        else:
            cluster.finish(pod)
    for each in cluster.of("Deployment"):
        cluster.roll_out(each)

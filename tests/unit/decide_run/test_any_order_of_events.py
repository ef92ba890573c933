"""Whatever happens, in whatever order, seen late or not at all, with the operator dying in between: a run comes to its
end, does nothing twice, and leaves nothing running.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from manifest_changes import named
from penstock.api.decoding import decode
from penstock.api.run import PipelineRun
from penstock.api.schema import JOBS
from penstock.decide.objects.children import PIPELINE, REVISION, RUN_UID, STEP
from penstock.decide.objects.folders import SPECIFICATION
from penstock.decide.run_identity import identity_of
from penstock.decide.settings import Settings
from penstock_jobs.contract.specification import TrainingJob
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.claims import check_claims
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, OperatorKilled, advance, settle

RUNS = {
    "churn-1": examples.RUN_UID,
    "churn-2": "1e9d7c1a-0000-4000-8000-000000000002",
    "churn-3": "1e9d7c1a-0000-4000-8000-000000000003",  # it repeats the first
}
NAMES = st.sampled_from(sorted(RUNS))
ANY = st.integers(0, 10**6)  # which of the things that are there
CODES = st.sampled_from([1, 2, 75, 124, 137, 143])
OF_NEWER_VERSION = {"fieldOfNewerVersion": {"deep": [1]}}
NEWER_CONDITION = {
    "type": "Blessed",
    "status": "True",
    "reason": "Newer",
    "message": "Well.",
    "lastTransitionTime": "2026-03-01T12:00:00Z",
}


class AnyOrder(RuleBasedStateMachine):
    notifications: list[Object] | None = None

    @initialize(
        workers=st.sampled_from([1, 2]),
        source=st.booleans(),
        long_messages=st.booleans(),
        queue=st.sampled_from([None, "team"]),
        timeout=st.sampled_from([None, None, "2h"]),
        memory=st.booleans(),
    )
    def applied(
        self, workers: int, source: bool, long_messages: bool, queue: str | None, timeout: str | None, memory: bool
    ) -> None:
        git = {"git": {"url": "https://git.example/team/churn"}} if source else None
        self.pipeline = examples.pipeline(workers=workers, source=git, notifications=self.notifications)
        if queue is not None:
            named(self.pipeline["spec"]["jobs"], "training")["queueName"] = queue
        if memory:
            more = {"limit": 3, "memory": {"factor": "2", "limit": "7Gi"}}
            room = {"limits": {"memory": "2Gi"}}
            named(self.pipeline["spec"]["jobs"], "training").update(retries=more, resources=room)
        self.cluster = ModelCluster()
        self.cluster.long_messages = long_messages
        self.operator = ModelOperator(self.cluster)
        self.ended: dict[str, Any] = {}
        self.cluster.put(self.pipeline)
        self.cluster.put(examples.run(**({} if timeout is None else {"timeout": timeout})))
        self.overridden: int | None = None
        self.newer: set[str] = set()  # uids of what a newer version wrote to

    # --- what people do -------------------------------------------------------------------------------------------

    @rule()
    def the_pipeline_is_applied(self) -> None:
        if ("Pipeline", "churn") not in self.cluster.objects:
            self.cluster.put(self.pipeline)

    @rule()
    def the_pipeline_is_edited(self) -> None:
        there = self.cluster.objects.get(("Pipeline", "churn"))
        if there is not None:
            generation = there["metadata"]["generation"] + 1
            spec = {**there["spec"], "training": {**there["spec"]["training"], "keep": 1 + generation % 3}}
            self.cluster.put({**there, "spec": spec, "metadata": {**there["metadata"], "generation": generation}})

    @rule()
    def the_pipeline_is_deleted(self) -> None:
        self.cluster.objects.pop(("Pipeline", "churn"), None)
        self.pipeline = {**self.pipeline, "metadata": {**self.pipeline["metadata"], "uid": self.cluster.new_uid()}}

    @rule(keep=st.sampled_from([None, 0, 4, 5]))
    def another_run_is_applied(self, keep: int | None) -> None:
        if ("PipelineRun", "churn-2") not in self.cluster.objects:
            overrides = {} if keep is None else {"overrides": [{"path": "training.keep", "value": keep}]}
            made = examples.run("churn-2", RUNS["churn-2"], self.cluster.time, executionName="churn-1", **overrides)
            self.cluster.put(made)
            self.overridden = keep

    @rule(first=st.sampled_from([None, *JOBS]), mode=st.sampled_from(["Snapshot", "Debug"]))
    def a_run_that_repeats_the_first_is_applied(self, first: str | None, mode: str) -> None:
        if ("PipelineRun", "churn-3") not in self.cluster.objects:
            asked = {"name": "churn-1"} if first is None else {"name": "churn-1", "from": first}
            self.cluster.put(examples.run("churn-3", RUNS["churn-3"], self.cluster.time, rerunOf=asked, mode=mode))

    @precondition(lambda self: self._snapshot_of("churn-2"))
    @rule()
    def overrides_are_edited_after_they_were_taken(self) -> None:
        self._edit("churn-2", overrides=[{"path": "training.keep", "value": 17}])

    @rule(name=NAMES, suspend=st.booleans())
    def a_run_is_suspended_or_resumed(self, name: str, suspend: bool) -> None:
        self._edit(name, suspend=suspend)

    @precondition(lambda self: self.cluster.now > examples.BEGINNING)
    @rule(name=NAMES)
    def a_run_is_cancelled(self, name: str) -> None:
        self._edit(name, cancel=True)

    @rule(which=ANY)
    def a_job_is_deleted(self, which: int) -> None:
        if found := self._one(self.cluster.of("Job"), which):
            self.cluster.remove(("Job", found["metadata"]["name"]))

    @rule()
    def a_cleaner_deletes_the_jobs_that_are_over(self) -> None:
        for job in self._cleaned():
            if self.cluster.is_over(job):
                self.cluster.remove(("Job", job["metadata"]["name"]))

    def _cleaned(self) -> list[Object]:
        """Return the Jobs that a cleaner may delete."""
        return self.cluster.of("Job")

    @rule(which=ANY)
    def a_pod_that_has_not_begun_is_deleted(self, which: int) -> None:
        if pod := self._one([each for each in self._live() if each["status"]["phase"] == "Pending"], which):
            self.cluster.delete_pending(pod)

    @rule(which=ANY, kind=st.sampled_from(["Job", "ConfigMap", "ControllerRevision", "Service", "Deployment"]))
    def a_label_is_taken_off_a_child(self, which: int, kind: str) -> None:
        found = [each for each in self.cluster.of(kind) if PIPELINE in each["metadata"]["labels"]]
        if chosen := self._one(found, which):
            labels = {name: value for name, value in chosen["metadata"]["labels"].items() if name != PIPELINE}
            self.cluster.put({**chosen, "metadata": {**chosen["metadata"], "labels": labels}})

    @rule(name=NAMES)
    def what_is_said_of_tries_is_lost(self, name: str) -> None:
        there = self.cluster.objects.get(("PipelineRun", name))
        if there is not None and not (status := there.get("status") or {}).get("completionTime"):
            steps = [{field: each[field] for field in each if field != "tries"} for each in status.get("steps", ())]
            self.cluster.put({**there, "status": {**status, "steps": steps}})

    @rule(which=ANY)
    def a_specification_is_deleted(self, which: int) -> None:
        found = [each for each in self.cluster.of("ConfigMap") if STEP in each["metadata"]["labels"]]
        if chosen := self._one(found, which):
            self.cluster.remove(("ConfigMap", chosen["metadata"]["name"]))

    @rule(which=ANY)
    def a_child_of_serving_is_deleted(self, which: int) -> None:
        if chosen := self._one(self._children_of_serving(), which):
            self.cluster.remove((chosen["kind"], chosen["metadata"]["name"]))

    @rule(which=ANY, field=st.sampled_from(["replicas", "template", "ports"]))
    def a_child_of_serving_is_edited(self, which: int, field: str) -> None:
        edits: dict[str, Any] = {"replicas": 0, "template": {"spec": {}}, "ports": []}
        found = [each for each in self._children_of_serving() if field in each.get("spec", {})]
        if chosen := self._one(found, which):
            self.cluster.put({**chosen, "spec": {**chosen["spec"], field: edits[field]}})

    @rule(which=ANY, comes_back=st.booleans())
    def a_node_is_lost(self, which: int, comes_back: bool) -> None:
        if pod := self._one([each for each in self._live() if each["status"]["phase"] == "Running"], which):
            gone = {**pod["metadata"], "deletionTimestamp": self.cluster.time}
            self.cluster.put({**pod, "metadata": gone, "spec": {"nodeName": "worker-1"}})
            self.cluster.advance_clock(300)
            if comes_back and any(pod["metadata"]["name"] == each["metadata"]["name"] for each in self._unfinished()):
                self.cluster.finish(self.cluster.objects["Pod", pod["metadata"]["name"]])

    @rule()
    def the_status_of_the_pipeline_is_lost(self) -> None:
        there = self.cluster.objects.get(("Pipeline", "churn"))
        if there is not None:
            self.cluster.put({name: value for name, value in there.items() if name != "status"})
            self.newer.discard(there["metadata"]["uid"])

    @rule(which=ANY)
    def a_newer_version_writes_to_an_object(self, which: int) -> None:
        found = [each for kind in ("Pipeline", "PipelineRun") for each in self.cluster.of(kind)]
        live = [each for each in found if not (each.get("status") or {}).get("completionTime")]
        if chosen := self._one(live, which):
            spec, status = ({**(chosen.get(part) or {}), **OF_NEWER_VERSION} for part in ("spec", "status"))
            conditions = [each for each in status.get("conditions", ()) if each["type"] != NEWER_CONDITION["type"]]
            self.cluster.put(
                {**chosen, "spec": spec, "status": {**status, "conditions": [*conditions, NEWER_CONDITION]}}
            )
            self.newer.add(chosen["metadata"]["uid"])

    @rule(image=st.sampled_from(["penstock/serving", "penstock/serving:0.2.0"]))
    def the_operator_is_upgraded_or_rolled_back(self, image: str) -> None:
        self.operator = self.operator.restart(msgspec.convert({"images": {"serving": image}}, Settings))

    @rule(forbidden=st.sampled_from([None, "Job", "ConfigMap", "ControllerRevision", "Model"]))
    def a_quota_is_set_or_lifted(self, forbidden: str | None) -> None:
        self.operator.forbidden = forbidden

    # --- what Kubernetes does -------------------------------------------------------------------------------------

    @rule()
    def the_job_controller_works(self) -> None:
        for job in self.cluster.of("Job"):
            self.cluster.control(job)

    @rule(which=ANY)
    def a_pod_finds_no_node(self, which: int) -> None:
        if pod := self._one([each for each in self._live() if each["status"]["phase"] == "Pending"], which):
            self.cluster.unschedulable(pod)

    @rule(which=ANY)
    def a_container_begins(self, which: int) -> None:
        if pod := self._one(self._unfinished(), which):
            self.cluster.begin(pod)

    @rule(which=ANY, sidecar=st.booleans())
    def a_job_is_done(self, which: int, sidecar: bool) -> None:
        if pod := self._one(self._unfinished(), which):
            self.cluster.finish(pod, sidecar=sidecar)

    @rule(which=ANY, code=CODES, said=st.sampled_from(["", "{", "Traceback…"]), sidecar=st.booleans())
    def a_container_fails(self, which: int, code: int, said: str, sidecar: bool) -> None:
        if pod := self._one(self._unfinished(), which):
            self.cluster.end(pod, code, said, sidecar=sidecar)

    @rule(which=ANY)
    def a_container_is_killed_for_its_memory(self, which: int) -> None:
        if pod := self._one(self._unfinished(), which):
            self.cluster.end(pod, 137, reason="OOMKilled")

    @rule(which=ANY, said=st.sampled_from(["", "{}", "done"]))
    def a_container_ends_well_without_a_result(self, which: int, said: str) -> None:
        if pod := self._one(self._unfinished(), which):
            self.cluster.end(pod, 0, said)

    @rule(which=ANY)
    def a_queue_lets_a_job_go(self, which: int) -> None:
        if job := self._one(self.cluster.of("Job"), which):
            self.cluster.admit(job)

    @rule(which=ANY)
    def a_job_hangs_until_its_ceiling(self, which: int) -> None:
        if job := self._one(self.cluster.of("Job"), which):
            self.cluster.expire(job)

    @rule(which=ANY)
    def a_pod_is_preempted(self, which: int) -> None:
        if pod := self._one(self._live(), which):
            self.cluster.disrupt(pod)

    @rule(which=ANY)
    def a_pod_vanishes_with_its_message(self, which: int) -> None:
        if pod := self._one(self.cluster.of("Pod"), which):
            self.cluster.vanish(pod)

    @rule()
    def deleted_pods_end(self) -> None:
        for pod in self._live():
            if pod["metadata"].get("deletionTimestamp"):
                self.cluster.remove(("Pod", pod["metadata"]["name"]))

    @rule()
    def logs_are_lost(self) -> None:
        self.cluster.logs.clear()

    @rule(seconds=st.sampled_from([1, 6, 60, 4000, 90000]))
    def time_passes(self, seconds: int) -> None:
        self.cluster.advance_clock(seconds)

    @rule(which=ANY, well=st.booleans())
    def servers_come_up_or_do_not(self, which: int, well: bool) -> None:
        if deployment := self._one(self.cluster.of("Deployment"), which):
            self.cluster.roll_out(deployment, well=well)

    # --- what the operator does -----------------------------------------------------------------------------------

    @rule()
    def all_is_seen(self) -> None:
        self.operator.looks()

    @rule(which=ANY)
    def one_thing_is_seen(self, which: int) -> None:
        keys = sorted({*self.cluster.objects, *self.operator.seen})
        if keys:
            self.operator.looks(keys[which % len(keys)])

    @rule(which=ANY)
    def something_older_is_seen_late_or_once_more(self, which: int) -> None:
        self.operator.hears_late(which)

    @rule(lost=st.integers(0, 2))
    def the_answers_to_the_next_writes_are_lost(self, lost: int) -> None:
        self.operator.lost = lost

    @rule(name=NAMES, lives=st.none() | st.integers(0, 6))
    def the_operator_works(self, name: str, lives: int | None) -> None:
        self.operator.lives = 10**9 if lives is None else lives
        try:
            self.operator.reconcile(name)
        except OperatorKilled:
            self.operator = self.operator.restart()

    @rule(lives=st.none() | st.integers(0, 4))
    def the_operator_serves(self, lives: int | None) -> None:
        self.operator.lives = 10**9 if lives is None else lives
        try:
            self.operator.serve()
        except OperatorKilled:
            self.operator = self.operator.restart()

    @rule(name=NAMES)
    def the_operator_comes_to_rest(self, name: str) -> None:
        self.operator.lives = 10**9
        if ("PipelineRun", name) in self.cluster.objects:
            self.operator.rest(name)
            check_claims(self.cluster, ("PipelineRun", name), ("Pipeline", "churn"))
            self.the_job_controller_works()

    @rule(name=NAMES)
    def a_while_goes_by_in_which_all_goes_well(self, name: str) -> None:
        self.the_operator_comes_to_rest(name)
        advance(self.cluster)

    # --- what always holds ----------------------------------------------------------------------------------------

    @invariant()
    def no_part_has_two_live_jobs(self) -> None:
        if hasattr(self, "cluster"):
            live = [
                (job["metadata"]["labels"][RUN_UID], job["metadata"]["labels"][STEP])
                for job in self.cluster.of("Job")
                if not self.cluster.is_over(job) and STEP in job["metadata"]["labels"]
            ]
            assert len(live) == len(set(live))

    @invariant()
    def what_has_ended_stays_as_it_ended(self) -> None:
        for run in self.cluster.of("PipelineRun") if hasattr(self, "cluster") else ():
            # Who is told of its end is told after it.
            status = {name: value for name, value in (run.get("status") or {}).items() if name != "notifications"}
            name = run["metadata"]["name"]
            if name in self.ended:
                assert status == self.ended[name]
            elif status.get("completionTime"):
                self.ended[name] = status
                # Beside a sidecar a pod has a minute to end by itself.
                live = self.cluster.live_jobs(run["metadata"]["uid"])
                assert [job for job in live if not self.cluster.has_done_its_work(job)] == []

    @invariant()
    def what_a_newer_version_wrote_stays(self) -> None:
        for each in self.cluster.objects.values() if hasattr(self, "cluster") else ():
            if each["metadata"]["uid"] in self.newer:
                assert each["spec"]["fieldOfNewerVersion"] == each["status"]["fieldOfNewerVersion"]
                assert NEWER_CONDITION in each["status"]["conditions"]

    @invariant()
    def a_service_selects_servers_that_have_been_ready(self) -> None:
        for service in self.cluster.of("Service") if hasattr(self, "cluster") else ():
            assert service["spec"]["selector"][REVISION] in self.cluster.once_ready

    @invariant()
    def a_run_trains_as_its_overrides_said_when_they_were_taken(self) -> None:
        for made in self.cluster.of("ConfigMap") if hasattr(self, "cluster") else ():
            labels = made["metadata"]["labels"]
            of_it = labels.get(RUN_UID) == RUNS["churn-2"] and labels.get(STEP) == "training"
            if of_it and self.overridden is not None:
                asked = msgspec.json.decode(made["data"][SPECIFICATION], type=TrainingJob)
                assert asked.keep == self.overridden != 0

    def teardown(self) -> None:
        if not hasattr(self, "cluster"):
            return
        self.the_pipeline_is_applied()
        for name in RUNS:
            self._edit(name, suspend=False)
        settle(self.cluster, self.operator, *(name for name in RUNS if ("PipelineRun", name) in self.cluster.objects))
        self.what_has_ended_stays_as_it_ended()
        for name in self.ended:
            self.operator.rest(name)
            check_claims(self.cluster, ("PipelineRun", name), ("Pipeline", "churn"))
        self._hold_that_nothing_is_written_at_rest()
        computed = self.cluster.computed
        assert len(computed) == len(set(computed))
        self.cluster.advance_clock(61)  # beside a sidecar a pod has a minute to end by itself
        for name in self.ended:
            self.operator.rest(name)
        runs = {run["metadata"]["uid"] for run in self.cluster.of("PipelineRun")}
        assert not runs & self._live_uids()
        self._hold_that_serving_is_as_it_is_told()
        made = {model["metadata"]["name"] for model in self.cluster.of("Model")}
        for run in self.cluster.of("PipelineRun"):
            if any(each["reason"] == "BegunBefore" for each in run["status"]["conditions"]):
                continue  # it tells what it came to then; no Model is made of that, which may have been deleted since
            for step in run["status"].get("steps", ()):
                assert set((step.get("training") or {}).get("models", ())) <= made

    def _hold_that_nothing_is_written_at_rest(self) -> None:
        before = self.operator.writes
        for name in self.ended:
            self.operator.rest(name)
        assert self.operator.writes == before

    def _hold_that_serving_is_as_it_is_told(self) -> None:
        """What a Pipeline serves when all has come to rest is served: all of it is there, and was made as it is."""
        self.cluster.advance_clock(4000)  # servers that were given up are tried again by then
        name = next(iter(sorted(self.cluster.of("PipelineRun"), key=str)), None)
        for _ in range(5):
            if name is not None:
                self.operator.rest(name["metadata"]["name"])
            advance(self.cluster)
        served = self.cluster.objects["Pipeline", "churn"]["status"].get("servedModel")
        if served is None:
            return
        revision = self.cluster.objects["Service", "churn"]["spec"]["selector"][REVISION]
        assert self.cluster.objects["Service", "churn"]["spec"]["ports"]
        kinds = [each["kind"] for each in self._children_of_serving() if _revision(each) == revision]
        assert kinds == ["Deployment", "ConfigMap"]
        (deployment,) = (each for each in self.cluster.of("Deployment") if _revision(each) == revision)
        assert deployment["spec"]["replicas"] == 1
        assert deployment["spec"]["template"]["spec"]["containers"]

    def _children_of_serving(self) -> list[Object]:
        kinds = ("Deployment", "Service", "ConfigMap")
        return [
            each
            for kind in kinds
            for each in self.cluster.of(kind)
            if kind == "Service" or REVISION in each["metadata"]["labels"]
        ]

    def _snapshot_of(self, name: str) -> bool:
        revisions = self.cluster.of("ControllerRevision") if hasattr(self, "cluster") else ()
        return any(each["metadata"]["labels"].get(RUN_UID) == RUNS[name] for each in revisions)

    def _live_uids(self) -> set[str]:
        pods = [pod for pod in self._live() if not pod["metadata"].get("deletionTimestamp")]
        return {pod["metadata"]["labels"].get(RUN_UID) for pod in pods}

    def _live(self) -> list[Object]:
        return list(self.cluster.live_pods())

    def _edit(self, name: str, **spec: Any) -> None:
        there = self.cluster.objects.get(("PipelineRun", name))
        if there is not None:
            self.cluster.put({**there, "spec": {**there["spec"], **spec}})

    def _unfinished(self) -> list[Object]:
        return self.cluster.unfinished_pods()

    @staticmethod
    def _one(found: list[Object], which: int) -> Object | None:
        return found[which % len(found)] if found else None


def _revision(child: Object) -> str | None:
    return child["metadata"]["labels"].get(REVISION)


class AnyOrderAndARestore(AnyOrder):
    """And at some moment all comes back, without a status, into an empty cluster beside the same storage."""

    @initialize()
    def nothing_is_restored_yet(self) -> None:
        self.begun: set[str] = set()  # uids of objects whose run had begun before they came back

    @rule()
    def all_comes_back_into_an_empty_cluster(self) -> None:
        self.cluster = self.cluster.restored()
        self.operator = ModelOperator(self.cluster)
        self.ended = {}
        self.begun |= {
            run["metadata"]["uid"]
            for run in self.cluster.of("PipelineRun")
            if isinstance(seen := decode(run, PipelineRun), PipelineRun) and identity_of(seen) in self.cluster.begun
        }

    @invariant()
    def nothing_of_a_run_that_had_begun_is_done_again(self) -> None:
        if hasattr(self, "cluster"):
            assert not self.begun & {uid for uid, _, _ in self.cluster.computed}


class ManyMoreOrders(AnyOrder):
    """The same for many minutes."""


FEW = settings(max_examples=50, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = FEW
TestAnyOrderAndARestore = AnyOrderAndARestore.TestCase
TestAnyOrderAndARestore.settings = settings(FEW, max_examples=15)
TestManyMoreOrders = pytest.mark.soak(pytest.mark.timeout(3600)(ManyMoreOrders.TestCase))
TestManyMoreOrders.settings = settings(FEW, max_examples=3000)

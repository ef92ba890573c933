"""The same run on a laptop and on a cluster: the laptop's own machine and loop, and the model of a cluster.

What a job does is written down: a stand-in for its program ends so on the laptop, and the model's kubelet on the
cluster.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec

from penstock.decide.objects.children import STEP
from penstock.local.execution import Work
from penstock.local.home import Home
from penstock.local.job_controller import JobController
from penstock.local.kubelet import Kubelet
from penstock.local.mapping import LocalMapping
from penstock.local.objects import Objects
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.reconcile import Reconciler
from penstock.local.site import Laptop
from penstock_jobs.contract.result import Failure, JobResult
from penstock_jobs.contract.termination_message import TerminationMessage
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator

STAND_IN = Path(__file__).with_name("stand_in.py")
RUN = "churn-1"


@dataclass(frozen=True)
class End:
    """How a try of a job ends; one that hangs does not, until somebody ends it."""

    code: int = 0
    message: str = ""
    reason: str = ""
    hangs: bool = False


def failing(reason: str, sentence: str, code: int = 2) -> End:
    """Return the end of a job that says itself why."""
    return End(code, _text(Failure(reason=reason, message=sentence)))


def telling(result: JobResult) -> End:
    """Return the end of a job that came to this."""
    return End(0, msgspec.json.encode(examples.whole_message(result)).decode())


class World(Protocol):
    """Where the run is; what a person, or time, does there while its jobs are at work."""

    def change_run(self, **spec: Any) -> None: ...

    def delete_pipeline(self) -> None: ...

    def advance_clock(self, seconds: float) -> None: ...

    def expire(self) -> None: ...


@dataclass(frozen=True)
class Case:
    """A run, how the tries of its parts end, and what is done once a part is at work, or has just ended."""

    ends: Mapping[str, Sequence[End]] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    pipeline: Mapping[str, Any] = field(default_factory=dict)
    during: tuple[str, Callable[[World], None]] | None = None
    after: tuple[str, Callable[[World], None]] | None = None


class ClusterWorld:
    """The model of a cluster, with a model of the operator."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.cluster = ModelCluster()
        self.cluster.put(examples.pipeline(**case.pipeline))
        self.cluster.put(examples.run(**case.run))
        self.operator = ModelOperator(self.cluster)
        self.tries: dict[str, int] = {}
        self.done: set[str] = set()

    def change_run(self, **spec: Any) -> None:
        there = self.cluster.objects["PipelineRun", RUN]
        metadata = {**there["metadata"], "generation": there["metadata"]["generation"] + 1}
        self.cluster.put({**there, "metadata": metadata, "spec": {**there["spec"], **spec}})

    def delete_pipeline(self) -> None:
        self.cluster.remove(("Pipeline", "churn"))

    def advance_clock(self, seconds: float) -> None:
        self.cluster.advance_clock(seconds)

    def expire(self) -> None:
        for job in self.cluster.of("Job"):
            self.cluster.expire(job)

    def to_end(self) -> Object:
        """Return the status of the run when it has ended."""
        for _ in range(40):
            decision = self.operator.rest(RUN)
            status: Object = self.cluster.objects["PipelineRun", RUN].get("status") or {}
            if status.get("completionTime"):
                return status
            for job in self.cluster.of("Job"):
                self.cluster.control(job)
            pods = list(self.cluster.live_pods())
            for pod in pods:
                self._go_on(pod)
            for each in self.cluster.of("Deployment"):
                self.cluster.roll_out(each)
            for job in self.cluster.of("Job"):
                self.cluster.control(job)
            self.cluster.advance_clock(2.0 if pods else max(2.0, decision.requeue_after or 0.0))
        raise AssertionError(status)

    def _go_on(self, pod: Object) -> None:
        part = pod["metadata"]["labels"][STEP]
        if pod["metadata"].get("deletionTimestamp"):
            self.cluster.remove(("Pod", pod["metadata"]["name"]))
            return
        ends, number = self.case.ends.get(part, ()), self.tries.get(part, 0)
        end = ends[number] if number < len(ends) else None
        if pod["status"]["phase"] == "Pending":
            self.cluster.begin(pod)
            self._do(self.case.during, part)
            return  # it is seen to run before it ends
        if end is not None and end.hangs:
            return
        self.tries[part] = number + 1
        if end is None:
            self.cluster.finish(pod)
        else:
            self.cluster.end(pod, end.code, end.message, end.reason or None)
        self._do(self.case.after, part)

    def _do(self, what: tuple[str, Callable[[World], None]] | None, part: str) -> None:
        if what is not None and what[0] == part and part not in self.done:
            self.done.add(part)
            what[1](self)


class LaptopWorld:
    """The machine of a laptop, in a folder, with a stand-in for the program of its jobs."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.folder = folder
        self.moment = examples.BEGINNING
        self.done: set[str] = set()
        pipeline = examples.pipeline(**{"storage": None, **case.pipeline})
        ends = {part: [asdict(end) for end in found] for part, found in case.ends.items()}
        (folder / "ends.json").write_text(json.dumps(ends))
        (folder / "well.json").write_text(json.dumps(_ending_well()))
        home = Home(folder / "home")
        self.objects = Objects(home, clock=self.now)
        self.objects.create(pipeline)
        self.objects.create(examples.run(**case.run))
        self.work = self.command()

    @property
    def kubelet(self) -> Kubelet:
        return self.work.jobs.kubelet

    def command(self, run: str = RUN) -> Work:
        """Return what another command has that works on the run, and knows nothing of processes before it."""
        found = self.objects.find("PipelineRun", run)
        assert found is not None
        home, uid = self.objects.home, found["metadata"]["uid"]
        own, mapped = self.objects.of_run(uid), LocalMapping(home.mapping)
        kubelet = Kubelet(
            own,
            home.run(uid),
            mapped,
            lambda _part, _line: None,
            program=(sys.executable, "-I", str(STAND_IN), str(self.folder)),
            kills=lambda: (self.folder / "kills").exists(),
        )
        observer = Observer(self.objects, Laptop(LaptopPlaces(home, mapped, self.folder)))
        return Work(Reconciler(observer), JobController(own, kubelet), run)

    def now(self) -> datetime:
        return self.moment

    def change_run(self, **spec: Any) -> None:
        def changed(there: Object) -> Object:
            return {**there, "spec": {**there["spec"], **spec}}

        self.objects.change("PipelineRun", RUN, changed)

    def delete_pipeline(self) -> None:
        self.objects.remove("Pipeline", "churn")

    def advance_clock(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def expire(self) -> None:
        self.advance_clock(10**6)

    def to_end(self) -> Object:
        """Return the status of the run when it has ended."""
        try:
            for _ in range(60):
                while self.work.turn():
                    pass
                run = self.objects.find("PipelineRun", RUN)
                assert run is not None
                status: Object = run.get("status") or {}
                if status.get("completionTime"):
                    return status
                self._go_on()
            raise AssertionError(status)
        finally:
            self.kubelet.close()

    def _go_on(self) -> None:
        parts = {each.part for each in self.kubelet.containers}
        if self.case.during is not None and self._do(self.case.during, parts):
            return
        if not parts:
            self.advance_clock(self.work.last.requeue_after or 0.0)
            return
        self.kubelet.wait(20.0)
        self.advance_clock(4.0)
        if self.case.after is not None:
            self._do(self.case.after, {each.part for each in self.kubelet.containers if each.process.ended})

    def _do(self, what: tuple[str, Callable[[World], None]], parts: set[str]) -> bool:
        part, act = what
        if part not in parts or part in self.done:
            return False
        self.done.add(part)
        act(self)
        return True


def _ending_well() -> dict[str, str]:
    trained = examples.training_result()
    results: dict[str, JobResult] = {
        "dataset": examples.dataset_result(),
        "training": trained,
        "testing": examples.outcome_of_testing(tuple(model.name for model in trained.models)),
    }
    return {part: msgspec.json.encode(examples.whole_message(result)).decode() for part, result in results.items()}


def _text(result: JobResult) -> str:
    return msgspec.json.encode(TerminationMessage(result=result)).decode()

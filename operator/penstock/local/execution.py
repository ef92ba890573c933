"""A run on this machine, from its first job to its last: decided as on a cluster, carried out with files and processes.

This process works on the run until it has ended, and looks again when a job has ended, or when it is time to. Whatever
another process does meanwhile to the Pipeline, or to a run that this one waits for, is seen within half a second.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun, PipelineRunSpec
from penstock.decide import messages
from penstock.decide.commands.progress import progress_updates
from penstock.decide.conditions import find
from penstock.decide.observed import pods as pod_views
from penstock.decide.run.leaving import interrupted
from penstock.decide.run_state import is_finished, status_of
from penstock.decide.times import read_time
from penstock.local.job_controller import JobController
from penstock.local.kubelet import Kubelet
from penstock.local.locks import hold_lock
from penstock.local.objects import Objects
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.process import GRACE, Stopped
from penstock.local.reading import places_of
from penstock.local.reconcile import Reconciler, Turn
from penstock.local.resources import Resources
from penstock.local.resume import Start, begin, take_up
from penstock.local.site import Laptop
from penstock.local.telling import Teller
from penstock.local.tidying import tidy
from penstock.local.watcher import Watcher
from penstock_jobs.contract import errors
from penstock_jobs.contract.errors import JobError, Refused
from penstock_jobs.storage import open_store

POLL = 0.5  # seconds between two looks while nothing of this run is at work


class JobBug(JobError):
    """A job of the run ended in a way that nobody foresaw."""

    exit_code = errors.BUG


def execute(
    resources: Resources, places: LaptopPlaces, pipeline: Pipeline, spec: PipelineRunSpec, watcher: Watcher
) -> PipelineRun:
    """Run the Pipeline's jobs to their end; return the run as it ended.

    Raises:
        Refused: the run failed, in the words that it says itself; or none was begun.
        JobBug: the same, for a bug in one of its jobs.
        Stopped: a signal came; nothing of the run is running any more, and the same command takes it up again.
    """
    with begin(resources, Observer(resources.objects, Laptop(places)), pipeline, spec) as start:
        return _work_to_end(resources, places, start, watcher)


def carry_on(
    resources: Resources,
    places: LaptopPlaces,
    name: str,
    watcher: Watcher,
    beside: Callable[[], Turn] = Turn,
    grace: float = GRACE,
) -> PipelineRun | None:
    """Work on a run that is there until it has ended; return it, or None where nothing of it is left to this process.

    Args:
        resources: the resources of the home.
        places: where the artifacts of its Pipeline are.
        name: the run.
        watcher: who is told how it goes.
        beside: what is to be made right too while the run is at work.
        grace: how many seconds a job has between being asked to stop and being killed.

    Raises:
        Refused: the run failed, in the words that it says itself.
        JobBug: the same, for a bug in one of its jobs.
        Stopped: a signal came; nothing of the run is running any more.
    """
    with take_up(resources, name) as start:
        return None if start is None else _work_to_end(resources, places, start, watcher, beside, grace)


def _work_to_end(
    resources: Resources,
    places: LaptopPlaces,
    start: Start,
    watcher: Watcher,
    beside: Callable[[], Turn] = Turn,
    grace: float = GRACE,
) -> PipelineRun:
    observer = Observer(resources.objects, Laptop(places))
    with _jobs_lock(resources, start, watcher) as lock:
        teller, run = Teller(watcher), start.run
        home, uid = resources.home, run.metadata.uid or ""
        if start.taken_up:
            watcher.say(f"{_title(run)}: taken up where it was")
        objects = resources.objects.of_run(uid)
        kubelet = Kubelet(
            objects, home.run(uid), places.mapped, teller.line, say=watcher.say, inherited=(lock,), grace=grace
        )
        work = Work(Reconciler(observer), JobController(objects, kubelet), run.metadata.name or "", beside)
        try:
            with closing(kubelet):
                _follow(resources, work, start, teller)
        except Stopped as stopped:
            _interrupt(resources, start, stopped, watcher)
            raise
        ended = resources.get(PipelineRun, run.metadata.name or "")
        _hand_over_logs(resources, places, ended)
        _tidy(observer, places, ended, lock)
        return _require_success(ended, objects)


@dataclass
class Work:
    """A run at work on this machine, a turn at a time; what is `beside` it is looked after in each of them too."""

    reconciler: Reconciler
    jobs: JobController
    name: str
    beside: Callable[[], Turn] = Turn
    last: Turn = field(default_factory=Turn)

    def turn(self) -> bool:
        """Do all that can be done now; return whether anything was."""
        controlled = Turn(self.jobs.control())
        self.last = controlled.and_also(self.reconciler.run(self.name)).and_also(self.beside())
        return self.last.wrote

    def wait(self) -> None:
        """Wait until there may be something to do."""
        moments = [] if self.last.requeue_after is None else [self.last.requeue_after]
        if not self.jobs.kubelet.at_work:
            moments.append(POLL)
        self.jobs.kubelet.wait(min(moments, default=None))


def _tidy(observer: Observer, places: LaptopPlaces, run: PipelineRun, lock: int) -> None:
    """Let go what was beyond the Pipeline's retention when the run ended, by jobs that are of no run."""
    ended = read_time(status_of(run).completion_time or observer.objects.now())
    then = replace(observer, objects=replace(observer.objects, clock=lambda: ended))
    with suppress(JobError):
        tidy(then, places, run.spec.pipeline_ref.name, lambda _part, _line: None, (lock,))


def _follow(resources: Resources, work: Work, start: Start, teller: Teller) -> None:
    """Work on the run until it has ended and nothing of it is left to do, and tell how it goes."""
    before: PipelineRun | None = start.run if start.taken_up else None
    greeted = start.taken_up
    while True:
        while work.turn():
            pass  # what comes and goes at once is not told
        after = resources.get(PipelineRun, work.name)
        if not greeted:
            teller.say(_title(after))
            greeted = True
        for told in progress_updates(before, after):
            teller.tell(told)
        if is_finished(after):
            return
        before = after
        work.wait()


@contextmanager
def _jobs_lock(resources: Resources, start: Start, watcher: Watcher) -> Iterator[int]:
    """Hold the lock that the jobs inherit: it is free only when no process of the run is left from before."""
    path = resources.home.jobs_lock(start.run.metadata.uid or "")
    with hold_lock(path, lambda: watcher.say("Waiting for a job of this run that is still ending.")) as lock:
        yield lock


def _interrupt(resources: Resources, start: Start, stopped: Stopped, watcher: Watcher) -> None:
    said, name = messages.interrupted(signal.Signals(stopped.number).name), start.run.metadata.name or ""
    now = resources.objects.now()
    with suppress(JobError):
        resources.change(PipelineRun, name, lambda run: run if is_finished(run) else interrupted(run, said, now))
    watcher.say(said)


def _hand_over_logs(resources: Resources, places: LaptopPlaces, run: PipelineRun) -> None:
    """Move the logs of a run that has ended into its storage; those that cannot be stay in the home."""
    with suppress(JobError):
        store = open_store(places_of(resources, places, run).run())
        for log in sorted((resources.home.run(run.metadata.uid or "") / "logs").glob("*.log")):
            store.upload(log, f"logs/{log.name}")
            log.unlink()


def _require_success(run: PipelineRun, objects: Objects) -> PipelineRun:
    succeeded = find(status_of(run).conditions, "Succeeded")
    if succeeded is not None and succeeded.status != "True":
        ends = (pod_views.exit_of(pod) for pod in objects.own("Pod"))
        is_bug = any(end is not None and end.code == errors.BUG for end in ends)
        raise (JobBug if is_bug else Refused)(succeeded.message)
    return run


def _title(run: PipelineRun) -> str:
    return f"{run.spec.pipeline_ref.name}, run {status_of(run).execution_name or run.metadata.name}"

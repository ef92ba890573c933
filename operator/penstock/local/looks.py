"""The looks at the files that Triggers of a home wait for: their Jobs are processes of the command that watches.

Of two commands that watch one Trigger the first one looks. Nothing of a look is kept but what it came to.
"""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from penstock.api.pipeline import Pipeline
from penstock.api.trigger import Trigger
from penstock.local.job_controller import JobController
from penstock.local.kubelet import PROGRAM, Kubelet
from penstock.local.locks import try_lock
from penstock.local.places import LaptopPlaces
from penstock.local.process import follow
from penstock.local.resources import Resources

AT_ONCE = 0.001  # seconds: what a process has said by now


@dataclass
class Looks:
    """Carries out the Jobs that look at files.

    Args:
        resources: the resources of the home.
        program: what stands for the image of jobs.
    """

    resources: Resources
    program: Sequence[str] = PROGRAM
    _held: ExitStack = field(default_factory=ExitStack)
    _controllers: dict[str, JobController] = field(default_factory=dict)

    @property
    def are_at_work(self) -> bool:
        """Whether there is a process that looks."""
        return any(each.kubelet.at_work for each in self._controllers.values())

    def control(self, trigger: Trigger) -> bool:
        """Do what is to be done now for the Jobs of a Trigger; return whether anything changed."""
        controller = None if trigger.spec.objects is None else self._controller(trigger)
        return controller is not None and controller.control()

    def wait(self, seconds: float = AT_ONCE) -> None:
        """Take in what the processes say until one of them has ended, or for so long."""
        kubelets = [each.kubelet for each in self._controllers.values()]
        processes = [container.process for each in kubelets for container in each.containers]
        if processes and all(each.ended is None for each in processes):  # one that ended is to be reported first
            follow(processes, seconds)

    def close(self) -> None:
        """End all processes, and let others look."""
        self._held.close()
        self._controllers.clear()

    def _controller(self, trigger: Trigger) -> JobController | None:
        uid, home = trigger.metadata.uid or "", self.resources.home
        if uid not in self._controllers:
            with ExitStack() as mine:
                if mine.enter_context(try_lock(home.lock(f"looks-{uid}"))) is None:
                    return None
                folder = Path(mine.enter_context(tempfile.TemporaryDirectory(prefix="penstock-look-")))
                places = LaptopPlaces.of(home, self.resources.find(Pipeline, trigger.spec.pipeline_ref.name))
                objects = self.resources.objects.of_trigger(uid)
                kubelet = Kubelet(objects, folder, places.mapped, lambda _part, _line: None, program=self.program)
                mine.callback(kubelet.close)
                self._held.push(mine.pop_all())
                self._controllers[uid] = JobController(objects, kubelet)
        return self._controllers[uid]

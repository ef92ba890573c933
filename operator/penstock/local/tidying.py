"""What is to go of a Pipeline's past goes, with the files of what was deleted: by jobs that are of no run."""

from contextlib import closing

from penstock.local.containers import LineSink
from penstock.local.job_controller import JobController
from penstock.local.kubelet import Kubelet
from penstock.local.locks import hold_lock
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.reconcile import Reconciler


def tidy(
    observer: Observer, places: LaptopPlaces, pipeline: str, tell: LineSink, inherited: tuple[int, ...] = ()
) -> None:
    """Let go what is beyond the Pipeline's retention, and delete the files of what was deleted.

    Args:
        observer: observes the home.
        places: where the artifacts of the Pipeline are.
        pipeline: its name; it need not be there any more.
        tell: who is told each line of the logs of these jobs.
        inherited: descriptors of locks that are held as long as any of these jobs is alive.
    """
    objects = observer.objects
    with hold_lock(objects.home.lock("cleaning")) as lock:
        kubelet = Kubelet(objects, objects.home.root / "cleaning", places.mapped, tell, inherited=(lock, *inherited))
        with closing(kubelet):
            Reconciler(observer).tidy(pipeline, JobController(objects, kubelet))

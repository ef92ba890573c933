"""A pod that is taken away in the middle of its work is made again by the same Job, and costs no try."""

import pytest

from cluster.hand_made_runs import SLOW_QUERY, ends_of
from cluster.kubernetes_api import PODS, Object
from cluster.sites import Site, step_of

ONCE = {"retries": {"limit": 0}}  # so that a try too many would be a failure


@pytest.fixture(params=["evicted", "deleted", "deleted at once"])
def taken(site: Site, request: pytest.FixtureRequest) -> tuple[str, Object, str]:
    """A run whose pod was taken away while its container ran; that pod; and what is its Job."""
    how = request.param
    name = how.replace(" ", "-")
    run = site.run(site.pipeline(name, dataset__query=SLOW_QUERY, jobs__dataset=ONCE))
    pod = site.running(run, "dataset")
    (job,) = site.jobs(run)
    if how == "evicted":
        site.api.evict(pod["metadata"]["name"], site.namespace)
    else:
        seconds = 0 if how == "deleted at once" else None
        site.api.delete(PODS, pod["metadata"]["name"], site.namespace, grace_seconds=seconds)
    return run, pod, job["metadata"]["uid"]


def test_a_run_goes_on_with_another_pod_of_the_same_job(site: Site, taken: tuple[str, Object, str]) -> None:
    run, first, job = taken
    done = site.done(run)

    assert step_of(done, "dataset")["state"] == "Succeeded"
    assert [each["metadata"]["uid"] for each in site.jobs(run)] == [job]
    good = [each.pod["metadata"]["uid"] for each in ends_of(site.pods(run)) if each.code == 0]
    assert len(good) == 1
    assert good != [first["metadata"]["uid"]]

"""What an operator has begun ends also without it, and another one tells how."""

from cluster.hand_made_runs import ENDLESS_QUERY, condition_of, ends_of
from cluster.kubernetes_api import JOBS
from cluster.sites import Site
from penstock_jobs.contract import errors

ALONE = True  # it kills its operator


def test_a_timeout_holds_while_the_operator_is_dead_and_the_next_one_says_so(site: Site) -> None:
    slow = site.pipeline("slow", dataset__query=ENDLESS_QUERY, jobs__dataset={"timeout": "3s"})
    run = site.run(slow)
    site.running(run, "dataset")
    site.operator.kill()

    (job,) = site.jobs(run)
    site.api.wait_for(
        JOBS,
        job["metadata"]["name"],
        site.namespace,
        lambda there: condition_of(there, "Failed"),
        what="a Job that its own pod has ended",
    )
    assert [each.code for each in ends_of(site.pods(run))] == [errors.TIMED_OUT]

    with site.another_operator():
        reason, sentence = site.wait_for_failure(run)
    assert (reason, "timeout of 3 s" in sentence) == ("TimedOut", True), sentence
    assert len(site.pods(run)) == len(site.jobs(run)) == 1

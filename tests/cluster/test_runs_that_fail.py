"""What fails says why in one sentence of its own, where a person looks first; what need not fail goes on."""

from cluster.hand_made_runs import ENDLESS_QUERY, ends_of
from cluster.sites import LINEAR, Site, step_of
from penstock_jobs.contract import errors
from penstock_jobs.contract.result import CandidateRow

BAD = {
    "name": "bad",
    "estimator": "sklearn.svm.SVC",
    "parameters": [{"name": "kernel", "value": "precomputed"}],  # wants a square matrix, and is given none
}


def test_a_candidate_that_fails_is_a_row_with_its_error_and_the_run_goes_on(site: Site) -> None:
    run = site.run(site.pipeline("one-bad", training__algorithms=[BAD, LINEAR]), "dataset", "training")
    done = site.wait_for_success(run)

    training = step_of(done, "training")
    assert training["state"] == "Succeeded"
    assert (training["training"]["failed"], training["training"]["succeeded"]) == (1, 1)
    assert len(training["training"]["models"]) == 1
    (failed,) = [row for row in candidates(site, run) if row.error]
    assert failed.algorithm == "bad"
    assert "square" in (failed.error or "")


def candidates(site: Site, run: str) -> list[CandidateRow]:
    from penstock_jobs.training.ledger import read_candidates

    return read_candidates(site.store(run))


def test_a_run_of_which_every_candidate_fails_says_so_in_the_jobs_own_sentence(site: Site) -> None:
    run = site.run(site.pipeline("all-bad", training__algorithms=[BAD]), "dataset", "training", "testing")
    reason, sentence = site.wait_for_failure(run)

    assert reason == "Refused"
    assert "square" in sentence
    assert [each["state"] for each in site.wait_for_end(run)["status"]["steps"]] == ["Succeeded", "Failed", "Skipped"]
    assert len(site.pods(run, "training")) == 1


def test_a_job_that_fails_is_told_in_its_own_words_and_not_tried_again(site: Site) -> None:
    run = site.run(site.pipeline("bad-column", dataset__target={"column": "diagnose"}))
    reason, sentence = site.wait_for_failure(run)

    assert reason == "Refused"
    assert sentence.startswith("The dataset step failed: ")
    assert "diagnose" in sentence
    assert len(site.pods(run)) == len(site.jobs(run)) == 1


def test_a_job_that_outlives_its_timeout_ends_with_that_reason_and_is_not_tried_again(site: Site) -> None:
    slow = site.pipeline("slow", dataset__query=ENDLESS_QUERY, jobs__dataset={"timeout": "2s"})
    run = site.run(slow)
    reason, sentence = site.wait_for_failure(run)

    assert (reason, "timeout of 2 s" in sentence) == ("TimedOut", True), sentence
    assert [each.code for each in ends_of(site.pods(run))] == [errors.TIMED_OUT]


def test_a_job_that_needs_more_memory_than_it_may_have_says_which_limit_to_raise(site: Site) -> None:
    limits = {"resources": {"limits": {"memory": "40Mi"}}, "retries": {"limit": 0}}
    run = site.run(site.pipeline("hungry", jobs__dataset=limits))
    reason, sentence = site.wait_for_failure(run)

    assert reason == "OutOfMemory"
    assert "spec.jobs[dataset].resources.limits.memory" in sentence

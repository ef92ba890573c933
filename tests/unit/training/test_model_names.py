import re

from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.specification import Run
from penstock_jobs.training.candidates import Candidate
from penstock_jobs.training.names import model_name

LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
words = st.text(min_size=1, max_size=60)


def run(pipeline: str, execution: str) -> Run:
    return Run(uid="u", execution_name=execution, pipeline=pipeline, pipeline_uid="p")


def candidate(algorithm: str, value: object = 1) -> Candidate:
    return Candidate(0, algorithm, "sklearn.svm.SVC", (("C", value),))


@given(words, words, words)
def test_a_name_is_a_dns_label(pipeline: str, execution: str, algorithm: str) -> None:
    name = model_name(run(pipeline, execution), candidate(algorithm))
    assert len(name) <= 63
    assert LABEL.fullmatch(name)


def test_a_name_says_pipeline_execution_and_algorithm() -> None:
    one = candidate("forest")
    assert model_name(run("churn", "test_2"), one) == f"churn-test-2-forest-{one.identity[:6]}"


def test_long_names_that_differ_at_their_end_stay_two_names() -> None:
    first, second = (model_name(run("a" * 60, end), candidate("forest")) for end in ("one", "two"))
    assert first != second


def test_another_candidate_has_another_name() -> None:
    assert model_name(run("p", "e"), candidate("svm", 1)) != model_name(run("p", "e"), candidate("svm", 2))

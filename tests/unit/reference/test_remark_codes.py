"""Each code of a remark has its meaning, is made somewhere, and is in the reference."""

import re
from pathlib import Path
from typing import get_args

from penstock.reference.remarks import remarks_page
from penstock_jobs.contract.remark_codes import MEANINGS, RemarkCode

DATASET = Path(__file__).parents[3] / "job-images/penstock_jobs/dataset"


def test_each_code_has_a_meaning_that_is_a_sentence_and_no_other_word_has() -> None:
    assert list(MEANINGS) == list(get_args(RemarkCode))
    assert all(meaning.endswith(".") for meaning in MEANINGS.values())
    assert all(len(each) <= 32 for each in MEANINGS)


def test_each_code_that_the_dataset_job_says_is_in_the_list() -> None:
    said = {word for path in DATASET.rglob("*.py") for word in re.findall(r'code="(\w+)"', path.read_text("utf-8"))}

    assert said
    assert said <= set(MEANINGS)


def test_the_page_has_each_code() -> None:
    assert all(f"`{each}`" in remarks_page() for each in MEANINGS)

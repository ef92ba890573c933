"""Which job reads which fields is said of fields that are there, and leaves out none that a result depends on."""

import pytest

from penstock.api.admission import spec_schema
from penstock.decide.job_inputs import READS

# Names for people, how and where jobs run, and what is kept: their results are the same whatever these say. Of `jobs`
# some settings are read all the same, which `read_fields` adds by the name of the job.
MATTERS_TO_NO_RESULT = {"displayName", "description", "jobs", "logs", "notifications", "retention"}


@pytest.mark.parametrize("path", sorted({path for paths in READS.values() for path in paths}))
def test_each_path_is_a_field_of_the_pipeline(path: str) -> None:
    schema = spec_schema("Pipeline")
    for name in path.split("."):
        schema = schema["properties"][name]


def test_each_field_of_the_pipeline_is_read_or_said_to_matter_to_no_result() -> None:
    read = {path.partition(".")[0] for paths in READS.values() for path in paths}
    assert read | MATTERS_TO_NO_RESULT == set(spec_schema("Pipeline")["properties"])
    assert not read & MATTERS_TO_NO_RESULT

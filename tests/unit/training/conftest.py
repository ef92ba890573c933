import pytest
from training_jobs import make_tables, mixed_frame

from penstock_jobs.specification import Target


@pytest.fixture(scope="session")
def mixed_tables(tmp_path_factory):
    """Mixed and missing columns, two classes of text."""
    return make_tables(
        tmp_path_factory.mktemp("mixed"),
        mixed_frame(),
        target=Target(column="y", positive="yes"),
        task="Classification",
    )

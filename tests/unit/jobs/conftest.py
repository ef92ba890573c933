"""Jobs whose entry point is called in the process of the tests leave it as it was."""

import pytest

from penstock_jobs import __main__ as jobs
from penstock_jobs import storage_request


@pytest.fixture(autouse=True)
def sigterm_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job ends its process at a SIGTERM, for good: of a worker of the tests, that would be any later test's."""
    for module in (jobs, storage_request):
        monkeypatch.setattr(module, "end_on_sigterm", lambda: None)

"""What a test asks of the machine beside Python; without it the test is skipped, with the reason."""

import shutil

import pytest


def needs_program(*names: str) -> pytest.MarkDecorator:
    """Return the mark of a test that starts these programs."""
    missing = [name for name in names if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")

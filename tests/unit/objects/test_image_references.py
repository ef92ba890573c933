"""An image by its digest: what a registry can be asked for, or the reference as it was."""

import pytest

from penstock.decide.objects.images import pin_image

DIGEST = f"sha256:{'a1' * 32}"


@pytest.mark.parametrize(
    ("reference", "image_id", "found"),
    [
        ("penstock/jobs:0.1.0", f"docker.io/penstock/jobs@{DIGEST}", f"penstock/jobs@{DIGEST}"),
        ("penstock/jobs", f"docker-pullable://docker.io/penstock/jobs@{DIGEST}", f"penstock/jobs@{DIGEST}"),
        ("jobs:1", f"docker.io/library/jobs@{DIGEST}", f"jobs@{DIGEST}"),
        ("host:5000/a/jobs:1", f"host:5000/a/jobs@{DIGEST}", f"host:5000/a/jobs@{DIGEST}"),
        ("localhost/jobs:1", f"localhost/jobs@{DIGEST}", f"localhost/jobs@{DIGEST}"),
    ],
)
def test_a_tag_becomes_the_digest_that_was_pulled(reference: str, image_id: str, found: str) -> None:
    assert pin_image(reference, image_id) == found


@pytest.mark.parametrize(
    ("reference", "image_id"),
    [
        ("penstock/jobs:0.1.0", ""),  # not there yet
        ("penstock/jobs:0.1.0", DIGEST),  # brought to the node by hand: no registry has it under this
        ("penstock/jobs:0.1.0", f"docker.io/library/import-2026@{DIGEST}"),
        ("penstock/jobs:0.1.0", f"mirror.example/penstock/jobs@{DIGEST}"),  # put in its place by somebody else
        (f"penstock/jobs@{DIGEST}", f"docker.io/penstock/jobs@{DIGEST}"),
    ],
)
def test_a_reference_stays_where_a_digest_could_not_be_pulled_or_is_there(reference: str, image_id: str) -> None:
    assert pin_image(reference, image_id) is None

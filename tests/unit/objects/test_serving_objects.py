"""The servers of a Model, and the Service before them, which never stands before two revisions."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.credentials import SecretReference
from penstock.api.jobs import Gpu, JobSettings, ResourceAmounts, Resources
from penstock.api.model import Model
from penstock.decide.model_resource import model_resource
from penstock.decide.objects.children import Owner
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.objects.service import service, url
from penstock.decide.objects.serving import DRAINING, GRACE, Serving, deployment, serving_file
from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import ServerSpec
from penstock_jobs.serving.__main__ import DRAIN_SECONDS
from unit.jobs.test_termination_message import manifest
from unit.objects.examples_of_objects import MODEL
from unit.objects.golden_files import assert_golden
from unit.objects.pod_security import violations

OWNER = Owner(namespace="team", name="churn", uid="9d1e", pipeline="churn", kind="Pipeline")
SETTINGS = JobSettings(
    threads=2, gpu=Gpu(), resources=Resources(requests=ResourceAmounts(cpu="1"), limits=ResourceAmounts(memory="1Gi"))
)


def made(digest: str = "sha256:1", uri: str = MODEL.uri, settings: JobSettings = SETTINGS) -> Serving:
    reference = msgspec.structs.replace(MODEL, digest=digest, uri=uri)
    model: Model = model_resource(
        reference,
        manifest(2),
        run="churn-1",
        pipeline_uid=OWNER.uid,
        endpoint="http://s3.data:9000",
        credentials=SecretReference(secret_name="churn-read"),
    )
    return Serving(OWNER, model, ClusterPlaces(OWNER.namespace).model(model), "penstock/serving:0.1.0", settings)


def test_a_served_model_is_a_deployment_a_file_and_a_service() -> None:
    serving = made()

    assert_golden("serving", serving_file(serving), deployment(serving, 2), service(OWNER, 80, serving.revision))


def test_its_servers_read_what_the_file_says() -> None:
    read = document.decode(serving_file(made())["data"]["specification.json"].encode(), ServerSpec, "the file")

    assert read == made().specification
    assert read.location.credentials.folder == "/var/run/penstock/credentials/read/churn-read"


def test_a_model_on_a_volume_is_mounted_and_cannot_be_written() -> None:
    pod = deployment(made(uri="file:///volumes/models/churn/models/a"), 1)["spec"]["template"]["spec"]

    assert {"name": "volume-models", "mountPath": "/volumes/models", "readOnly": True} in pod["containers"][0][
        "volumeMounts"
    ]


def test_a_server_is_restricted_as_every_pod() -> None:
    pod = deployment(made(), 1)["spec"]["template"]["spec"]

    assert list(violations(pod)) == []
    assert pod["automountServiceAccountToken"] is False


def test_a_pod_has_the_time_to_answer_what_is_under_way() -> None:
    assert DRAINING + DRAIN_SECONDS < GRACE


@given(st.integers(0, 100), st.integers(0, 100))
def test_the_number_of_replicas_is_no_other_revision(one: int, other: int) -> None:
    first, second = deployment(made(), one), deployment(made(), other)

    assert first["spec"]["template"] == second["spec"]["template"]
    assert first["metadata"] == second["metadata"]


@pytest.mark.parametrize(
    "other",
    [
        made(digest="sha256:2"),
        made(uri="s3://ml-team/churn/models/another"),
        made(settings=msgspec.structs.replace(SETTINGS, threads=3)),
        made(settings=msgspec.structs.replace(SETTINGS, node_selector={"disk": "ssd"})),
        replace(made(), image="penstock/serving:0.2.0"),
        replace(made(), trusted_types=("mine.Scaler",)),
    ],
)
def test_whatever_of_its_servers_changes_is_another_revision_beside_the_old_one(other: Serving) -> None:
    one = deployment(made(), 1)
    another = deployment(other, 1)
    selected = service(OWNER, 80, made().revision)["spec"]["selector"]

    assert one["metadata"]["name"] != another["metadata"]["name"]
    assert selected.items() <= one["spec"]["template"]["metadata"]["labels"].items()
    assert not selected.items() <= another["spec"]["template"]["metadata"]["labels"].items()


def test_the_address_is_the_name_of_the_pipeline() -> None:
    assert url(OWNER, 80) == "http://churn.team"
    assert url(OWNER, 8080) == "http://churn.team:8080"


@pytest.mark.parametrize("uri", ["file:///var/run/penstock/credentials/read/own", "file:///volumes/data/../../var/run"])
def test_a_model_that_is_neither_in_a_bucket_nor_on_a_volume_is_refused(uri: str) -> None:
    with pytest.raises(Refused, match=r"^The Model .*, spec.uri,"):
        serving_file(made(uri=uri))

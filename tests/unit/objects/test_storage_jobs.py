"""The Job of a storage request: restricted, without a token, with the credentials of its storage and no other."""

from typing import Any

import msgspec
import pytest

from penstock.api.credentials import SecretReference, StorageCredentials
from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.objects.pod import PYTHON
from penstock.decide.objects.storage_requests import StorageJob, storage_job
from penstock_jobs.contract.storage_requests import ListModels, MoveClaim, StorageRequest
from unit.objects.pod_security import violations

BUCKET = Storage(
    s3=S3Storage(bucket="ml", prefix="churn"),
    credentials=StorageCredentials(
        read=SecretReference(secret_name="reads"), write=SecretReference(secret_name="writes")
    ),
)
VOLUME = Storage(pvc=VolumeStorage(claim_name="files", path="churn"))


def listing(storage: Storage) -> StorageRequest:
    return ListModels(location=ClusterPlaces("team").storage(storage, "", "", write=False))


def moving(storage: Storage) -> StorageRequest:
    location = ClusterPlaces("team").storage(storage, "", "", write=True)
    return MoveClaim(location=location, old_uid="old", pipeline="leavers", pipeline_uid="new")


def pod(asked: StorageRequest) -> dict[str, Any]:
    made = storage_job(StorageJob(asked, "penstock/jobs:1"))
    found: dict[str, Any] = made["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("asked", [listing(BUCKET), moving(BUCKET), listing(VOLUME), moving(VOLUME)])
def test_its_pod_is_restricted_and_has_no_token(asked: StorageRequest) -> None:
    assert list(violations(pod(asked))) == []
    assert pod(asked)["automountServiceAccountToken"] is False


@pytest.mark.parametrize(("asked", "secret"), [(listing(BUCKET), "reads"), (moving(BUCKET), "writes")])
def test_who_reads_has_the_right_to_read_and_who_writes_that_to_write(asked: StorageRequest, secret: str) -> None:
    volumes = [each["secret"]["secretName"] for each in pod(asked)["volumes"] if "secret" in each]

    assert volumes == [secret]


@pytest.mark.parametrize(("asked", "read_only"), [(listing(VOLUME), True), (moving(VOLUME), None)])
def test_a_volume_can_be_written_by_who_writes_alone(asked: StorageRequest, *, read_only: bool | None) -> None:
    [mount] = [each for each in pod(asked)["containers"][0]["volumeMounts"] if each["mountPath"] == "/volumes/files"]

    assert mount.get("readOnly") == read_only


def test_what_is_asked_is_in_its_words_and_it_goes_by_itself() -> None:
    made = storage_job(StorageJob(listing(BUCKET), "penstock/jobs:1"))
    [container] = made["spec"]["template"]["spec"]["containers"]

    assert msgspec.json.decode(container["command"][len(PYTHON) + 1], type=ListModels) == listing(BUCKET)
    assert made["spec"]["ttlSecondsAfterFinished"] == 600
    assert made["spec"]["backoffLimit"] == 0
    assert "ownerReferences" not in made["metadata"]

"""`local.yaml`: what the Secrets, endpoints and volumes of a manifest are on this machine."""

from pathlib import Path

import pytest

from penstock.api.credentials import CredentialKeys, SecretReference, StorageCredentials
from penstock.api.dataset import Input
from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.local.home import Home
from penstock.local.mapping import read_mapping
from penstock.local.places import LaptopPlaces
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location

STORAGE = Location(
    uri="file:///storage/of/the/pipeline"
)  # what an input is relative to where no folder has the manifest
CONTENT = """
secrets:
  team: {accessKeyId: TEAM_KEY, secretAccessKey: TEAM_SECRET}
  named: {id: OTHER_KEY, key: OTHER_SECRET}
endpoints:
  http://s3.data:9000: http://127.0.0.1:9000
volumes:
  claim: data
"""


@pytest.fixture
def places(tmp_path: Path) -> LaptopPlaces:
    (tmp_path / "local.yaml").write_text(CONTENT)
    home = Home(tmp_path / "home")
    return LaptopPlaces(home, read_mapping(None, tmp_path, home.root), tmp_path)


def bucket(secret: SecretReference) -> Storage:
    return Storage(
        s3=S3Storage(bucket="ml-team", prefix="churn", endpoint="http://s3.data:9000"),
        credentials=StorageCredentials(write=secret),
    )


def test_a_secret_is_environment_variables_and_an_endpoint_is_another(places: LaptopPlaces) -> None:
    location = places.storage(bucket(SecretReference(secret_name="team")), "churn", "spec.storage", write=True)

    assert location.uri == "s3://ml-team/churn"
    assert location.endpoint == "http://127.0.0.1:9000"
    assert location.credentials.environment == {"accessKeyId": "TEAM_KEY", "secretAccessKey": "TEAM_SECRET"}


def test_keys_of_other_names_are_found_by_the_names_that_the_manifest_gives_them(places: LaptopPlaces) -> None:
    keys = CredentialKeys(access_key_id="id", secret_access_key="key")
    secret = SecretReference(secret_name="named", keys=keys)

    assert places.credentials(secret, "spec.storage").environment == {
        "accessKeyId": "OTHER_KEY",
        "secretAccessKey": "OTHER_SECRET",
    }


def test_a_secret_that_nothing_stands_for_is_refused_with_the_line_to_add(places: LaptopPlaces) -> None:
    with pytest.raises(Refused, match=r"spec\.storage\.credentials names the Secret other.*add: secrets: \{other:"):
        places.storage(bucket(SecretReference(secret_name="other")), "churn", "spec.storage", write=False)


def test_a_volume_is_a_folder_beside_the_file(places: LaptopPlaces, tmp_path: Path) -> None:
    storage = Storage(pvc=VolumeStorage(claim_name="claim", path="churn"))

    assert places.storage(storage, "churn", "spec.storage", write=True).uri == (tmp_path / "data" / "churn").as_uri()
    assert (
        places.input(Input(name="rows", uri="pvc://claim/a.csv"), None, STORAGE).uri
        == (tmp_path / "data" / "a.csv").as_uri()
    )


def test_a_volume_that_nothing_stands_for_is_refused(places: LaptopPlaces) -> None:
    with pytest.raises(Refused, match="volume claim absent"):
        places.input(Input(name="rows", uri="pvc://absent/a.csv"), None, STORAGE)


def test_an_input_without_a_scheme_is_relative_to_the_manifest_and_keeps_its_glob(
    places: LaptopPlaces, tmp_path: Path
) -> None:
    assert (
        places.input(Input(name="rows", uri="tables/*.csv"), None, STORAGE).uri
        == f"{(tmp_path / 'tables').as_uri()}/*.csv"
    )


def test_without_storage_a_folder_of_the_home_is_taken(places: LaptopPlaces) -> None:
    assert places.storage(None, "churn", "spec.storage", write=True).uri == places.home.storage("churn").as_uri()


def test_the_mapping_beside_the_manifest_goes_before_that_of_the_home(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "manifest"
    for place, claim in ((home, "of-the-home"), (folder, "of-the-manifest")):
        place.mkdir()
        (place / "local.yaml").write_text(f"volumes: {{{claim}: data}}")

    assert set(read_mapping(None, folder, home).volumes) == {"of-the-manifest"}
    assert set(read_mapping(home / "local.yaml", folder, home).volumes) == {"of-the-home"}


@pytest.mark.parametrize(
    "content",
    [
        *("secret: {}", "secrets: [a]", "volumes: {a: [b]}", ": : :", "- a"),
        *("a: 2001-99-99", "[" * 5000, "a: 1\n---\nb: 2"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused_by_its_path(tmp_path: Path, content: str) -> None:
    (tmp_path / "local.yaml").write_text(content)

    with pytest.raises(Refused, match=r"local\.yaml"):
        read_mapping(None, tmp_path, tmp_path)


def test_a_folder_of_a_home_that_nobody_has_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "local.yaml").write_text("volumes: {data: ~nobody-of-that-name/data}")

    with pytest.raises(Refused, match=r"volumes\[data\], ~nobody-of-that-name/data, begins with ~"):
        read_mapping(None, tmp_path, tmp_path)

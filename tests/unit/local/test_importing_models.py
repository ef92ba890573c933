"""`penstock models import`: the Models of a home made again from their files."""

from pathlib import Path

import pytest

import model_making as making
from penstock.api.model import Model
from penstock.decide.commands.import_models import compare_to_existing, read_saved_model, storage_named
from penstock.local.home import Home
from penstock.local.importing import import_models, location_named
from penstock.local.resources import Resources
from penstock_command import run_penstock
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.contract.specification import Location
from penstock_jobs.contract.storage_requests import SavedModel
from penstock_jobs.models.loading import read_manifest
from penstock_jobs.storage import open_store


@pytest.fixture
def saved(tmp_path: Path) -> ModelReference:
    return making.save(tmp_path / "storage" / "churn" / "models", making.fit_model())


def test_a_home_that_lost_its_resources_gets_its_models_back_in_one_command(
    saved: ModelReference, tmp_path: Path
) -> None:
    done = run_penstock("models", "import", home=tmp_path)

    assert done.code == 0, done.errors
    assert "imported" in done.output
    [model] = run_penstock("models", "-o", "json", home=tmp_path).json()["items"]
    assert (model["metadata"]["name"], model["spec"]["digest"]) == (saved.name, saved.digest)


def test_it_may_be_done_again_and_only_looking_makes_nothing(saved: ModelReference, tmp_path: Path) -> None:
    resources = Resources(Home(tmp_path))
    location, storage = location_named(resources, str(tmp_path / "storage"), None, None, None)

    def states(*, only_look: bool) -> list[str]:
        return [each.state for each in import_models(resources, location, storage, only_look=only_look)]

    assert states(only_look=True) == ["New"]
    assert resources.names(Model) == []
    assert states(only_look=False) == ["New"]
    assert resources.names(Model) == [saved.name]
    assert states(only_look=False) == ["There"]


def found(saved: ModelReference) -> SavedModel:
    manifest, digest = read_manifest(open_store(Location(uri=saved.uri)))
    return SavedModel(uri=saved.uri, digest=digest, manifest=manifest)


def test_another_model_of_the_same_name_is_left_alone(saved: ModelReference) -> None:
    looked = read_saved_model(found(saved), None)
    other = read_saved_model(
        SavedModel(uri=saved.uri, digest=f"sha256:{'0' * 64}", manifest=found(saved).manifest), None
    )

    standing = compare_to_existing(looked, other.model)

    assert standing.state == "Refused"
    assert "There is another Model model, with the digest sha256:000" in standing.message


def test_a_model_that_is_read_from_elsewhere_is_not_moved(saved: ModelReference) -> None:
    looked = read_saved_model(found(saved), None)
    elsewhere = read_saved_model(
        SavedModel(uri="s3://old/model", digest=saved.digest, manifest=found(saved).manifest), None
    )

    assert "with its files at s3://old/model" in compare_to_existing(looked, elsewhere.model).message


def test_servers_read_a_model_as_the_person_did_who_imported_it(saved: ModelReference) -> None:
    storage = storage_named("s3://ml-team/churn", "http://s3.data:9000", "eu-west-3", "churn-read")

    model = read_saved_model(found(saved), storage).model

    assert model is not None
    assert (model.spec.endpoint, model.spec.region) == ("http://s3.data:9000", "eu-west-3")
    assert model.spec.credentials is not None
    assert model.spec.credentials.secret_name == "churn-read"


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("models", "is no storage that pods can read"),
        ("gs://bucket/x", "is no storage that pods can read"),
        ("s3://", "is no storage that pods can read"),
        ("pvc://claim/models", "which has no endpoint, region or credentials"),
    ],
)
def test_an_address_that_no_pod_can_read_is_refused(uri: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        storage_named(uri, None, None, "secret")


def test_a_folder_that_is_not_there_and_one_without_models_are_told_apart(tmp_path: Path) -> None:
    assert "There is no folder" in run_penstock("models", "import", str(tmp_path / "none"), home=tmp_path).errors
    (tmp_path / "empty").mkdir()
    assert "There is no Model at" in run_penstock("models", "import", str(tmp_path / "empty"), home=tmp_path).errors

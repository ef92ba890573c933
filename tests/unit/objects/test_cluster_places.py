"""Places of a cluster: the same job as on a laptop but for where things are, and each with its own credentials."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.api.credentials import SecretReference
from penstock.api.dataset import Dataset, Input, Target
from penstock.api.pipeline import GitSource, PipelineSpec
from penstock.api.run import InputCredentials, PipelineReference, PipelineRunSpec, RunCredentials
from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.job import StepJob, job
from penstock.decide.objects.mounts import secrets_of
from penstock.decide.objects.places import ClusterPlaces, refuse_laptop_only
from penstock.decide.run_places import RunPlaces
from penstock.local.home import Home
from penstock.local.mapping import LocalMapping
from penstock.local.places import LaptopPlaces
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import JobSpecification, Location
from unit.objects.examples_of_objects import (
    CHURN,
    IMAGE,
    OWNER,
    RUN,
    for_dataset,
    for_testing,
    for_training,
    places_of,
    spec_of,
)

CALLED = PipelineRunSpec(pipeline_ref=PipelineReference(name="churn"))
PVC = re.sub(r"storage:\n.*\n.*\n", "storage: {pvc: {claimName: models, path: team/churn}}\n", CHURN, count=1)


def mounts(specification: JobSpecification) -> dict[str, Any]:
    """Return what a pod of the job sees: folder → (kind and name of what is there, whether it can be written)."""
    spec = spec_of()
    pod = job(StepJob(OWNER, "dataset", specification, settings_of(spec, "dataset"), IMAGE))["spec"]["template"]["spec"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    there = {}
    for mount in pod["containers"][0]["volumeMounts"]:
        volume = volumes[mount["name"]]
        source = volume.get("secret", {}).get("secretName") or volume.get("persistentVolumeClaim", {}).get("claimName")
        if source:
            there[mount["mountPath"]] = (source, not mount.get("readOnly", False))
    return there


def test_each_job_mounts_the_secrets_of_what_it_touches_and_no_other() -> None:
    spec = spec_of()

    assert secrets_of(for_dataset(spec)) == {"churn-write", "lake-readonly"}
    assert secrets_of(for_training(spec)) == {"churn-read", "churn-write"}
    assert secrets_of(for_testing(spec)) == {"churn-read", "churn-write"}
    assert mounts(for_training(spec)) == {
        "/var/run/penstock/credentials/read/churn-read": ("churn-read", False),
        "/var/run/penstock/credentials/write/churn-write": ("churn-write", False),
    }


def test_every_folder_of_credentials_that_a_job_is_told_of_is_mounted() -> None:
    for specification in (for_dataset(spec_of()), for_training(spec_of()), for_testing(spec_of())):
        told = set(re.findall(r'"folder":"(/[^"]+)"', msgspec.json.encode(specification).decode()))

        assert told <= set(mounts(specification))


def test_a_volume_can_be_written_by_a_job_that_writes_to_it_alone() -> None:
    spec = spec_of(PVC)

    assert mounts(for_dataset(spec))["/volumes/models"] == ("models", True)
    assert mounts(for_dataset(spec))["/volumes/calls"] == ("calls", False)
    assert "/volumes/calls" not in mounts(for_training(spec))


def test_a_volume_is_at_the_same_address_in_every_job() -> None:
    spec = spec_of(PVC)

    assert for_dataset(spec).storage.uri == for_training(spec).storage.uri == "file:///volumes/models/team/churn"


def test_a_run_can_be_given_other_credentials_for_an_input() -> None:
    mine = InputCredentials(name="big_customers", secret=SecretReference(secret_name="mine"))
    run = PipelineRunSpec(pipeline_ref=PipelineReference(name="churn"), credentials=RunCredentials(inputs=(mine,)))
    spec = spec_of()
    assert spec.dataset is not None

    assert places_of(spec, run).input(spec.dataset.inputs[0]).credentials.folder == (
        "/var/run/penstock/credentials/inputs.big_customers/mine"
    )


def test_the_default_storage_has_a_place_for_each_pipeline_of_each_namespace() -> None:
    spec = msgspec.structs.replace(spec_of(), storage=None)
    default = Storage(s3=S3Storage(bucket="all", prefix="penstock"))
    places = RunPlaces(ClusterPlaces("team", default), "churn", spec, CALLED, "first-try")

    assert places.tables(write=True).uri == "s3://all/penstock/team/churn"
    assert places.run().uri == "s3://all/penstock/team/churn/runs/first-try"


def test_no_storage_at_all_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match=r"spec.storage is not given, and the operator has no default storage; add "):
        ClusterPlaces("team").storage(None, "churn", "spec.storage", write=False)


def test_a_relative_input_is_beneath_the_storage_of_its_pipeline_and_is_read_with_its_credentials() -> None:
    spec = spec_of(CHURN.replace("pvc://calls/2026/*.csv", "data/2026/*.csv"))
    assert spec.dataset is not None
    places = places_of(spec)

    found = places.input(next(each for each in spec.dataset.inputs if each.name == "calls"))
    assert found.uri == f"{places.tables(write=False).uri}/data/2026/*.csv"
    assert found.credentials == places.tables(write=False).credentials
    assert secrets_of(for_dataset(spec)) == {"churn-read", "churn-write", "lake-readonly"}


def test_a_relative_input_on_a_volume_keeps_its_glob() -> None:
    spec = spec_of(PVC.replace("pvc://calls/2026/*.csv", "data 1/*.csv"))
    assert spec.dataset is not None

    found = places_of(spec).input(next(each for each in spec.dataset.inputs if each.name == "calls"))
    assert found.uri == "file:///volumes/models/team/churn/data%201/*.csv"


@pytest.mark.parametrize("uri", ["/home/me/rows.csv", "~/rows.csv", "../rows.csv", "file:///home/me/rows.csv"])
def test_a_file_of_a_laptop_is_refused_for_a_cluster(uri: str) -> None:
    spec = spec_of(CHURN.replace("pvc://calls/2026/*.csv", uri))

    with pytest.raises(Refused) as refused:
        refuse_laptop_only(spec)
    assert str(refused.value) == (
        f"spec.dataset.inputs[calls].uri is {uri}, a file of the machine that the manifest was written on, which no "
        "pod of a cluster can read; put it where pods can, and name it as s3://bucket/path or pvc://claim/path, or by "
        "a path beneath the Pipeline's storage."
    )


@pytest.mark.parametrize(
    "uri",
    [
        "pvc://data/../../var/run/penstock/credentials/write/storage/secretAccessKey",
        "pvc://data/%2e%2e/key",
        "pvc://data/a/%252e./key",
        "pvc://data\\..\\key",
        "pvc://../data",
        "s3://lake/a/../b.csv",
    ],
)
def test_an_address_that_goes_up_is_refused_though_no_rule_was_asked(uri: str) -> None:
    table = Input(name="calls", uri=uri)
    spec = PipelineSpec(dataset=Dataset(inputs=(table,), target=Target(column="y")))

    with pytest.raises(Refused, match=r"^spec.dataset.inputs\[calls\].uri has a .., in some form, which leads out of"):
        refuse_laptop_only(spec)
    with pytest.raises(Refused, match=r"has a .., in some form"):
        ClusterPlaces("team").input(table, None, Location(uri="file:///volumes/models"))


@pytest.mark.parametrize("uri", ["%2e%2e/rows.csv", "a/..%2frows.csv", "..\\rows.csv"])
def test_a_path_that_goes_up_in_another_form_is_no_path_beneath_the_storage(uri: str) -> None:
    with pytest.raises(Refused, match="a file of the machine that the manifest was written on"):
        ClusterPlaces("team").input(Input(name="calls", uri=uri), None, Location(uri="file:///volumes/models"))


def test_no_storage_and_no_source_leads_out_of_its_place() -> None:
    places = ClusterPlaces("team")
    volume = Storage(pvc=VolumeStorage(claim_name="models", path="a/../.."))
    bucket = Storage(s3=S3Storage(bucket="models", prefix="%2e%2e/others"))

    for storage, field in ((volume, "spec.storage.pvc.path"), (bucket, "spec.storage.s3.prefix")):
        with pytest.raises(Refused, match=rf"^{field} has a .., in some form"):
            places.storage(storage, "", "spec.storage", write=True)
    with pytest.raises(Refused, match=r"^spec.source.git.path has a .., in some form"):
        places.repository(GitSource(url="https://host/ml", path="a/../.."))
    with pytest.raises(Refused) as refused:
        places.repository(GitSource(url="ssh://git:word@host/ml"))
    assert ":word@" not in str(refused.value)


def test_a_claim_with_odd_characters_in_its_path_is_still_an_address() -> None:
    volume = Storage(pvc=VolumeStorage(claim_name="models", path="team ä/50%"))

    assert ClusterPlaces("team").storage(volume, "", "spec.storage", write=True).uri == (
        "file:///volumes/models/team%20%C3%A4/50%25"
    )


def test_a_laptop_and_a_cluster_ask_for_the_same_but_for_locations(tmp_path: Path) -> None:
    spec = spec_of(re.sub(r", credentials: {secretName: lake-readonly}", "", PVC))
    folders = {"models": tmp_path / "models", "calls": tmp_path / "calls"}
    laptop = RunPlaces(
        LaptopPlaces(Home(tmp_path), LocalMapping(tmp_path / "local.yaml", volumes=folders), tmp_path),
        "churn",
        spec,
        CALLED,
        RUN.execution_name,
    )
    cluster = places_of(spec)

    def plain(specification: JobSpecification) -> str:
        text = msgspec.json.encode(specification).decode()
        return text.replace(tmp_path.as_uri(), "file:///volumes")

    for asked in (for_dataset, for_training, for_testing):
        assert plain(asked(spec, laptop)) == plain(asked(spec, cluster))

"""Cleaning: files of what was deleted are deleted, and no others."""

from pathlib import Path

import msgspec
import pytest

from penstock_jobs.cleaning import clean
from penstock_jobs.contract import document
from penstock_jobs.contract.result import CandidateScore, ModelReference, TrainingResult
from penstock_jobs.contract.specification import CleaningJob, Location, OwnedFolder, UnmadeModels
from penstock_jobs.models.files import digest_of
from penstock_jobs.storage import Store, open_store
from penstock_jobs.training.surplus import delete_surplus
from unit.decide_run.examples_of_runs import manifest
from unit.objects.examples_of_objects import RUN, for_training, spec_of

UID = "0f3c6a52"


def location(folder: Path, *parts: str) -> Location:
    return Location(uri=folder.joinpath(*parts).as_uri())


def filled(folder: Path, *keys: str, **contents: bytes) -> Store:
    store = open_store(Location(uri=folder.as_uri()))
    for key in keys:
        store.write(key, b"content")
    for key, content in contents.items():
        store.write(key.replace("__", "."), content)
    return store


def of_run(folder: Path, *beneath: str) -> CleaningJob:
    owned = OwnedFolder(location(folder, "runs", "test"), "snapshot.yaml", uid=UID, beneath=beneath)
    return CleaningJob(folders=(owned,))


def test_the_files_of_a_run_go_with_their_folders_and_nothing_beside_them(tmp_path: Path) -> None:
    filled(tmp_path / "runs" / "test", "results/training.json", "logs/a.log", snapshot__yaml=f"uid: {UID}".encode())
    others = filled(tmp_path / "runs" / "test_2", "report.html")

    assert clean(of_run(tmp_path)).files == 3

    assert not (tmp_path / "runs" / "test").exists()
    assert others.keys() == ["report.html"]


def test_cleaning_again_finds_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "runs" / "test", snapshot__yaml=f"uid: {UID}".encode())

    assert [clean(of_run(tmp_path)).files for _ in range(2)] == [1, 0]


def test_the_folder_of_another_run_of_the_same_name_is_left_as_it_is(tmp_path: Path) -> None:
    store = filled(tmp_path / "runs" / "test", "report.html", snapshot__yaml=b"uid: another")

    assert clean(of_run(tmp_path)).files == 0
    assert len(store.keys()) == 2


def test_a_folder_that_does_not_say_whose_it_is_is_left_as_it_is(tmp_path: Path) -> None:
    store = filled(tmp_path / "runs" / "test", "report.html")

    assert clean(of_run(tmp_path)).files == 0
    assert store.keys() == ["report.html"]


def test_logs_alone_can_be_cleaned(tmp_path: Path) -> None:
    store = filled(tmp_path / "runs" / "test", "logs/a.log", "report.html", snapshot__yaml=f"uid: {UID}".encode())

    assert clean(of_run(tmp_path, "logs/")).files == 1
    assert store.keys() == ["report.html", "snapshot.yaml"]


@pytest.mark.parametrize("changed", [False, True])
def test_a_model_is_deleted_only_while_its_manifest_is_what_it_was(tmp_path: Path, changed: bool) -> None:
    content = b"{}"
    store = filled(tmp_path / "models" / "m", "model.onnx", manifest__json=b"{ }" if changed else content)
    owned = OwnedFolder(location(tmp_path, "models", "m"), "manifest.json", digest=digest_of(content))

    assert clean(CleaningJob(folders=(owned,))).files == (0 if changed else 2)
    assert bool(store.keys()) == changed


def test_whoever_is_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path / "runs" / "test", *(f"results/{n}" for n in range(9)), snapshot__yaml=UID.encode())
    real, left = type(store).delete, 5

    def dying(self: Store, key: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        real(self, key)

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "delete", dying)
        with pytest.raises(KeyboardInterrupt):
            clean(of_run(tmp_path))
    assert store.exists("snapshot.yaml")

    clean(of_run(tmp_path))

    assert store.keys() == []


def saved(models: Path, name: str, uid: str) -> Store:
    return filled(models / name, "model.onnx", manifest__json=document.encode(manifest(name, uid)))


@pytest.mark.parametrize(("results", "goes"), [((), True), ((0,), True), ((0, 1), False)])
def test_models_of_a_training_that_came_to_no_result_go_with_its_run(
    tmp_path: Path, results: tuple[int, ...], goes: bool
) -> None:
    filled(tmp_path / "runs" / "test", *(f"results/training-{n}.json" for n in results), snapshot__yaml=UID.encode())
    unmade, other = saved(tmp_path / "models", "unmade", UID), saved(tmp_path / "models", "other", "another")
    job = msgspec.structs.replace(
        of_run(tmp_path),
        unmade=(UnmadeModels(location(tmp_path, "models"), location(tmp_path, "runs", "test"), UID, workers=2),),
    )

    clean(job)

    assert bool(unmade.keys()) != goes
    assert other.keys() == ["manifest.json", "model.onnx"]
    assert not (tmp_path / "runs" / "test").exists()


def trained(*models: tuple[str, float, int]) -> TrainingResult:
    return TrainingResult(
        candidates="",
        total=4,
        succeeded=len(models),
        failed=0,
        best=tuple(CandidateScore(name, "linear", score, index) for name, score, index in models),
        models=tuple(ModelReference(name, f"file:///models/{name}", "sha256:0", name) for name, _, _ in models),
    )


def test_the_last_of_several_workers_deletes_the_models_that_are_not_among_the_best_of_all(tmp_path: Path) -> None:
    job = msgspec.structs.replace(
        for_training(spec_of()),
        run=msgspec.structs.replace(RUN, uid=UID),
        run_storage=location(tmp_path, "run"),
        models=location(tmp_path, "models"),
        workers=2,
        keep=2,
    )
    stores = {name: saved(tmp_path / "models", name, UID) for name in "abcd"}
    run = filled(tmp_path / "run")
    run.write("results/training-0.json", document.encode(trained(("a", 0.9, 0), ("b", 0.5, 1))))

    assert delete_surplus(job) == 0  # the other one is still at work
    run.write("results/training-1.json", document.encode(trained(("c", 0.8, 2), ("d", 0.5, 3))))

    assert delete_surplus(job) == 4
    assert delete_surplus(job) == 0
    assert [name for name, store in stores.items() if store.keys()] == ["a", "c"]

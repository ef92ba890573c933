"""A mistake of the user's: exit code 2, one sentence that names it, and everything as it was before."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.laboratory_of_runs import ProjectFolder, environment_with, manifest, sentences, table
from s3_server import S3Server

LINEAR = "sklearn.linear_model.LogisticRegression"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """A home with tables, Models, and one of them served."""
    bench = ProjectFolder(tmp_path_factory.mktemp("mistakes"))
    bench.write()
    ended = bench.run("--name", "good")
    assert ended.returncode == 0, ended.stderr
    return bench


def algorithm(estimator: str = LINEAR, *parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "only", "estimator": estimator, "parameters": list(parameters)}]


def with_label(content: str, label: str, every: int = 1) -> str:
    """Return the table with another label in every n-th row."""
    header, *lines = content.splitlines()
    changed = [
        f"{line.rpartition(',')[0]},{label}" if number % every == 0 else line for number, line in enumerate(lines)
    ]
    return "\n".join([header, *changed]) + "\n"


MISTAKES: dict[str, tuple[str | None, dict[str, Any], str]] = {
    "missing file": (None, {"dataset__inputs": [{"name": "rows", "uri": "absent.csv"}]}, "absent.csv"),
    "wrong column": (None, {"dataset__target": {"column": "labell"}}, "labell"),
    "empty table": (table(0), {}, "no rows"),
    "single class": (with_label(table(), "yes"), {}, "yes"),
    "target with nulls": (with_label(table(), "", every=5), {}, "label"),
    "unknown estimator": (
        None,
        {"training__algorithms": algorithm("sklearn.linear_model.LogisticRegresion")},
        "LogisticRegresion",
    ),
    "unknown hyper-parameter": (
        None,
        {"training__algorithms": algorithm(LINEAR, {"name": "gamma", "value": 1})},
        "gamma",
    ),
    "metric that does not fit the task": (
        None,
        {
            "training__scoring": {"name": "neg_mean_absolute_error"},
            "testing__scoring": [{"name": "neg_mean_absolute_error"}],
            "deployment": {},
        },
        "neg_mean_absolute_error",
    ),
    "no candidate that can be scored": (
        None,
        {"training__algorithms": algorithm(LINEAR, {"name": "C", "value": "-1.0"})},
        "C",
    ),
    "credentials that nothing stands for": (
        None,
        {
            "dataset__inputs": [
                {"name": "rows", "uri": "s3://lake/rows.csv", "credentials": {"secretName": "lake-readonly"}}
            ]
        },
        "lake-readonly",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_and_changes_nothing(good: ProjectFolder, mistake: str) -> None:
    content, changes, named = MISTAKES[mistake]
    before = good.snapshot_state()
    good.write(content, **changes)

    ended = good.run("--name", "bad")

    assert ended.returncode == 2, ended.stderr
    assert len(sentences(ended.stderr)) == 1, ended.stderr
    assert named in sentences(ended.stderr)[0]
    assert "Traceback" not in ended.stderr
    assert good.snapshot_state() == before


def test_a_manifest_that_is_wrong_begins_no_run(good: ProjectFolder) -> None:
    good.write(dataset__split={"testing": "lots"})
    runs = good.runs()
    ended = good.run()

    assert ended.returncode == 2
    assert "spec.dataset.split.testing" in ended.stderr
    assert good.runs() == runs


def test_a_job_that_the_pipeline_does_not_describe_is_refused(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write()
    content = manifest()
    del content["spec"]["deployment"]
    bench.manifest.write_text(yaml.safe_dump(content))

    assert bench.run("--jobs", "deployment").returncode == 2
    assert bench.run("--jobs", "training").returncode == 2  # no tables yet
    assert bench.runs() == []


@pytest.mark.parametrize(
    "words",
    [
        ["describe", "nothing"],
        ["logs", "nothing"],
        ["report", "nothing"],
        ["serve", "nothing"],
        ["predict", "nothing", "rows.csv"],
        ["deploy", "nothing"],
        ["datasets", "forget", "small", "--yes"],
        ["datasets", "forget", "small", "id=1"],
        ["datasets", "reset", "small"],
        ["runs", "--pipeline", "nothing"],
        ["models", "--pipeline", "nothing"],
        ["run", "pipeline.yaml", "--jobs", ""],
        ["datasets", "reset", "nothing", "--yes"],
        ["run", "nothing.yaml"],
        ["validate", "nothing.yaml"],
        ["frobnicate"],
        ["run"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_said_in_a_sentence(good: ProjectFolder, words: list[str]) -> None:
    ended = good.run_penstock(*words) if words != ["frobnicate"] else _without_home(*words)

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert (ended.stdout + ended.stderr).strip().endswith((".", "--help."))


def test_a_port_that_is_taken_is_said_in_a_sentence(good: ProjectFolder, s3_server: S3Server) -> None:
    port = s3_server.endpoint.rpartition(":")[2]
    ended = good.run_penstock("serve", "small", "--port", port)

    assert ended.returncode == 2
    assert f"127.0.0.1:{port}" in ended.stderr


@pytest.mark.s3
@pytest.mark.parametrize("case", ["bucket", "credentials"])
def test_a_bucket_that_is_not_there_and_credentials_that_are_wrong(
    tmp_path: Path, s3_server: S3Server, case: str
) -> None:
    bench = ProjectFolder(tmp_path)
    bucket = "no-such-bucket" if case == "bucket" else "ml-team"
    bench.write(
        storage={
            "s3": {"bucket": bucket, "prefix": f"mistakes-{case}", "endpoint": "http://s3.data:9000"},
            "credentials": {"write": {"secretName": "storage"}},
        }
    )
    _map_secret(bench, s3_server)
    secret = s3_server.secret_key if case == "bucket" else "not-the-secret"

    ended = bench.run(S3_KEY=s3_server.access_key, S3_SECRET=secret)

    assert ended.returncode == 2, ended.stderr
    assert len(sentences(ended.stderr)) == 1
    assert bucket in ended.stderr
    assert "not-the-secret" not in ended.stderr


@pytest.mark.s3
def test_storage_in_a_bucket_works_as_a_folder_does_and_no_credential_is_kept(
    tmp_path: Path, s3_server: S3Server
) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write(
        storage={
            "s3": {"bucket": "ml-team", "prefix": "whole-run", "endpoint": "http://s3.data:9000"},
            "credentials": {"write": {"secretName": "storage"}},
        }
    )
    _map_secret(bench, s3_server)
    keys = {"S3_KEY": s3_server.access_key, "S3_SECRET": s3_server.secret_key}

    ended = bench.run("--name", "far", **keys)
    logs = bench.run_penstock("logs", "far", **keys)
    predicted = bench.run_penstock("predict", "small", str(bench.folder / "rows.csv"), **keys)

    assert ended.returncode == 0, ended.stderr
    assert "s3://ml-team/whole-run/runs/far/report.html" in ended.stdout
    assert "candidates" in logs.stdout
    assert predicted.returncode == 0, predicted.stderr
    kept = b"".join(path.read_bytes() for path in bench.home.rglob("*") if path.is_file())
    stored = s3_server.client().list_objects_v2(Bucket="ml-team", Prefix="whole-run/runs/far/")["Contents"]
    assert {"snapshot.yaml", "results/training.json", "logs/training.log", "report.html"} <= {
        each["Key"].removeprefix("whole-run/runs/far/") for each in stored
    }
    assert s3_server.secret_key.encode() not in kept


def test_a_full_disk_is_said_in_a_sentence_and_the_same_command_runs_when_there_is_room(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write(jobs__dataset={"retries": {"limit": 0}})
    bench.storage.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size=16k tmpfs "{bench.storage}" && exec "$@"'
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk for a test")

    full = subprocess.run(
        [*words, *bench.command("run", str(bench.manifest), "--name", "tight")],
        capture_output=True,
        text=True,
        env=environment_with({}),
    )
    condition = bench.runs()[0]["status"]["conditions"][0]
    ended = bench.run("--name", "tight")

    assert full.returncode == 2, full.stderr
    assert len(sentences(full.stderr)) == 1
    assert "no space left" in full.stderr.lower()
    assert (condition["status"], condition["reason"]) == ("False", "Unavailable")
    assert ended.returncode == 0, ended.stderr


def test_a_home_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write()
    bench.home.write_text("a file")
    ended = bench.run()

    assert ended.returncode == 2
    assert str(bench.home) in sentences(ended.stderr)[0]


def _map_secret(bench: ProjectFolder, server: S3Server) -> None:
    mapping = {
        "secrets": {"storage": {"accessKeyId": "S3_KEY", "secretAccessKey": "S3_SECRET"}},
        "endpoints": {"http://s3.data:9000": server.endpoint},
    }
    (bench.folder / "local.yaml").write_text(yaml.safe_dump(mapping))


def _without_home(*words: str) -> subprocess.CompletedProcess[str]:
    from local.laboratory_of_runs import PENSTOCK

    return subprocess.run([str(PENSTOCK), *words], capture_output=True, text=True, env=environment_with({}))

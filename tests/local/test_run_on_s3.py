"""A run whose inputs, tables and Models are in buckets: the same as in a folder, and each mistake is one sentence."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from penstock_command import ROOT, CommandResult, run_penstock, step
from s3_server import S3Server, free_port

pytestmark = pytest.mark.s3
ENDPOINT = "http://s3.data:9000"


@dataclass(frozen=True)
class Bench:
    """A manifest in a folder, a `local.yaml` beside it, and the environment that holds the credentials."""

    server: S3Server
    folder: Path
    prefix: str
    bucket: str = "ml-team"
    endpoint: str | None = None
    secret_key: str | None = None

    def manifest(self) -> dict[str, Any]:
        key = f"{self.prefix}/penguins.csv"
        self.server.client().upload_file(str(ROOT / "examples/data/penguins.csv"), "lake", key)
        manifest: dict[str, Any] = yaml.safe_load((ROOT / "examples/penguins.yaml").read_text("utf-8"))
        spec = manifest["spec"]
        secret = {"secretName": "team"}
        spec["storage"] = {
            "s3": {"bucket": self.bucket, "prefix": self.prefix, "endpoint": ENDPOINT},
            "credentials": {"read": secret, "write": secret},
        }
        spec["dataset"]["inputs"][0] |= {
            "uri": f"s3://lake/{self.prefix}/*.csv",
            "endpoint": ENDPOINT,
            "credentials": secret,
        }
        spec["training"]["algorithms"] = spec["training"]["algorithms"][:1]
        return manifest

    def run(self, *arguments: str) -> CommandResult:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "pipeline.yaml").write_text(yaml.safe_dump(self.manifest()))
        local = {
            "secrets": {"team": {"accessKeyId": "TEAM_KEY", "secretAccessKey": "TEAM_SECRET"}},
            "endpoints": {ENDPOINT: self.endpoint or self.server.endpoint},
        }
        (self.folder / "local.yaml").write_text(yaml.safe_dump(local))
        environment = {"TEAM_KEY": self.server.access_key, "TEAM_SECRET": self.secret_key or self.server.secret_key}
        home = self.folder / "home"
        return run_penstock("run", self.folder / "pipeline.yaml", *arguments, home=home, environment=environment)

    def left(self) -> set[str]:
        found = self.server.client().list_objects_v2(Bucket="ml-team", Prefix=f"{self.prefix}/")
        return {item["Key"].removeprefix(f"{self.prefix}/") for item in found.get("Contents", [])}


@pytest.fixture
def bench(s3_server: S3Server, tmp_path: Path) -> Bench:
    return Bench(s3_server, tmp_path / "bench", f"runs/{uuid4().hex}")


def test_a_run_in_a_bucket_is_the_run_in_a_folder(bench: Bench, tmp_path: Path) -> None:
    remote = bench.run("-o", "json", "-q").json()
    local = run_penstock("run", "examples/penguins.yaml", "-o", "json", "-q", "--jobs", "dataset", home=tmp_path).json()

    digests = [{table["name"]: table["digest"] for table in step(run, "dataset")["tables"]} for run in (remote, local)]
    assert digests[0] == digests[1]
    served = step(remote, "deployment")["served"]
    assert {f"models/{served}/manifest.json", "runs/run/report.html", "runs/run/snapshot.yaml"} <= bench.left()


def test_no_credential_is_in_anything_that_a_run_leaves(bench: Bench) -> None:
    assert bench.run("--jobs", "dataset").code == 0
    client = bench.server.client()
    for key in bench.left():
        content = client.get_object(Bucket="ml-team", Key=f"{bench.prefix}/{key}")["Body"].read()
        assert bench.server.secret_key.encode() not in content, key
    for path in (bench.folder / "home").rglob("*"):
        assert not path.is_file() or bench.server.secret_key.encode() not in path.read_bytes(), path


def refused(done: CommandResult, sentence: str) -> None:
    """Exit code 2, and the one sentence: no traceback."""
    assert done.code == 2, done.errors
    assert sentence in done.errors
    assert "Traceback" not in done.errors


def test_a_bucket_that_does_not_exist_is_said(bench: Bench) -> None:
    refused(replace(bench, bucket="no-such-bucket").run(), "There is no bucket no-such-bucket at")


def test_wrong_credentials_are_said_and_change_nothing(bench: Bench) -> None:
    assert bench.run("--jobs", "dataset").code == 0
    before = bench.left()
    refused(replace(bench, secret_key="wrong").run("--jobs", "dataset"), "the secret access key is wrong")
    assert bench.left() == before


def test_an_endpoint_that_does_not_answer_is_said(bench: Bench) -> None:
    done = replace(bench, endpoint=f"http://127.0.0.1:{free_port()}").run("--jobs", "dataset")
    assert done.code != 0
    assert "does not answer" in done.errors
    assert "Traceback" not in done.errors

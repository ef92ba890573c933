"""The settings of the operator: a mistake is a sentence that names the field."""

from pathlib import Path

import pytest

from penstock.act.settings import OperatorSettings, read_settings
from penstock_jobs.contract.errors import Refused


def _read(folder: Path, text: str) -> OperatorSettings:
    path = folder / "settings.yaml"
    path.write_text(text)
    return read_settings(path)


def test_without_a_file_the_defaults_hold() -> None:
    assert read_settings(None) == OperatorSettings()


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert _read(tmp_path, "# nothing yet\n") == OperatorSettings()


def test_what_decisions_go_by_and_how_the_shell_works_are_in_one_file(tmp_path: Path) -> None:
    settings = _read(
        tmp_path,
        """
        images: {jobs: "example.org/jobs:1"}
        storage: {s3: {bucket: ml-team}}
        profiles: {gpu-large: {gpu: {count: 1}}}
        namespaces: [team]
        workers: 4
        api: {requestsPerSecond: 50}
        lease: {name: penstock, namespace: penstock-system}
        """,
    )

    assert settings.images.jobs == "example.org/jobs:1"
    assert settings.profiles["gpu-large"].gpu is not None
    assert (settings.workers, settings.api.requests_per_second, settings.api.burst) == (4, 50, 400)
    assert settings.lease is not None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("workers: 0", "$.workers"),
        ("workers: many", "$.workers"),
        ("wrokers: 4", "wrokers"),
        ("api: {requestsPerSecond: 0}", "$.api.requestsPerSecond"),
        ("logs: {level: LOUD}", "$.logs.level"),
        ("lease: {name: penstock}", "namespace"),
        ("resync: often", "resync"),
        ("- a list", "Expected `object`"),
        ("workers: [", "not YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(Refused, match=r"\.$") as refused:
        _read(tmp_path, text)

    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"nowhere\.yaml cannot be read: No such file or directory\."):
        read_settings(tmp_path / "nowhere.yaml")

"""What a laptop keeps of the past, by the Pipeline's `retention` and `logs`."""

from pathlib import Path

from local.laboratory_of_runs import ProjectFolder


def test_models_beyond_those_that_are_kept_go_but_not_the_served_one_and_logs_go_when_they_are_old(
    tmp_path: Path,
) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write(retention={"models": 2}, logs={"retention": "1s"}, models={"deletionPolicy": "Delete"})
    assert bench.run("--name", "first").returncode == 0
    first = {each["metadata"]["name"] for each in bench.models()}
    served = bench.pipeline()["status"]["servedModel"]["name"]

    assert bench.run("--name", "second").returncode == 0

    kept = {each["metadata"]["name"] for each in bench.models()}
    now_served = bench.pipeline()["status"]["servedModel"]["name"]
    assert len(first) == 2
    assert kept & first == {served} & {now_served}
    assert len(kept - first) == 2
    files = {path.name for path in (bench.storage / "models").iterdir()}
    assert files == kept
    runs = bench.storage / "runs"
    assert not (runs / "first" / "logs").exists()
    assert (runs / "first" / "report.html").exists()
    assert len(list((runs / "second" / "logs").iterdir())) == 3

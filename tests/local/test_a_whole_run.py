"""From one manifest to a tested, served Model: the command line on real jobs."""

import json
import re
import signal
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pandas as pd
import pytest
import yaml

import penstock
from local.laboratory_of_runs import ProjectFolder, environment_with


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProjectFolder, subprocess.CompletedProcess[str]]:
    bench = ProjectFolder(tmp_path_factory.mktemp("whole"))
    bench.write()
    ended = bench.run("--name", "test")
    assert ended.returncode == 0, ended.stderr
    return bench, ended


def test_the_run_succeeds_in_all_four_jobs(done: tuple[ProjectFolder, subprocess.CompletedProcess[str]]) -> None:
    (run,) = [each for each in done[0].runs() if each["status"]["executionName"] == "test"]

    assert [step["state"] for step in run["status"]["steps"]] == ["Succeeded"] * 4
    assert [(each["type"], each["status"]) for each in run["status"]["conditions"]] == [("Succeeded", "True")]


def test_it_prints_candidates_the_model_and_why_the_report_and_what_to_do_next(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, ended = done
    report = bench.storage / "runs" / "test" / "report.html"

    assert "baseline" in ended.stdout
    assert "C=0.1" in ended.stdout
    assert "is the first Model to be served" in ended.stdout
    assert str(report) in ended.stdout
    assert report.exists()
    assert "penstock serve small" in ended.stdout


def test_the_snapshot_is_the_pipeline_as_it_was_taken(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, _ = done
    pipeline, run, _ = yaml.safe_load_all((bench.storage / "runs" / "test" / "snapshot.yaml").read_text())

    # What equals a default is not written; everything that the manifest says otherwise is there, word for word.
    assert pipeline["spec"]["dataset"] == yaml.safe_load(bench.manifest.read_text())["spec"]["dataset"]
    assert pipeline["kind"] == "Pipeline"
    assert run["spec"]["executionName"] == "test"


def test_the_snapshot_names_the_table_versions_of_the_run(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, _ = done
    *_, said = yaml.safe_load_all((bench.storage / "runs" / "test" / "snapshot.yaml").read_text())
    (run,) = [each for each in bench.runs() if each["status"]["executionName"] == "test"]
    (dataset,) = [step["dataset"] for step in run["status"]["steps"] if step["name"] == "dataset"]

    assert said == {"resolved": {"executionName": "test", "tables": dataset["tables"]}}


def test_every_list_and_every_description_is_json_too(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, _ = done
    described = bench.run_penstock("describe", "test", "-o", "json")

    assert {each["kind"] for each in bench.runs() + bench.models() + [bench.pipeline()]} == {
        "PipelineRun",
        "Model",
        "Pipeline",
    }
    assert json.loads(described.stdout)["status"]["executionName"] == "test"
    assert yaml.safe_load(bench.run_penstock("describe", "small/test", "-o", "yaml").stdout)["kind"] == "PipelineRun"


def test_logs_are_kept_by_run_and_job(done: tuple[ProjectFolder, subprocess.CompletedProcess[str]]) -> None:
    bench, _ = done

    assert (bench.storage / "runs" / "test" / "logs" / "training.log").exists()
    assert "candidates" in bench.run_penstock("logs", "test", "--job", "training").stdout
    assert all(
        json.loads(line)["job"] == "dataset"
        for line in bench.run_penstock("logs", "test", "--job", "dataset", "-o", "json").stdout.splitlines()
    )


def test_the_report_is_where_the_command_says(done: tuple[ProjectFolder, subprocess.CompletedProcess[str]]) -> None:
    path = Path(done[0].run_penstock("report", "test").stdout.strip())

    assert path.read_text().lstrip().lower().startswith("<!doctype html")


def test_a_name_that_is_taken_gets_an_index_and_a_model_no_better_is_not_served(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, _ = done
    before = bench.pipeline()["status"]["servedModel"]
    ended = bench.run("--name", "test", "-o", "json", "--quiet")
    run = json.loads(ended.stdout)

    assert ended.stderr == ""
    assert run["status"]["executionName"] == "test_2"
    assert [each["reason"] for each in run["status"]["conditions"]] == ["ServedModelKept"]
    assert bench.pipeline()["status"]["servedModel"] == before


def test_a_subset_of_the_jobs_goes_on_from_the_last_tables(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, _ = done
    ended = bench.run("--jobs", "training", "--name", "again", "-o", "json")

    assert ended.returncode == 0, ended.stderr
    assert [step["name"] for step in json.loads(ended.stdout)["status"]["steps"]] == ["training"]


def test_predict_answers_a_file_and_a_notebook_answers_the_same(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    bench, _ = done
    output = tmp_path / "predicted.csv"
    served = bench.pipeline()["status"]["servedModel"]["name"]
    ended = bench.run_penstock("predict", served, str(bench.folder / "rows.csv"), "--to", str(output))
    rows = pd.read_csv(bench.folder / "rows.csv")

    assert ended.returncode == 0, ended.stderr
    assert list(pd.read_csv(output)["prediction"]) == list(penstock.load("small", home=bench.home).predict(rows))


def test_the_served_model_answers_over_http_and_ctrl_c_ends_it(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, _ = done
    server = subprocess.Popen(
        bench.command("serve", "small", "--port", "0"), stdout=subprocess.PIPE, text=True, env=environment_with({})
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        row = {"left": 3.0, "right": 3.0, "colour": "red"}
        request = Request(f"{found[0]}/v1/models/small:predict", json.dumps({"instances": [row]}).encode())
        with urlopen(request, timeout=30) as response:
            answer = json.load(response)
    finally:
        server.send_signal(signal.SIGINT)
        code = server.wait(30)
    assert answer["predictions"] == ["yes"]
    assert answer["model"] == bench.pipeline()["status"]["servedModel"]["name"]
    assert code == 130


def test_a_pinned_model_is_served_and_unpinning_returns_to_the_selected_one(
    done: tuple[ProjectFolder, subprocess.CompletedProcess[str]],
) -> None:
    bench, _ = done
    selected = bench.pipeline()["status"]["servedModel"]["name"]
    other = next(name for model in bench.models() if (name := model["metadata"]["name"]) != selected)

    assert bench.run_penstock("deploy", other).returncode == 0
    pinned = bench.pipeline()["status"]
    assert bench.run_penstock("deploy", "--unpin", "small").returncode == 0
    unpinned = bench.pipeline()["status"]

    assert pinned["servedModel"]["name"] == other
    assert pinned["servedModel"]["selectedBy"] == "deployment.model"
    assert unpinned["servedModel"]["name"] == selected
    assert unpinned["servedHistory"][0]["name"] == other


def test_a_reset_is_a_new_draw_and_only_when_asked_for(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write()
    epochs = []
    for words in (["run", str(bench.manifest), "--jobs", "dataset"], ["datasets", "reset", "small", "--yes"]) * 2:
        assert bench.run_penstock(*words).returncode == 0
        epochs.append(bench.objects("datasets")[0]["epoch"])

    assert epochs == [1, 2, 2, 3]


def test_forgotten_points_are_in_no_table(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write()
    assert bench.run("--jobs", "dataset").returncode == 0
    rows = sum(table["rows"] for table in bench.objects("datasets")[0]["tables"])
    bench.write(
        "\n".join(line for line in (bench.folder / "rows.csv").read_text().splitlines() if not line.startswith("5,"))
    )

    forgotten = bench.run_penstock("datasets", "forget", "small", "id=5", "--yes", "-o", "json")
    assert bench.run("--jobs", "dataset").returncode == 0

    assert sum(json.loads(forgotten.stdout)["rows"].values()) == 1
    assert sum(table["rows"] for table in bench.objects("datasets")[0]["tables"]) == rows - 1


def test_fields_that_mean_nothing_on_a_laptop_are_listed_and_not_refused(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write(deployment__replicas=3, jobs__dataset={"nodeSelector": {"disk": "fast"}})
    ended = bench.run("--jobs", "dataset")

    assert ended.returncode == 0, ended.stderr
    assert "spec.deployment.replicas, spec.jobs[1].nodeSelector" in ended.stderr


def test_a_run_has_other_values_than_its_pipeline_for_this_time(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write()

    ended = bench.run("--jobs", "dataset,training", "--set", "training.keep=1", "--set", "dataset.split.testing=50%")

    assert ended.returncode == 0, ended.stderr
    taken, _, _ = yaml.safe_load_all((bench.storage / "runs" / "run" / "snapshot.yaml").read_text("utf-8"))
    assert taken["spec"]["training"].get("keep", 1) == 1
    assert taken["spec"]["dataset"]["split"]["testing"] == "50%"
    refused = bench.run("--set", "training.kep=1")
    assert refused.returncode == 2
    assert "has kep, which is an unknown field; did you mean keep?" in refused.stderr


def test_two_commands_at_once_make_their_tables_one_after_the_other(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write()
    started = [bench.start("--jobs", "dataset", "--name", name) for name in ("one", "two")]
    ended = [(process.communicate(timeout=240)[1], process.returncode) for process in started]

    assert [code for _, code in ended] == [0, 0], ended
    made = [step for run in bench.runs() for step in run["status"]["steps"]]
    first, second = sorted(made, key=lambda step: step["startTime"])
    assert first["completionTime"] <= second["startTime"]

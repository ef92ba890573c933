"""What a line of the log says."""

import asyncio
import json
import logging
import sys

from penstock.daemon import logs
from penstock.kubernetes.kinds import Key
from unit.act import virtual_time

RUN = Key("PipelineRun", "team", "churn-1")


def _record(message: str = "It waits.", *, failed: bool = False) -> logging.LogRecord:
    exc_info = None
    if failed:
        try:
            raise KeyError("oops")
        except KeyError:
            exc_info = sys.exc_info()
    return logging.LogRecord("penstock.act", logging.INFO, "file.py", 1, message, (), exc_info)


def test_a_line_for_people_says_which_run_and_which_step() -> None:
    with logs.about(RUN):
        logs.at_step("training")
        line = logs.Text().format(_record())

    assert line.endswith("Z INFO PipelineRun team/churn-1 training: It waits.")


def test_a_line_for_programs_is_one_json_object_with_run_and_step() -> None:
    with logs.about(RUN):
        logs.at_step("training")
        line = json.loads(logs.Json().format(_record(failed=True)))

    assert (line["run"], line["namespace"], line["step"]) == ("churn-1", "team", "training")
    assert (line["level"], line["message"]) == ("INFO", "It waits.")
    assert "KeyError" in line["exception"]


def test_lines_about_nothing_in_particular_name_nothing() -> None:
    assert logs.Text().format(_record()).endswith("Z INFO: It waits.")


def test_workers_side_by_side_do_not_mix_their_runs_up() -> None:
    lines: list[str] = []

    async def worker(name: str) -> None:
        with logs.about(Key("PipelineRun", "team", name)):
            await asyncio.sleep(1)
            lines.append(logs.Text().format(_record()))

    async def both() -> None:
        await asyncio.gather(worker("a"), worker("b"))

    virtual_time.run(both())

    assert sorted(line.split(" ", 2)[2] for line in lines) == [
        "PipelineRun team/a: It waits.",
        "PipelineRun team/b: It waits.",
    ]

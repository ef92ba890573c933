"""Lists on the pages that would grow old unseen: verdicts, dependencies, values of the chart."""

import re
import tomllib
from typing import Any, get_args

import yaml

from penstock.api.schema import JOBS
from penstock_command import ROOT
from penstock_jobs.contract.result import Verdict

DOCS = ROOT / "docs"


def test_the_words_have_every_verdict_and_every_job() -> None:
    words = (DOCS / "explanation/words.md").read_text("utf-8")

    assert re.findall(r"^\| `(\w+)` \|", words, re.MULTILINE) == list(get_args(Verdict))
    assert ", ".join(f"`{job}`" for job in JOBS) in words


def test_every_dependency_says_why_it_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [project["dependencies"], *extras.values()]
    page = (DOCS / "explanation/dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\w, -]+) \|", page, re.MULTILINE)

    assert {name for row in rows for name in row.split(", ")} - {"package"} == {
        re.split(r"[<>=]", requirement)[0] for requirements in wanted for requirement in requirements
    }


def test_the_values_that_are_explained_are_the_charts() -> None:
    page = (DOCS / "how-to/install.md").read_text("utf-8")
    values: Any = yaml.safe_load((ROOT / "helm/penstock/values.yaml").read_text("utf-8"))
    named = [
        path for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for path in re.findall(r"`([\w.]+)`", row)
    ]

    assert named
    assert [path for path in named if not is_there(values, path)] == []


def is_there(values: Any, path: str) -> bool:
    for name in path.split("."):
        if name not in values:
            return False
        values = values[name]
    return True

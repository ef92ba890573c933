"""What the papers of the project say of versions is so."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
PAPERS = ("docs/releases.md", "SECURITY.md")


def test_the_package_and_the_chart_have_one_version() -> None:
    chart = yaml.safe_load((ROOT / "helm/penstock/Chart.yaml").read_text("utf-8"))
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


@pytest.mark.parametrize("name", PAPERS)
def test_each_link_leads_to_a_file(name: str) -> None:
    path = ROOT / name
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text("utf-8"))
    assert targets
    assert all((path.parent / target).exists() for target in targets if "://" not in target)


def test_each_command_of_make_that_a_release_needs_is_there() -> None:
    asked = set(re.findall(r"`make ([a-z-]+)", (ROOT / "docs/releases.md").read_text("utf-8")))
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert asked
    assert asked <= there


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name)
def test_a_form_for_issues_has_what_the_code_host_wants(path: Path) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    for field in form["body"]:
        assert field["type"] in ("markdown", "textarea", "dropdown", "input")
        assert field["attributes"].get("value") or field["attributes"].get("label")

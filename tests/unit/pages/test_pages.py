"""What the pages say that can be checked without running it: links, manifests, commands, values, targets."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from editor_schemas import editor_mistakes
from page_blocks import KINDS, Block, blocks_of, name_of, pages
from penstock.api.manifests import read_manifests
from penstock.api.validation import validate_file
from penstock.cli import commands
from penstock.cli.cluster import COMMANDS
from penstock.local.mapping import read_mapping
from penstock_command import ROOT
from penstock_jobs.contract.errors import Refused

BLOCKS = [block for page in pages() for block in blocks_of(page)]
INDEX = ROOT / "docs/README.md"
# What a page says of another place than this repository.
ELSEWHERE = re.compile(r"^[a-z]+:")
PENSTOCK = re.compile(r"(?:^|&& |; |\$\()((?:kubectl )?penstock(?: [^|;&#()]*)?)")
REPOSITORY_FILE = re.compile(r"(?<![\w/.])(?:examples|helm|docs|bench|tests)/[\w./-]+")


def of(language: str, *kinds: str) -> list[Any]:
    """Return the blocks of that language and of these kinds, as parameters that are called by their place."""
    found = [block for block in BLOCKS if block.language == language and block.kind in kinds]
    return [pytest.param(block, id=block.place) for block in found]


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []


def test_every_page_is_in_the_index() -> None:
    linked = {(INDEX.parent / link.partition("#")[0]).resolve() for link in links(INDEX)}

    assert [name_of(page) for page in pages() if page not in linked and page.parent != ROOT and page != INDEX] == []


def links(page: Path) -> list[str]:
    text = without_code(page.read_text("utf-8"))
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not ELSEWHERE.match(link)]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """Return the anchors that the code host makes of the page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)


# --- blocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    unknown = [block.place for block in blocks_of(page) if block.kind not in KINDS.get(block.language, ())]
    indented = re.search(r"(?<=\n)\n    \S.*", without_code(page.read_text("utf-8")))

    assert unknown == []
    assert indented is None, "a block without fences is checked by nobody"


@pytest.mark.parametrize("block", of("yaml", "", "file", "spec"))
def test_a_manifest_is_valid(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "shown.yaml"
    file.write_text(manifest_of(block))

    assert [finding.sentence for finding in validate_file(file)] == []


@pytest.mark.parametrize("block", of("yaml", "local"))
def test_a_local_yaml_is_read(block: Block, tmp_path: Path) -> None:
    (tmp_path / "local.yaml").write_text(block.text)

    read_mapping(None, tmp_path, tmp_path)


@pytest.mark.parametrize("block", of("yaml", "values"))
def test_values_are_the_charts(block: Block) -> None:
    assert [path for path in leaves(yaml.safe_load(block.text)) if not is_a_value(path)] == []


@pytest.mark.parametrize("block", of("yaml", "other"))
def test_what_is_another_programs_is_yaml(block: Block) -> None:
    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", of("yaml", "", "file", "spec"))
def test_an_editor_sees_no_mistake_in_a_manifest(block: Block) -> None:
    found = [mistake for each in read_manifests(manifest_of(block)) for mistake in editor_mistakes(each.value)]

    assert found == []


def manifest_of(block: Block) -> str:
    return placed(block) if block.kind == "spec" else block.text


def placed(block: Block) -> str:
    """Return a Pipeline that has the block at its place."""
    pipeline = yaml.safe_load((ROOT / "examples/breast-cancer.yaml").read_text("utf-8"))
    *parents, last = block.mark.split(".")
    place = pipeline
    for name in parents:
        place = place.setdefault(name, {})
    said = yaml.safe_load(block.text)
    place[last] = {**place.get(last, {}), **said} if isinstance(said, dict) else said
    return yaml.safe_dump(pipeline)


# --- commands ---------------------------------------------------------------------------------------------------------


def test_every_command_of_penstock_is_one() -> None:
    said = [(block.place, command) for block in BLOCKS for command in penstock_in(block)]
    said += [(name_of(page), command) for page in pages() for command in penstock_between_ticks(page)]

    assert len(said) > 50
    assert [f"{place}: {command}: {wrong}" for place, command in said if (wrong := mistake(command))] == []


@pytest.mark.parametrize("block", of("sh", "make"))
def test_every_target_of_make_is_there(block: Block) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert [line for line in block.commands() if line.split()[0] == "make" and line.split()[1] not in targets] == []


@pytest.mark.parametrize("block", of("sh", "install"))
def test_every_extra_that_is_installed_is_there(block: Block) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {extra for extras in re.findall(r"\[([a-z,]+)\]", block.text) for extra in extras.split(",")}

    assert named <= set(project["optional-dependencies"])


@pytest.mark.parametrize("block", of("sh", "cluster"))
def test_every_value_and_every_file_that_a_command_names_is_there(block: Block) -> None:
    values = re.findall(r"--set(?:-json|-string)?[ =]+'?([\w.]+)=", block.text)

    assert [value for value in values if not is_a_value(value)] == []
    assert [name for name in REPOSITORY_FILE.findall(block.text) if not (ROOT / name.rstrip("/")).exists()] == []


def penstock_in(block: Block) -> Iterator[str]:
    if block.language in ("sh", "console"):
        for line in block.commands():
            yield from (found[1].strip() for found in PENSTOCK.finditer(line.partition(" #")[0].strip()))


def penstock_between_ticks(page: Path) -> list[str]:
    text = without_code(page.read_text("utf-8"))
    return [said for said in re.findall(r"`([^`\n]+)`", text) if re.match(r"(kubectl )?penstock( |$)", said)]


def mistake(said: str) -> str | None:
    """Return what the command line has against the command, whose words may stand for something (`NAME`, `…`)."""
    words = [word.strip("'\"") for word in re.split(r"\s+", said) if word not in ("…", "\\", ">")]
    on_cluster = words[0] == "kubectl" or "--cluster" in words
    arguments = words[2:] if words[0] == "kubectl" else [word for word in words[1:] if word != "--cluster"]
    context = click.Context(commands)
    context.params["cluster"] = on_cluster
    group: click.Command = commands
    while isinstance(group, click.Group) and arguments and (named := without_options(group, context, arguments)):
        try:
            command = group.get_command(context, named[0])
        except Refused as refused:
            return str(refused)
        if command is None:
            return f"{named[0]} is no command" if group is commands else None
        group, arguments = command, named[1:]
        context = click.Context(group, parent=context)
    try:
        group.make_parser(context).parse_args(arguments)
    except click.UsageError as error:
        return error.format_message()
    return None


def without_options(group: click.Group, context: click.Context, arguments: list[str]) -> list[str]:
    """Return what is left behind the group's own options."""
    parser = group.make_parser(context)
    parser.allow_interspersed_args = False
    try:
        return list(parser.parse_args(list(arguments))[1])
    except click.UsageError:
        return arguments


def test_a_command_that_is_none_would_be_found() -> None:
    assert mistake("penstock runn FILE")
    assert mistake("penstock run FILE --naem test")
    assert mistake("penstock datasets reset PIPELINE --no")
    assert not mistake("penstock datasets reset PIPELINE --yes")
    assert not mistake("penstock --cluster -n ml rename churn leavers")
    assert set(COMMANDS) > {"rename", "cancel"}


# --- values of the chart ----------------------------------------------------------------------------------------------


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(values, dict) and values:
        for name, value in values.items():
            yield from leaves(value, (*path, name))
    else:
        yield ".".join(path)


def is_a_value(path: str) -> bool:
    """Return whether the chart has a value of that path, or one above it that may hold anything."""
    place = yaml.safe_load((ROOT / "helm/penstock/values.yaml").read_text("utf-8"))
    for name in path.split("."):
        if not isinstance(place, dict) or not place:
            return place is None or place == {}
        if name not in place:
            return False
        place = place[name]
    return True

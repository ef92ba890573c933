"""Text of data, clusters and logs is shown by a terminal, which does nothing else of it."""

import ast
import io
import json
import logging
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

import penstock
from penstock.cli.options import Speaking
from penstock.cli.output import rows, show, table
from penstock.cli.progress import watching
from penstock.cli.terminal import TerminalConsole, echo
from penstock.local.log_lines import LogLine
from penstock_jobs import logs
from penstock_jobs.contract.terminal_text import escape_controls, has_controls

TITLE, UP, EIGHT_BIT, BACKWARDS = "\x1b]0;mine\x07", "\x1b[1A\x1b[2K", "\x9b31m", "abc\u202etxt.exe"
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("\x1b\x07\r\x9b\u202e[]\\nm"))


@given(TEXTS)
def test_no_text_holds_a_control_once_it_was_escaped(text: str) -> None:
    escaped = escape_controls(text)

    assert not has_controls(escaped)
    assert escape_controls(escaped) == escaped


@given(TEXTS)
def test_a_text_without_controls_stays_as_it_is(text: str) -> None:
    if not has_controls(text):
        assert escape_controls(text) == text


@given(st.text(st.characters(codec="utf-8")))
def test_json_means_the_same_once_it_was_escaped(text: str) -> None:
    assert json.loads(escape_controls(json.dumps({"a": text}, ensure_ascii=False))) == {"a": text}


def test_colours_of_a_log_go_without_a_trace() -> None:
    assert escape_controls("\x1b[32mgood\x1b[0m\r\n") == "good\n"


@pytest.mark.parametrize("text", [TITLE, UP, EIGHT_BIT, BACKWARDS])
@pytest.mark.parametrize("terminal", [False, True])
def test_what_is_laid_out_has_no_control_of_a_text(text: str, terminal: bool) -> None:
    written = io.StringIO()
    console = TerminalConsole(file=written, force_terminal=terminal, color_system=None, width=200)

    console.print(text, markup=False)
    console.print(Text(text))
    console.print(rows(table("a", title=text), [[text]]))
    with watching(TerminalConsole(file=written, width=200)) as watcher:
        watcher.begin_step("dataset")
        watcher.line("dataset", LogLine(text, level="WARNING"))
        watcher.end_step("dataset", text)

    assert not has_controls(written.getvalue())
    assert "\\u" in written.getvalue()


@pytest.mark.parametrize("text", [TITLE, UP, EIGHT_BIT, BACKWARDS])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_document_for_programs_holds_the_text_and_no_control(
    text: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show(Speaking(output=form), {"message": text})  # type: ignore[arg-type]

    out = capsys.readouterr().out
    assert not has_controls(out)
    assert (json.loads(out) if form == "json" else yaml.safe_load(out)) == {"message": text}


def test_a_line_on_standard_error_has_none_either(capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"penstock: {UP}", err=True)

    assert capsys.readouterr().err == "penstock: \\u001b[1A\\u001b[2K\n"


@pytest.mark.parametrize("kind", ["text", "json"])
def test_the_log_of_a_job_or_a_server_has_none(kind: logs.LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        logs.set_up("INFO", kind)
        logs.log.warning("The column %s%s%s is text.", TITLE, EIGHT_BIT, BACKWARDS)
    finally:
        logging.getLogger().handlers[:] = before

    assert not has_controls(capsys.readouterr().err)


def test_nothing_is_written_to_a_terminal_but_through_the_one_way() -> None:
    folder = Path(penstock.__file__).parent / "cli"
    completion = {"completion.py", "__init__.py"}  # what a shell is given, of names that are ours
    for path in folder.rglob("*.py"):
        if path.name == "terminal.py":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not {"print", "Console", "click.secho"} & set(called), path
        assert "click.echo" not in called or path.name in completion, path
    assert issubclass(TerminalConsole, Console)

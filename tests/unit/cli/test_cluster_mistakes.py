"""What a person is told whose cluster, kubeconfig or installation is not as it should be: one sentence, exit code 2."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock import cli

Answer = tuple[int, str | dict[str, object]]


@pytest.fixture(autouse=True)
def _nobody_elses_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    monkeypatch.setattr("penstock.remote.kubeconfig.DEFAULT", str(tmp_path / "nothing-either"))


def kubeconfig(folder: Path, server: str = "http://127.0.0.1:1", **changes: Any) -> str:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "team",
        "clusters": [{"name": "one", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "team", "context": {"cluster": "one", "user": "me", "namespace": "ml"}}],
        **changes,
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one sentence that the command ends with."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words))
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert printed.out == ""
    assert "Traceback" not in printed.err
    [line] = printed.err.splitlines()
    return line


@pytest.fixture
def server() -> Iterator[Callable[[Answer], str]]:
    """What starts an API server that always answers the same, and returns its address."""
    started: list[HTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, content = answer
                body = content if isinstance(content, str) else json.dumps(content)
                self.send_response(code)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        running = HTTPServer(("127.0.0.1", 0), Handler)
        started.append(running)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running.server_port}"

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


def test_no_kubeconfig(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No cluster is known: there is no kubeconfig" in said(capsys, "--cluster", "runs")


def test_a_run_that_cannot_be_read_is_told_of_and_the_others_are_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Callable[[Answer], str]
) -> None:
    runs = [
        {"metadata": {"name": name, "namespace": "ml", "creationTimestamp": "2026-03-01T12:00:00Z"}, "spec": spec}
        for name, spec in (("good", {"pipelineRef": {"name": "churn"}, "newField": 1}), ("bad", {"cancel": "Softly"}))
    ]
    listed: dict[str, object] = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "PipelineRunList",
        "metadata": {"resourceVersion": "1"},
        "items": runs,
    }
    path = kubeconfig(tmp_path, server((200, listed)))

    with pytest.raises(SystemExit) as ended:
        cli.main(["--cluster", "runs", "--kubeconfig", path])

    assert not ended.value.code
    printed = capsys.readouterr()
    assert "good" in printed.out
    assert "bad" not in printed.out
    assert "PipelineRun bad cannot be read: spec.cancel is not as it should be" in " ".join(printed.err.split())


def test_a_kubeconfig_that_is_named_and_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is no kubeconfig /nowhere" in said(capsys, "--cluster", "--kubeconfig", "/nowhere", "runs")
    assert "There is no kubeconfig ~nobody-at-all/k" in said(
        capsys, "--cluster", "--kubeconfig", "~nobody-at-all/k", "runs"
    )


@pytest.mark.parametrize("content", ["a: [", "- a list", "only text", "contexts: 3"])
def test_a_kubeconfig_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken"
    path.write_text(content)

    assert str(path) in said(capsys, "wait", "plr/x", "--kubeconfig", str(path))


def test_a_context_that_is_not_there_and_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sentence = said(capsys, "--cluster", "runs", "--kubeconfig", kubeconfig(tmp_path), "--context", "taem")

    assert "has no context taem; did you mean team?" in sentence


def test_a_kubeconfig_without_a_current_context(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    current: dict[str, Any] = {"current-context": ""}
    path = kubeconfig(tmp_path, **current)

    assert "choose one with --context: it has team." in said(capsys, "--cluster", "runs", "--kubeconfig", path)


@pytest.mark.parametrize(
    "changes",
    [{"clusters": []}, {"contexts": [{"name": "team", "context": {"user": "me"}}]}, {"clusters": [{"name": "one"}]}],
)
def test_a_kubeconfig_that_leads_nowhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = kubeconfig(tmp_path, **changes)

    assert "does not lead to a cluster" in said(capsys, "--cluster", "runs", "--kubeconfig", path)


def test_a_certificate_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": "/nowhere.crt"}
    path = kubeconfig(tmp_path, clusters=[{"name": "one", "cluster": cluster}])

    assert "/nowhere.crt" in said(capsys, "--cluster", "runs", "--kubeconfig", path)


def test_a_certificate_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("no certificate")
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": str(authority)}
    path = kubeconfig(tmp_path, clusters=[{"name": "one", "cluster": cluster}])

    assert "https://127.0.0.1:1" in said(capsys, "--cluster", "runs", "--kubeconfig", path)


def test_a_cluster_that_does_not_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = kubeconfig(tmp_path)

    for words in (["--cluster", "runs"], ["wait", "plr/x"], ["--cluster", "logs", "x", "-f"]):
        sentence = said(capsys, *words, "--kubeconfig", path)
        assert "The cluster at http://127.0.0.1:1 does not answer: " in sentence
        assert "Is it the one you mean?" in sentence


def test_a_cluster_without_penstock(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Callable[[Answer], str]
) -> None:
    """The API server answers so for a group that it does not know."""
    path = kubeconfig(tmp_path, server((404, "404 page not found\n")))

    for words in (
        ["--cluster", "runs"],
        ["wait", "pl/x"],
        ["--cluster", "describe", "mdl/x"],
        ["--cluster", "run", "x"],
    ):
        sentence = said(capsys, *words, "--kubeconfig", path)
        assert "has no Penstock: it does not know penstock.dev. Install it: helm install penstock" in sentence


def test_a_server_that_is_no_kubernetes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Callable[[Answer], str]
) -> None:
    path = kubeconfig(tmp_path, server((200, "<html>Welcome</html>")))

    for words in (["--cluster", "runs"], ["wait", "pl/x"]):
        assert "did not answer as Kubernetes does" in said(capsys, *words, "--kubeconfig", path)


def test_a_right_that_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Callable[[Answer], str]
) -> None:
    refusal: dict[str, object] = {
        "kind": "Status",
        "reason": "Forbidden",
        "message": 'runs is forbidden: User "me" cannot',
    }
    path = kubeconfig(tmp_path, server((403, refusal)))

    sentence = said(capsys, "--cluster", "runs", "--kubeconfig", path)

    assert 'The cluster does not let you: runs is forbidden: User "me" cannot. Ask' in sentence


@pytest.mark.parametrize("library", ["kubernetes", "aiohttp"])
def test_a_library_that_is_not_installed(library: str) -> None:
    program = f"import sys; sys.modules['{library}'] = None; from penstock.cli import main; main(['--cluster', 'runs'])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr == (
        f"penstock: To speak to a cluster the command line needs the library {library}; install it: "
        "pip install 'penstock[cluster]'.\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-n", "ml", "runs"], "--namespace says which cluster is meant; add --cluster."),
        (["--cluster", "serve", "churn"], "serve is for a laptop only; leave --cluster out."),
        (["cancel", "x"], "cancel is for a cluster only; say penstock --cluster cancel."),
        (["runs", "--cluster"], "--cluster stands before the command, as in penstock --cluster runs."),
        (["--cluster", "rums"], "No such command 'rums'."),
        (["wait"], "Missing argument"),
        (["wait", "pod/x"], "pod/x names nothing that Penstock has; write plr/NAME, pl/NAME, mdl/NAME or trg/NAME."),
        (["wait", "plr/x", "--timeout", "soon"], "--timeout is 'soon', which is no duration"),
        (["wait", "plr/x", "--for", "Ready"], "--for is Ready; write condition=NAME"),
        (["--cluster", "describe", "pod/x/y"], "No cluster is known"),
        (["--cluster", "run", "no-such-file.yaml"], "no-such-file.yaml"),
        (["--cluster", "run", "churn", "--jobs", "train"], "--jobs names train"),
    ],
)
def test_words_that_mean_nothing(capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    assert sentence in said(capsys, *words)


@pytest.mark.parametrize("name", ["", ".", "..", "UPPER", "a b", "-", "a,b=c"])
def test_a_name_that_nothing_can_have_is_the_name_of_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Callable[[Answer], str], name: str
) -> None:
    """In the path of a request it would mean another object, or all of them."""
    path = kubeconfig(tmp_path, server((200, {"metadata": {"resourceVersion": "1"}, "items": []})))

    for words in (["describe", name], ["run", name], ["logs", name], ["cancel", name]):
        assert f"{name} " in said(capsys, "--cluster", *words, "--kubeconfig", path)
    if name:
        sentence = said(capsys, "wait", f"mdl/{name}", "--for", "create", "--kubeconfig", path)
        assert f"{name!r} is no name that an object can have" in sentence


def test_the_help_tells_the_commands_of_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--cluster", "--help"])
    printed = capsys.readouterr().out

    assert ended.value.code == 0
    assert "cancel" in printed
    assert "serve" not in printed

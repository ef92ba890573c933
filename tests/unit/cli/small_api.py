"""An API server of one namespace that keeps what it is given, and the command line that speaks to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from penstock import cli

Object = dict[str, Any]
CREATED = {"namespace": "ml", "creationTimestamp": "2026-11-01T00:00:00Z"}


class Api:
    """The objects of one namespace, by their paths, and whoever asks for them."""

    def __init__(self, **objects: Object) -> None:
        self.objects: dict[str, Object] = objects
        self.forbidden: set[str] = set()
        self.deleted: list[tuple[str, Object]] = []
        self.patched: list[tuple[str, Object]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*api.read(self._path()))

            def do_POST(self) -> None:
                made = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = f"{self._path()}/{made['metadata']['name']}"
                if path in api.objects:
                    self._answer(409, {"kind": "Status", "reason": "AlreadyExists", "message": "exists"})
                    return
                api.objects[path] = {**made, "metadata": {**made["metadata"], **CREATED, "uid": path}}
                self._answer(201, api.objects[path])

            def do_PATCH(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.patched.append((self._path(), content))
                self._answer(200, api.objects[self._path()])

            def do_DELETE(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.deleted.append((self._path(), asked))
                self._answer(200, api.objects.pop(self._path()))

            def _path(self) -> str:
                return urlsplit(self.path).path.partition("/namespaces/ml/")[2]

            def _answer(self, code: int, content: Object) -> None:
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self, path: str) -> tuple[int, Object]:
        """Return the code and the answer to who reads an object, or the list of a kind."""
        if path in self.forbidden:
            return 403, {"kind": "Status", "reason": "Forbidden", "message": f"{path} is forbidden"}
        found = self.objects.get(path)
        if found is None and "/" in path:
            return 404, {"kind": "Status", "reason": "NotFound", "message": f'"{path}" not found'}
        listed = [each for name, each in self.objects.items() if name.startswith(f"{path}/")]
        return 200, found or {"metadata": {"resourceVersion": "1"}, "items": listed}

    def runs(self) -> list[Object]:
        return [each for path, each in self.objects.items() if path.startswith("pipelineruns/")]


@contextmanager
def serve_api(objects: dict[str, Object], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Yield an API server that has these objects, by their paths, and that the kubeconfig names."""
    made = Api(**objects)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "team",
        "clusters": [{"name": "one", "cluster": {"server": f"http://127.0.0.1:{made.server.server_port}"}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "team", "context": {"cluster": "one", "user": "me", "namespace": "ml"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(path))
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    """Say `penstock --cluster …`; return what it printed, and what it said beside."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--cluster", *words])
    printed = capsys.readouterr()
    assert (ended.value.code or 0) == code, printed.err
    return printed.out, printed.err

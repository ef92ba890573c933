"""`make demo`: two examples from their tables to tested Models, then one of them behind its API, asked over HTTP.

Everything is kept in ./demo; `penstock … --home demo` looks at it afterwards.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import duckdb
import numpy as np
from rich.console import Console

EXAMPLES = Path(__file__).resolve().parent
HOME = EXAMPLES.parent / "demo"
PENSTOCK = Path(sys.executable).with_name("penstock")

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demonstration; return the exit code of the first command that did not end well."""
    for example in ("diabetes", "breast-cancer"):
        code = _penstock("run", str(EXAMPLES / f"{example}.yaml"))
        if code != 0:
            return code
    _ask_server("breast-cancer", _first_row(EXAMPLES / "data" / "breast-cancer.parquet"))
    _step("penstock runs --home demo")
    return _penstock("runs")


def _penstock(*words: str) -> int:
    if words[0] == "run":
        _step(f"penstock run {Path(words[1]).relative_to(EXAMPLES.parent)} --home demo")
    return subprocess.run([PENSTOCK, *words, "--home", HOME], check=False).returncode


def _ask_server(pipeline: str, row: dict[str, Any]) -> None:
    """Start the inference server on a free port, ask it about one row, and stop it."""
    _step(f"penstock serve {pipeline} --port 0 --home demo")
    command = [str(PENSTOCK), "serve", pipeline, "--port", "0", "--home", str(HOME)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().rpartition(" ")[2].strip()
        if not address:
            raise SystemExit(server.wait())
        metadata = _json(f"{address}/v2/models/{pipeline}")
        asked = {feature["name"]: row[feature["name"]] for feature in metadata["inputs"]}
        url = f"{address}/v1/models/{pipeline}:predict"
        body = json.dumps({"instances": [asked]}).encode()
        console.print(f"POST {url}", markup=False)
        console.print(f"  {body.decode()[:140]}… }}]}}", markup=False)
        answer = _json(url, body)
        console.print(f"  {json.dumps(answer)}   (in the table: {row['diagnosis']})", markup=False)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _json(url: str, body: bytes | None = None) -> Any:
    request = Request(url, body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as response:
        return json.load(response)


def _first_row(path: Path) -> dict[str, Any]:
    with duckdb.connect() as database:
        columns = database.execute("SELECT * FROM read_parquet(?) LIMIT 1", [str(path)]).fetchnumpy()
    return {name: np.asarray(values).item() for name, values in columns.items()}


def _step(text: str) -> None:
    console.rule()
    console.print(f"$ {text}", style="bold", markup=False)


if __name__ == "__main__":
    sys.exit(main())

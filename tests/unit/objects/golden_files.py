"""Golden files: what an object is to be, in a file that people read. `PENSTOCK_GOLDEN=write` writes them anew."""

import os
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "golden"


def assert_golden(name: str, *objects: dict[str, Any]) -> None:
    path = FOLDER / f"{name}.yaml"
    text = yaml.safe_dump_all(objects, sort_keys=False, width=120, default_style=None)
    if os.environ.get("PENSTOCK_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert list(yaml.safe_load_all(path.read_text("utf-8"))) == list(objects)

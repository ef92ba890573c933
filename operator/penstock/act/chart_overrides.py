"""The pattern that the chart's policy of overrides goes by, written from `penstock.api.override_rights`.

`make generated` writes it to helm/penstock/files/overrides.yaml.
"""

import sys
from pathlib import Path

import yaml

from penstock.api.override_rights import path_pattern

HEADER = "# Generated from operator/penstock/api/override_rights.py by `make generated`; a change here is lost.\n"


def text() -> str:
    """Return the file: what whoever may make a run may override. All else is for who may update the Pipeline."""
    return HEADER + yaml.safe_dump({"changedByAnyRun": path_pattern("Run")}, width=110)


def main(path: str) -> None:
    """Write it."""
    Path(path).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

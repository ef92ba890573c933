"""`python -m penstock.api.crd FOLDER`: write the four CustomResourceDefinitions to a folder."""

import sys
from pathlib import Path

from penstock.api.definitions import KINDS, text


def main(arguments: list[str]) -> int:
    """Write each CustomResourceDefinition to a file in the folder."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind.plural}.yaml").write_text(text(kind), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

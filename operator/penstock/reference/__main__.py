"""`python -m penstock.reference DOCS`: write the pages of the reference and the editors' schemas to that folder."""

import sys
from pathlib import Path

from penstock.api.definitions import KINDS
from penstock.reference.commands import command_line_page
from penstock.reference.conditions import conditions_page
from penstock.reference.documents import documents_page
from penstock.reference.editors import editor_file
from penstock.reference.kinds import kind_page
from penstock.reference.metrics import metrics_page
from penstock.reference.overrides import overrides_page
from penstock.reference.remarks import remarks_page

BY_HAND = frozenset({"reference/split.md"})  # definitions that programs of others are checked against


def files() -> dict[str, str]:
    """Return the text of each file, by its path in the folder of the docs."""
    pages = {f"reference/{kind.name.lower()}.md": kind_page(kind) for kind in KINDS}
    pages |= {
        "reference/command-line.md": command_line_page(),
        "reference/conditions.md": conditions_page(),
        "reference/metrics.md": metrics_page(),
        "reference/overrides.md": overrides_page(),
        "reference/remarks.md": remarks_page(),
        "reference/documents.md": documents_page(),
    }
    schemas = {f"schemas/{kind.name.lower()}.json": editor_file(kind) for kind in KINDS}
    return pages | schemas


def main(arguments: list[str]) -> int:
    """Write them, and remove what is there, is none of them and was not written by hand."""
    docs = Path(arguments[0])
    made = files()
    for folder in {(docs / name).parent for name in made}:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if str(path.relative_to(docs)) not in BY_HAND | made.keys():
                path.unlink()
    for name, text in made.items():
        (docs / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

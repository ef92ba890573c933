"""The documents as the tests read them: their pages, and the blocks between fences with what is said of each.

The first word after the fence is the language, which the code host colours; the words behind it are for the tests:

    ```sh                  run, in the order of the page, in one shell; each line has to succeed
    ```console             run as well: lines that begin with `$ `, and beneath each what it prints (`…` is anything)
    ```console exit=2      the same, of a command that ends so
    ```sh server           run in the background, until the page ends
    ```python              run with the Python that penstock is installed in
    ```yaml file=NAME      written to that file, and a manifest that must be valid
    ```yaml                a whole manifest, which must be valid
    ```yaml spec.dataset   a part of a Pipeline, at that place; a Pipeline with it must be valid
    ```yaml local          a local.yaml
    ```yaml values         values of the chart
    ```yaml other          of another program's
    ```sh cluster          not run here: the command line's options, the chart's values and the files must be there
    ```sh install          not run: the extras must be there
    ```sh make             not run: the targets must be there

Everything else (`text`, `mermaid`…) is to be looked at only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock_command import ROOT

FENCE = re.compile(r"^( *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^\1```[ ]*$", re.DOTALL | re.MULTILINE)
KINDS = {
    "sh": {"", "server", "cluster", "install", "make"},
    "console": {"", "exit"},
    "python": {"", "module"},
    "yaml": {"", "file", "local", "values", "other", "spec"},
    "text": {""},
    "json": {""},
    "mermaid": {""},
    "dockerfile": {""},
}


@dataclass(frozen=True)
class Block:
    """What is between two fences."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{name_of(self.page)}:{self.line}"

    @property
    def kind(self) -> str:
        """The mark without its value: `file` for `file=customers.yaml`, `spec` for `spec.dataset`."""
        return re.split(r"[=.]", self.mark)[0]

    @property
    def value(self) -> str:
        """What is behind the `=` of the mark."""
        return self.mark.partition("=")[2]

    @property
    def is_run(self) -> bool:
        """Whether a page's session runs it, or writes it to a file."""
        return (self.language, self.kind) in {
            ("sh", ""),
            ("sh", "server"),
            ("console", ""),
            ("console", "exit"),
            ("python", ""),
            ("yaml", "file"),
        }

    def commands(self) -> list[str]:
        """Return its lines of shell, continued lines as one."""
        if self.language == "console":
            return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]
        return [line for line in self.text.replace("\\\n", " ").splitlines() if line.strip()]


def pages() -> list[Path]:
    """Return every page that a reader is led to."""
    return sorted(
        [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples/README.md", *ROOT.glob("docs/**/*.md")]
    )


def name_of(page: Path) -> str:
    """Return the page's path in the repository, to call a test by."""
    return (page.relative_to(ROOT) if page.is_relative_to(ROOT) else page).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page, in their order."""
    return list(_blocks(page, page.read_text("utf-8")))


def _blocks(page: Path, text: str) -> Iterator[Block]:
    for found in FENCE.finditer(text):
        language, _, mark = found["info"].strip().partition(" ")
        indent = len(found[1])
        body = "\n".join(line[indent:] for line in found["text"].splitlines()) + "\n"
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, mark.strip(), body)

"""What the pages of the reference are put together from."""

import re
from collections.abc import Iterable, Sequence

HEADER = "<!-- Generated from the code by `make generated`; a change here is lost. -->"


def page(title: str, *blocks: str | Iterable[str]) -> str:
    """Return a page: a heading, and blocks with an empty line between them."""
    found = [HEADER, f"# {title}"]
    for block in blocks:
        found.extend([block] if isinstance(block, str) else block)
    return "\n\n".join(each for each in found if each) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what its cells hold is Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def prose(text: str) -> str:
    """Return text of the types as Markdown: what is in backticks is code there too, and the rest is only text."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<>*_\[\]\\])", r"\\\1", part) for part in parts)


def code(text: str) -> str:
    """Return text as code in a line."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def codes(names: Iterable[str]) -> str:
    """Return names as code, as a person lists them."""
    return ", ".join(map(code, names))


def anchor(heading: str) -> str:
    """Return the fragment by which a heading is linked."""
    return "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

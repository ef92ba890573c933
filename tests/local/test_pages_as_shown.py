"""What the README and the pages show can be done as it is shown: each page is a session, run from its top to its end.

The pages about a finished run go on with that of the tutorial; each has a copy of it.
"""

from pathlib import Path

import pytest

from page_blocks import blocks_of, name_of, pages
from page_sessions import Said, Session, is_as_shown
from penstock_command import ROOT

TUTORIAL = ROOT / "docs/tutorials/your-own-table.md"
README = ROOT / "README.md"
# Pages of their own: the tutorial, and the README, whose `make demo` has run the examples before.
BEGINNINGS = {TUTORIAL, README}
RUN = [page for page in pages() if any(block.is_run for block in blocks_of(page))]


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, list[Said]]:
    session = Session(tmp_path_factory.mktemp("tutorial")).prepare()
    return session, session.run(TUTORIAL)


def test_the_tutorial_can_be_followed(tutorial: tuple[Session, list[Said]]) -> None:
    assert not (found := differences(tutorial[1])), found


@pytest.mark.parametrize("page", [page for page in RUN if page not in BEGINNINGS], ids=name_of)
def test_a_page_that_goes_on_with_the_tutorial_can_be_followed(
    page: Path, tutorial: tuple[Session, list[Said]], tmp_path: Path
) -> None:
    session = tutorial[0].copied_to(tmp_path / "page")

    said = session.run(page, "." if page.parent.name == "examples" else "customers")

    assert not (found := differences(said)), found


def test_the_readme_can_be_followed_after_the_demonstration(tmp_path: Path) -> None:
    session = Session(tmp_path).prepare()
    session.demonstrate("diabetes")

    assert not (found := differences(session.run(README))), found


def differences(said: list[Said]) -> str:
    """Return what was printed otherwise than shown."""
    return "\n\n".join(
        f"{each.block.place}: {each.command}\nprinted\n{each.printed}\nand the page shows\n{each.shown}"
        for each in said
        if not is_as_shown(each.printed, each.shown)
    )

"""What a session of a page counts as shown, and what not; and that a command that fails ends it."""

from pathlib import Path

import pytest

from page_sessions import Session, is_as_shown


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("it is 205.85093184691212\n", "it is 205.8…\n"),
        ("score   0.97  is  better\n", "score 0.9641 is better\n"),
        ("begins\ncounts\nends\n", "…\nends\n"),
        ("begins\nends\n", "begins\n…\nends\n"),
        ("the report is at /tmp/a/report.html\n", "the report is at …/report.html\n"),
        ("\n ─────── \nchurn-run-linear-0aa11b\n", "churn-run-linear-99ff00\n"),
    ],
)
def test_scores_hashes_space_and_what_is_left_out_may_differ(printed: str, shown: str) -> None:
    assert is_as_shown(printed, shown)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("400 rows predicted\n", "400 rows are predicted\n"),
        ("400 rows predicted\n", "397 rows predicted\n"),
        ("begins\nends\n", "begins\n"),
        ("begins\n", "begins\nends\n"),
        ("begins\ncounts\nends\n", "begins\nends\n"),
    ],
)
def test_words_counts_and_lines_may_not(printed: str, shown: str) -> None:
    assert not is_as_shown(printed, shown)


def test_a_page_is_one_shell_and_knows_what_each_of_its_commands_printed(tmp_path: Path) -> None:
    session, page = session_with(tmp_path, "```sh\nword=there\n```\n\n```console\n$ echo $word\nhere\n```\n")

    [said] = session.run(page)

    assert (said.command, said.printed.strip(), said.shown.strip()) == ("echo $word", "there", "here")


def test_a_command_that_fails_ends_the_session_and_is_named(tmp_path: Path) -> None:
    session, page = session_with(tmp_path, "```sh\necho once\n```\n\n```sh\nfalse\necho twice\n```\n")

    with pytest.raises(AssertionError, match=r"page\.md:5 ended with 1"):
        session.run(page)


def test_a_command_that_is_said_to_fail_has_to(tmp_path: Path) -> None:
    session, page = session_with(tmp_path, "```console exit=2\n$ true\n```\n")

    with pytest.raises(AssertionError, match=r"page\.md:1"):
        session.run(page)


def session_with(folder: Path, text: str) -> tuple[Session, Path]:
    page = folder / "page.md"
    page.write_text(text)
    session = Session(folder / "session")
    session.work.mkdir(parents=True)
    return session, page

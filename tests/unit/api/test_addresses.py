"""A parameter is one segment of an input's address, and leads nowhere but beneath the author's own folder."""

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.addresses import is_segment, names_in_address, put_in_address

TEXTS = st.text(st.sampled_from("a1é_.=+@:-/\\%~*?[]{}# \n\x00") | st.characters(), max_size=6)


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("s3://lake/{asOf}/rows.csv", ("asOf",)),
        ("{region}/{asOf}/{region}", ("region", "asOf")),
        ("s3://lake/day={asOf}/rows.csv", ()),
        ("s3://lake/{a,b}/*.csv", ()),
        ("rows.csv", ()),
    ],
)
def test_only_a_whole_segment_is_a_parameter(uri: str, names: tuple[str, ...]) -> None:
    assert names_in_address(uri) == names


@given(TEXTS, st.sampled_from(["s3://lake/in/{x}/rows", "file:///in/{x}/rows", "in/{x}/rows"]))
def test_whatever_may_be_a_segment_stays_beneath_the_folder(text: str, uri: str) -> None:
    if not is_segment(text):
        return
    made = put_in_address(uri, {"x": text})

    before, after = urlsplit(uri), urlsplit(made)
    assert (after.scheme, after.netloc, after.query, after.fragment) == (before.scheme, before.netloc, "", "")
    path = PurePosixPath(unquote(after.path))
    assert path.parts == tuple(text if part == "{x}" else part for part in PurePosixPath(before.path).parts)


@given(TEXTS, TEXTS)
def test_no_two_segments_make_another_scheme(one: str, other: str) -> None:
    if is_segment(one) and is_segment(other):
        assert "://" not in put_in_address("{one}//{other}/rows", {"one": one, "other": other})


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "*",
        "a?",
        "[a]",
        "{a}",
        "%2e%2e",
        "~root",
        "a\n",
        "a\x00",
        "s3:",
        "a#b",
        " ",
        "a" * 129,
    ],
)
def test_what_could_lead_elsewhere_or_to_many_files_is_no_segment(text: str) -> None:
    assert not is_segment(text)


@pytest.mark.parametrize(
    "text", ["2026-11-07", "2026-11-07T03:00:00Z", "north", "Zürich", "v1.2_3", "day=7", "a" * 128]
)
def test_days_moments_and_names_are_segments(text: str) -> None:
    assert is_segment(text)

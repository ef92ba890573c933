"""YAML is read exactly as kubectl reads it: the values are its own, of sigs.k8s.io/yaml 1.6, through JSON."""

import pytest

from penstock.api.findings import Position
from penstock.api.manifests import read_manifests

KUBECTL = [
    ("1", 1),
    ("1.0", 1),
    ("1.5", 1.5),
    ("1e3", 1000),
    ("1e-3", 0.001),
    ("1e400", "1e400"),
    ("1e20", 1e20),
    ("010", 8),
    ("08", 8),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b11", 3),
    ("-0b11", -3),
    ("+12", 12),
    ("1_000", 1000),
    ("1_0.5", 10.5),
    (".5", 0.5),
    ("._5", "._5"),
    (".5_", ".5_"),
    (".5_1", 0.51),
    ("5.", 5),
    ("0.30", 0.3),
    ("9223372036854775807", 9223372036854775807),
    ("9223372036854775808", 9.223372036854775808e18),
    ("123456789012345678901", 1.2345678901234568e20),
    ("yes", True),
    ("Yes", True),
    ("yEs", "yEs"),
    ("y", True),
    ("on", True),
    ("no", False),
    ("N", False),
    ("Off", False),
    ("TRUE", True),
    ("tRUE", "tRUE"),
    ("~", None),
    ("Null", None),
    ("nULL", "nULL"),
    ("", None),
    ("None", "None"),
    ("2001-01-01", "2001-01-01"),
    ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
    ("12:30:45", "12:30:45"),
    ("20%", "20%"),
    ("1h", "1h"),
    ("inf", "inf"),
    ("nan", "nan"),
    ("1.2.3", "1.2.3"),
    ("'12'", "12"),
    ('"1.0"', "1.0"),
    ("!!str 12", "12"),
    ("!!str yes", "yes"),
    ("! 12", "12"),
    ("&a 12", 12),
    ("[1.0, yes]", [1, True]),
    ("{1: a, yes: b, 1.5: c}", {"1": "a", "true": "b", "1.5": "c"}),
]


@pytest.mark.parametrize(("text", "value"), KUBECTL)
def test_a_scalar_means_what_it_means_to_kubectl(text: str, value: object) -> None:
    [manifest] = read_manifests(f"x: {text}\n")
    assert manifest.value == {"x": value}
    assert type(manifest.value["x"]) is type(value)
    assert manifest.faults == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &a {p: 1, q: 2}\nx: {<<: *a, q: 3}", {"p": 1, "q": 3}),
        ("a: &a {p: 1}\nb: &b {p: 2, r: 4}\nx: {<<: [*a, *b]}", {"p": 1, "r": 4}),
        ("a: &a {p: 1}\nx: {q: 1, <<: *a, p: 5}", {"q": 1, "p": 5}),
        ("a: &a [1, 2]\nx: *a", [1, 2]),
        ("x: >\n  a\n  b\n\n  c\n", "a b\nc\n"),
    ],
)
def test_aliases_merges_and_folded_text_are_read_as_kubectl_reads_them(
    text: str, value: dict[str, int] | list[int] | str
) -> None:
    [manifest] = read_manifests(text)
    assert manifest.value["x"] == value


def test_a_key_given_twice_is_a_fault_where_it_stands_again() -> None:
    [manifest] = read_manifests("a: 1\nb: 2\na: 3\n")
    [fault] = manifest.faults
    assert (fault.field, fault.sentence) == ("a", "is given twice; kubectl would take the last, so remove one")
    assert fault.place == Position(3, 1)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".NaN"])
def test_a_number_that_json_cannot_say_is_a_fault(text: str) -> None:
    [manifest] = read_manifests(f"x: {text}\n")
    assert [fault.field for fault in manifest.faults] == ["x"]


def test_every_field_has_its_line_and_column_and_a_missing_one_has_its_parents() -> None:
    [manifest] = read_manifests("a:\n  b:\n  - c: 1\n  - {d: 2}\n")
    assert manifest.place(("a", "b", 0, "c")) == Position(3, 5)
    assert manifest.place(("a", "b", 1, "d")) == Position(4, 6)
    assert manifest.place(("a", "b", 1, "e")) == Position(4, 5)
    assert manifest.place(("z",)) == Position(1, 1)


def test_documents_of_one_file_are_apart_and_empty_ones_are_left_out() -> None:
    manifests = read_manifests("a: 1\n---\n# nothing\n---\nb: 2\n")
    assert [manifest.value for manifest in manifests] == [{"a": 1}, {"b": 2}]
    assert manifests[1].place(("b",)) == Position(5, 1)

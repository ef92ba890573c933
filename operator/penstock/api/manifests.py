"""Reading manifests exactly as kubectl does, and remembering where each field stands.

kubectl reads YAML 1.1 with Go's yaml.v2 and stores JSON. So `yes`, `no`, `on` and `off` are truth values, `1e-3` is a
number, `010` is eight, a date is text, and `1.0` arrives as `1`. PyYAML gives the syntax tree; what a scalar means is
decided here, by the rules of `resolve.go` of go.yaml.in/yaml/v2. A key given twice is
refused: kubectl would take the last and say nothing.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

import yaml

from penstock.api.findings import Fault, Path, Position

MOST_NODES = 200_000  # an alias may stand for many; kubectl refuses what unfolds without end, and so must we
MOST_LEVELS = 200
MOST_CHARACTERS = 2**24  # the API server takes requests of 3 MB, and a file may hold several manifests
_TRUE = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
_FALSE = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
_NULL = {"", "~", "null", "Null", "NULL"}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LOOSE_UNDERSCORE = re.compile(r"(?<![0-9])_|_(?![0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.]+(Z|[-+][0-9:]+)?)?")
_BASES = {"0x": 16, "0X": 16, "0o": 8, "0O": 8, "0b": 2, "0B": 2}
_TAG = "tag:yaml.org,2002:"
_TEXT_TAG = re.compile(r"(&\S+\s+)?!(!str|<tag:yaml\.org,2002:str>|(?=\s))")


@dataclass
class Manifest:
    """A document of a file: its value as JSON has it, where each path stands, and what is wrong with the YAML."""

    value: Any = None
    places: dict[Path, Position] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path) -> Position:
        """Return where the path stands; where it is not there, where the nearest one above it does."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Position(1, 1)


class NotYamlError(Exception):
    """The file is not YAML. It carries where, and a sentence."""

    def __init__(self, place: Position, sentence: str):
        super().__init__(sentence)
        self.place = place
        self.sentence = sentence


def read_text(path: File) -> str:
    """Return the text of a file, no more of it than shows that it is too much: a device has no end."""
    with path.open(encoding="utf-8") as file:
        return file.read(MOST_CHARACTERS + 1)


def read_manifests(text: str) -> list[Manifest]:
    """Return the documents of a file that are not empty.

    Raises:
        NotYamlError: the file cannot be parsed.
    """
    if len(text) > MOST_CHARACTERS:
        raise NotYamlError(Position(1, 1), "This is larger than 16 MiB, and no manifest is; name another file.")
    try:
        _refuse_the_boundless(text)
        roots = list(yaml.compose_all(text, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        problem = " ".join(str(error.problem or error.context).split())
        raise NotYamlError(place, f"This is not YAML: {problem}.") from error
    except yaml.YAMLError as error:
        raise NotYamlError(Position(1, 1), f"This is not YAML: {' '.join(str(error).split())}.") from error
    manifests = [_Reading(text).manifest(root) for root in roots if root is not None]
    return [manifest for manifest in manifests if manifest.value is not None]


def _refuse_the_boundless(text: str) -> None:
    """Count the nodes and levels of a text before a tree is made of it: the parser's own recursion has no bound."""
    nodes = levels = 0
    for event in yaml.parse(text, Loader=_loader()):
        nodes += isinstance(event, yaml.NodeEvent)
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if nodes > MOST_NODES or levels > MOST_LEVELS:
            raise _unfolds(event)


def _unfolds(where: yaml.Node | yaml.Event) -> NotYamlError:
    return NotYamlError(_position_of(where), "This unfolds into too much; write it without so many aliases or levels.")


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Reading:
    """The reading of one document: a walk over the syntax tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.read = Manifest()
        self.nodes = 0
        self.merges = 0

    def manifest(self, root: yaml.Node) -> Manifest:
        self.read.places[()] = _position_of(root)
        self.read.value = self._value(root, ())
        return self.read

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES or len(path) > MOST_LEVELS:
            raise _unfolds(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(each, (*path, index)) for index, each in enumerate(node.value)]
        return self._scalar(node, path)

    def _item(self, node: yaml.Node, path: Path) -> Any:
        self.read.places[path] = _position_of(node)
        return self._value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                merged = self._merge(value_node, path) | merged
                continue
            key = self._key(key_node, path)
            if key in own:
                self._fault((*path, key), "is given twice; kubectl would take the last, so remove one", key_node)
                continue
            self.read.places[(*path, key)] = _position_of(key_node)
            own[key] = self._value(value_node, (*path, key))
        return merged | own

    def _merge(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        self.nodes += 1
        if self.nodes > MOST_NODES or self.merges > MOST_LEVELS:
            raise _unfolds(node)  # a mapping may merge itself: the path, which stays the same, does not tell
        self.merges += 1
        try:
            return self._merged(node, path)
        finally:
            self.merges -= 1

    def _merged(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        if isinstance(node, yaml.SequenceNode):
            merged: dict[str, Any] = {}
            for each in node.value:
                merged = self._merge(each, path) | merged
            return merged
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        self._fault(path, "merges (<<) what is no mapping; name a mapping there", node)
        return {}

    def _key(self, node: yaml.Node, path: Path) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._fault(path, "has a key that is no text; write the key as text", node)
            return "?"
        key = self._scalar(node, path)
        if key is None:
            self._fault(path, "has an empty key; write the key as text", node)
            return "?"
        if isinstance(key, bool):
            return "true" if key else "false"
        return key if isinstance(key, str) else f"{key:.7g}" if isinstance(key, float) else str(key)

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text = str(node.value)
        if getattr(node, "style", None) in ("'", '"', "|", ">") or self._is_tagged_text(node):
            return text
        if node.tag == f"{_TAG}binary":
            self._fault(path, "is tagged !!binary, which no field is; write it as text", node)
        value = plain_value(text)
        if isinstance(value, float) and not math.isfinite(value):
            self._fault(path, f"is {text}, which JSON cannot say; write a finite number or, quoted, text", node)
            return None
        return value

    def _is_tagged_text(self, node: yaml.Node) -> bool:
        """Return whether a tag says that this is text: the tree has the same tag for text that nobody tagged."""
        source = self.text[node.start_mark.index : node.end_mark.index]
        return _TEXT_TAG.match(source) is not None or node.tag.startswith("!")

    def _fault(self, path: Path, sentence: str, node: yaml.Node) -> None:
        self.read.faults.append(Fault(path, sentence, place=_position_of(node)))


def plain_value(text: str) -> Any:
    """Return what an unquoted scalar means: a truth value, nothing, a number or text."""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NULL:
        return None
    if _NOT_FINITE.fullmatch(text):
        return math.inf
    if text[0] not in "+-.0123456789" or _DATE.fullmatch(text):
        return text
    if text.startswith(".") and _LOOSE_UNDERSCORE.search(text):
        return text  # Go's own reader of numbers has it then, which wants underscores between digits
    plain = text.replace("_", "")
    number: int | float | None = _integer(plain)
    if number is None and _FLOAT.fullmatch(plain):
        number = float(plain)
    return text if number is None or math.isinf(number) else _as_json(number)


def _integer(plain: str) -> int | None:
    """Return the integer as Go's ParseInt with base 0 reads it: 0x, 0o, 0b, and octal after a leading zero."""
    sign = -1 if plain.startswith("-") else 1
    digits = plain[1:] if plain[:1] in ("+", "-") else plain
    base = _BASES.get(digits[:2], 8 if len(digits) > 1 and digits.startswith("0") else 10)
    digits = digits[2:] if digits[:2] in _BASES else digits
    if not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return None
    try:
        number = sign * int(digits, base)
    except ValueError:
        return None
    return number if -(2**63) <= number < 2**64 else None


def _as_json(number: float) -> int | float:
    """Return the number as it comes back from JSON: a whole one has no point there, so it is an integer."""
    if not -(2**63) <= number < 2**63:
        return float(number)
    return int(number) if float(number).is_integer() and not isinstance(number, int) else number


def _position_of(node: yaml.Node | yaml.Event) -> Position:
    mark = node.start_mark
    return Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)

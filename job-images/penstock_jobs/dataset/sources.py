"""From an input of the manifest to local files, and to the SQL that reads them as one relation."""

import fnmatch
import glob
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import InputSpec, Shard
from penstock_jobs.dataset.delta_input import DeltaFiles, delta_files
from penstock_jobs.storage import open_store
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.engine import path_list
from penstock_jobs.tables.files import fetch_file
from penstock_jobs.tables.text_table import WHOLE_FILE

Format = Literal["CSV", "JSONLines", "Parquet", "Delta"]

_ENDINGS: dict[str, Format] = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".jsonl": "JSONLines",
    ".ndjson": "JSONLines",
    ".json": "JSONLines",
    ".parquet": "Parquet",
}
# Not BOOLEAN: DuckDB would make one of "yes" and "no" too, which are classes with names.
_GUESSES = "auto_type_candidates = ['BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'TIMESTAMPTZ', 'VARCHAR']"
_COMPRESSIONS = (".gz", ".zst")
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class InputFiles:
    """An input, found: its format and its files, all of them local. `delta` is set for a Delta table."""

    name: str
    format: Format
    files: tuple[Path, ...]
    declared: InputSpec
    delta: DeltaFiles | None = None

    @property
    def is_text(self) -> bool:
        """Whether the types of the columns are guessed from text."""
        return self.format in ("CSV", "JSONLines")

    @property
    def delimiter(self) -> str | None:
        """What is between the values of a CSV file, where that is known."""
        tabs = all(".tsv" in file.name.lower() for file in self.files)
        return self.declared.delimiter or ("\t" if tabs else None)


def find_input_files(declared: InputSpec, shard: Shard, scratch: Path) -> InputFiles:
    """Return the input with those of its files that are this shard's, downloaded to `scratch` where they are remote."""
    folder = scratch / "inputs" / declared.name
    if declared.format == "Delta":
        delta = delta_files(declared, shard, folder)
        return InputFiles(declared.name, "Delta", delta.files, declared, delta)
    found = _matching_files(declared)
    kind = declared.format or _guess_format(declared, found)
    if kind == "Delta":
        delta = delta_files(declared, shard, folder)
        return InputFiles(declared.name, "Delta", delta.files, declared, delta)
    mine = [key for index, key in enumerate(found) if index % shard.count == shard.index]
    store = open_store(replace(declared.location, uri=_split_at_glob(declared.location.uri)[0]))
    files = tuple(fetch_file(store, key, folder) for key in mine)
    return InputFiles(declared.name, kind, files, declared)


def relation(source: InputFiles, types: dict[str, str]) -> str:
    """Return the SQL that reads the source; `types` fixes the type of columns of text files."""
    files = path_list(source.files)
    match source.format:
        case "CSV":
            options = [
                f"read_csv({files}",
                "union_by_name = true",
                "allow_quoted_nulls = true",
                WHOLE_FILE,
                _GUESSES,
            ]
            if source.delimiter is not None:
                options.append(f"delim = {quote_literal(source.delimiter)}")
            if source.declared.null_values:
                options.append("nullstr = [" + ", ".join(map(quote_literal, ("", *source.declared.null_values))) + "]")
            return ", ".join([*options, *_type_options(types), "sample_size = 200000)"])
        case "JSONLines":
            read = f"read_json({files}, format = 'newline_delimited', union_by_name = true, sample_size = 200000)"
            return _cast(read, types)
        case "Parquet":
            return f"read_parquet({files}, union_by_name = true)"
        case "Delta":
            if source.delta is None:
                raise AssertionError("a Delta source has its files listed")
            return source.delta.relation()


def _matching_files(declared: InputSpec) -> list[str]:
    uri = declared.location.uri
    root, pattern = _split_at_glob(uri)
    if urlsplit(uri).scheme == "file":
        found = _local_files(Path(unquote(urlsplit(root).path)), pattern)
    else:
        found = _remote_files(declared, root, pattern)
    if not found:
        kind = "No file matches" if _MAGIC.search(pattern) else "There is no file"
        raise Refused(f"{kind} {uri}, the uri of the input '{declared.name}' (spec.dataset.inputs).")
    return found


def _local_files(root: Path, pattern: str) -> list[str]:
    path = root / pattern
    if not _MAGIC.search(pattern) and path.is_dir():
        if (path / "_delta_log").is_dir():
            return [pattern]
        found = [file for file in path.rglob("*") if file.is_file()]
    elif _MAGIC.search(pattern):
        found = [Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file()]
    else:
        found = [path] if path.is_file() else []
    visible = [file.relative_to(root) for file in found]
    return sorted(file.as_posix() for file in visible if not any(part.startswith((".", "_")) for part in file.parts))


def _remote_files(declared: InputSpec, root: str, pattern: str) -> list[str]:
    store = open_store(replace(declared.location, uri=root))
    literal_part = _MAGIC.split(pattern)[0]
    keys = store.keys(literal_part)
    if any(key.startswith(f"{pattern}/_delta_log/") for key in keys):
        return [pattern]
    if _MAGIC.search(pattern):
        keys = [key for key in keys if fnmatch.fnmatchcase(key, pattern)]
    else:
        keys = [key for key in keys if key == pattern or key.startswith(pattern.rstrip("/") + "/")]
    return [key for key in keys if not any(part.startswith((".", "_")) for part in key.split("/"))]


def _split_at_glob(uri: str) -> tuple[str, str]:
    """Return the folder before the first glob character, and the rest, which is relative to it."""
    magic = _MAGIC.search(uri)
    folder = (uri[: magic.start()] if magic else uri.rstrip("/")).rpartition("/")[0]
    return folder, uri.rstrip("/")[len(folder) + 1 :]


def _guess_format(declared: InputSpec, found: list[str]) -> Format:
    kinds = {_format_of(name) for name in found}
    if len(found) == 1 and not Path(found[0]).suffix:
        return "Delta"
    if len(kinds) != 1 or None in kinds:
        raise Refused(
            f"The format of the input '{declared.name}' ({declared.location.uri}) cannot be told from the endings of "
            "its "
            "files; set its `format` to CSV, JSONLines, Parquet or Delta."
        )
    return next(kind for kind in kinds if kind is not None)


def _format_of(name: str) -> Format | None:
    path = Path(name.lower())
    return _ENDINGS.get(path.with_suffix("").suffix if path.suffix in _COMPRESSIONS else path.suffix)


def _type_options(types: dict[str, str]) -> list[str]:
    if not types:
        return []
    return [
        "types = {" + ", ".join(f"{quote_literal(name)}: {quote_literal(kind)}" for name, kind in types.items()) + "}"
    ]


def _cast(read: str, types: dict[str, str]) -> str:
    if not types:
        return read
    casts = ", ".join(
        f"CAST({quote_identifier(name)} AS {kind}) AS {quote_identifier(name)}" for name, kind in types.items()
    )
    return f"(SELECT * REPLACE ({casts}) FROM {read})"

"""From an input of the manifest to local files, and to the SQL that reads them as one relation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import InputSpec, Shard
from penstock_jobs.dataset.delta_input import DeltaFiles, delta_files
from penstock_jobs.storage import open_store
from penstock_jobs.storage.matching import MatchingFiles, is_glob, matching_files
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
    matching = _matching_files(declared)
    found = [each.key for each in matching.files]
    kind = declared.format or ("Delta" if matching.is_delta else _guess_format(declared, found))
    if kind == "Delta":
        delta = delta_files(declared, shard, folder)
        return InputFiles(declared.name, "Delta", delta.files, declared, delta)
    mine = [key for index, key in enumerate(found) if index % shard.count == shard.index]
    store = open_store(matching.root)
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


def _matching_files(declared: InputSpec) -> MatchingFiles:
    uri = declared.location.uri
    found = matching_files(declared.location)
    if not found.files and not found.is_delta:
        kind = "No file matches" if is_glob(uri) else "There is no file"
        raise Refused(f"{kind} {uri}, the uri of the input '{declared.name}' (spec.dataset.inputs).")
    return found


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

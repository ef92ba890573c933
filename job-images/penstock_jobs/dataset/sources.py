"""From an input of the manifest to local files."""

from dataclasses import dataclass
from pathlib import Path

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import InputFormat
from penstock_jobs.contract.specification import InputSpec, Shard
from penstock_jobs.dataset.delta_input import DeltaFiles, delta_files
from penstock_jobs.reading.formats import format_of
from penstock_jobs.storage import open_store
from penstock_jobs.storage.matching import MatchingFiles, is_glob, matching_files
from penstock_jobs.tables.files import fetch_file


@dataclass(frozen=True)
class InputFiles:
    """An input, found: its format and its files, all of them local. `delta` is set for a Delta table."""

    name: str
    format: InputFormat
    files: tuple[Path, ...]
    declared: InputSpec
    delta: DeltaFiles | None = None

    @property
    def is_text(self) -> bool:
        """Whether the types of the columns are guessed from text."""
        return self.format in ("CSV", "JSONLines")


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


def _matching_files(declared: InputSpec) -> MatchingFiles:
    uri = declared.location.uri
    found = matching_files(declared.location)
    if not found.files and not found.is_delta:
        kind = "No file matches" if is_glob(uri) else "There is no file"
        raise Refused(f"{kind} {uri}, the uri of the input '{declared.name}' (spec.dataset.inputs).")
    return found


def _guess_format(declared: InputSpec, found: list[str]) -> InputFormat:
    kinds = {format_of(name) for name in found}
    if len(found) == 1 and not Path(found[0]).suffix:
        return "Delta"
    if len(kinds) != 1 or None in kinds:
        raise Refused(
            f"The format of the input '{declared.name}' ({declared.location.uri}) cannot be told from the endings of "
            "its "
            "files; set its `format` to CSV, JSONLines, Parquet or Delta."
        )
    return next(kind for kind in kinds if kind is not None)

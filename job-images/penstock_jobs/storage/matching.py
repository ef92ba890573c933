"""Which files an address names that may have a glob in it: those that a job reads, and that a look at them lists."""

import fnmatch
import glob
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from penstock_jobs.contract.specification import Location
from penstock_jobs.storage import disk
from penstock_jobs.storage.folder import stored_file
from penstock_jobs.storage.opening import open_store
from penstock_jobs.storage.store import StoredFile
from penstock_jobs.storage.volumes import check_in_volume

_MAGIC = re.compile(r"[*?\[]")
_DELTA_LOG = "_delta_log"


@dataclass(frozen=True)
class MatchingFiles:
    """The files, in order of their keys, which are relative to `root`; of a Delta table, the commits of its log."""

    root: Location
    files: tuple[StoredFile, ...]
    is_delta: bool = False


def is_glob(uri: str) -> bool:
    """Return whether an address stands for what its pattern matches."""
    return _MAGIC.search(uri) is not None


def matching_files(location: Location) -> MatchingFiles:
    """Return the files at an address: the file, those of the folder, those that a glob names, or of a Delta table."""
    folder, pattern = _split_at_glob(location.uri)
    root = replace(location, uri=folder)
    local = urlsplit(location.uri).scheme == "file"
    if not is_glob(pattern):
        log = f"{unquote(pattern) if local else pattern}/{_DELTA_LOG}/"
        if logged := open_store(root).files(log):
            return MatchingFiles(root, tuple(each for each in logged if each.key.endswith(".json")), is_delta=True)
    folder_path = Path(unquote(urlsplit(folder).path))
    found = _local_files(folder_path, pattern) if local else list(_remote_files(root, pattern))
    return MatchingFiles(root, tuple(sorted(found, key=lambda each: each.key)))


def _local_files(root: Path, pattern: str) -> list[StoredFile]:
    """Return the files of a folder; in the pattern, which is escaped as an address is, only bare characters match."""
    path, found = root / unquote(pattern), []
    with disk.explain_os_errors(path):
        if is_glob(pattern):
            parts = re.split(r"([*?\[\]]+)", pattern)
            bare = "".join(part if number % 2 else glob.escape(unquote(part)) for number, part in enumerate(parts))
            named = [root / name for name in glob.glob(bare, root_dir=root, recursive=True)]
        else:
            named = list(path.rglob("*")) if path.is_dir() else [path]
        for key in (file.relative_to(root).as_posix() for file in named if check_in_volume(file).is_file()):
            with suppress(FileNotFoundError):  # it went meanwhile
                found += [stored_file(root, key)] if _is_visible(key) else []
    return found


def _remote_files(root: Location, pattern: str) -> Iterator[StoredFile]:
    for each in open_store(root).files(_MAGIC.split(pattern)[0]):
        if is_glob(pattern):
            matches = fnmatch.fnmatchcase(each.key, pattern)
        else:
            matches = each.key == pattern or each.key.startswith(pattern.rstrip("/") + "/")
        if matches and _is_visible(each.key):
            yield each


def _is_visible(key: str) -> bool:
    return not any(part.startswith((".", "_")) for part in key.split("/"))


def _split_at_glob(uri: str) -> tuple[str, str]:
    """Return the folder before the first glob character, and the rest, which is relative to it."""
    magic = _MAGIC.search(uri)
    folder = (uri[: magic.start()] if magic else uri.rstrip("/")).rpartition("/")[0]
    return folder, uri.rstrip("/")[len(folder) + 1 :]

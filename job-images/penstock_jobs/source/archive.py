"""A folder as one file, the same bytes each time, and back."""

import gzip
import hashlib
import shutil
import tarfile
import tempfile
from pathlib import Path

from penstock_jobs.archive_bounds import check_bounds
from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.specification import ArchiveSpec, SourceSpec
from penstock_jobs.storage import open_store

MOST_FILES, MOST_BYTES = 20_000, 1 << 30  # of a repository, as it is checked out


def pack(folder: Path, path: Path) -> int:
    """Write the files of the folder into an archive, in order and without times or owners; return how many.

    Links are followed where they lead to a file of the folder, and left out where they lead out of it.
    """
    files = sorted(each for each in folder.rglob("*") if each.is_file() and _is_within(each, folder))
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in files:
            entry = tarfile.TarInfo(file.relative_to(folder).as_posix())
            entry.size = file.stat().st_size
            entry.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
            with file.open("rb") as content:
                archive.addfile(entry, content)
    # Here too: what no job will unpack is refused by the one that packs it.
    size = sum(file.stat().st_size for file in files)
    check_bounds("The folder of spec.source.git", len(files), size, path.stat().st_size, MOST_FILES, MOST_BYTES)
    return len(files)


def unpack(source: SourceSpec | None) -> None:
    """Make the folder of the source out of its archive, where it has one and is not there yet.

    Raises:
        Refused: the archive is not the one that was packed.
    """
    if source is None or source.archive is None or Path(source.folder).is_dir():
        return
    there, target = source.archive, Path(source.folder)
    store = open_store(there.location)
    try:
        with tempfile.TemporaryDirectory(prefix="penstock-", dir=target.parent) as scratch:
            packed, files = Path(scratch, "archive"), Path(scratch, "files")
            store.download(there.key, packed)
            if (found := digest_of(packed)) != there.digest:
                raise _digest_mismatch(f"{store.uri}/{there.key}", found, there.digest)
            with tarfile.open(packed) as archive:
                _check_entries(archive, f"{store.uri}/{there.key}", packed.stat().st_size)
            with tarfile.open(packed) as archive:
                _lay_out(archive, files)
            shutil.move(files, target)
    except (OSError, tarfile.TarError) as error:
        raise Unavailable(f"The source cannot be unpacked to {target}: {error}.") from error


def _check_entries(archive: tarfile.TarFile, name: str, packed: int) -> None:
    files = size = 0
    for entry in archive:
        files, size = files + 1, size + entry.size
        check_bounds(name, files, size, packed, MOST_FILES, MOST_BYTES)


def _lay_out(archive: tarfile.TarFile, folder: Path) -> None:
    """Write the files of the archive; not by `extractall`, whose filters Python 3.11.2 (Debian's) does not have."""
    folder.mkdir()
    for entry in archive:
        target = folder / entry.name
        content = archive.extractfile(entry) if entry.isreg() else None
        if content is None or ".." in target.parts or not target.is_relative_to(folder):
            raise tarfile.ExtractError(f"{entry.name} is no file below the folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(entry.mode)


def content_of(archive: ArchiveSpec) -> bytes:
    """Return the archive itself.

    Raises:
        Refused: it is not the one that was packed.
    """
    content = open_store(archive.location).read(archive.key)
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != archive.digest:
        raise _digest_mismatch(f"{archive.location.uri}/{archive.key}", found, archive.digest)
    return content


def digest_of(path: Path) -> str:
    """Return the digest of a file, as `sha256:…`."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _digest_mismatch(place: str, found: str, recorded: str) -> Refused:
    return Refused(
        f"{place} is not the archive that was packed: its digest is {found}, and not {recorded}; apply a new run."
    )


def _is_within(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())

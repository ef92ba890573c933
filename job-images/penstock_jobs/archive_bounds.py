"""How much an archive may hold: its files, their bytes, and how much larger they are than the archive itself."""

from penstock_jobs.contract.errors import Refused

_SMALL = 64 << 20  # bytes that may be packed as tightly as they can be
_RATIO = 200  # text is packed to a tenth, and an array of zeros to a thousandth


def check_bounds(archive: str, files: int, size: int, packed: int, most_files: int, most_bytes: int) -> None:
    """Refuse an archive that holds more than it may; asked before anything of it is written or read.

    Args:
        archive: what it is called in a sentence, as its beginning.
        files: how many files it says that it holds.
        size: of all of them together, in bytes.
        packed: the size of the archive itself.
        most_files: how many it may hold.
        most_bytes: how many bytes they may have together.
    """
    if files > most_files:
        raise Refused(f"{archive} has more than {most_files:,} files; leave out what is not needed.")
    if size > most_bytes:
        raise Refused(f"{archive} has more than {most_bytes >> 20:,} MiB of files; leave out what is not needed.")
    if size > _SMALL and size > _RATIO * packed:
        raise Refused(f"{archive} is {_RATIO} times as large as the archive that holds it, and is not unpacked.")

"""What a key may look like: relative, with `/` between parts that no store takes for anything but a name."""

from penstock_jobs.contract.errors import Refused

_LONGEST = 1024  # bytes of UTF-8; the limit of S3


def check_key(key: str) -> str:
    """Return the key itself, or raise `Refused` where it is empty, leaves the store's root, or is no S3 key."""
    parts = key.split("/")
    if "" in parts or "." in parts or ".." in parts:
        raise Refused(f"{key!r} is no key: it must be relative, and no part of it may be empty, '.' or '..'.")
    if any(character < " " or character == "\x7f" for character in key):
        raise Refused(f"{key!r} is no key: it holds a control character.")
    if len(key.encode()) > _LONGEST:
        raise Refused(f"{key[:60]!r}… is no key: it is longer than {_LONGEST} bytes.")
    return key


def check_prefix(prefix: str) -> str:
    """Return the prefix itself: empty, a key, or the beginning of one (so a `/` may be its last character)."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix

"""Names that are functions: of what they name, cut to a length at which every name of a child still fits.

A name that is cut, or that loses a capital or another character, ends in a hash of the whole: two names stay two.
"""

import hashlib
import re

LONGEST = 52  # a CronJob's or Job's pod adds up to eleven characters to the 63 of a label
_HASH = 8


def name_of(*parts: str, longest: int = LONGEST) -> str:
    """Return the parts as one name: lower case, digits and dashes, at most `longest` characters, never cut blindly."""
    whole = "-".join(parts)
    plain = _plain(whole)
    if plain == whole and len(plain) <= longest:
        return plain
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH]
    return f"{plain[: longest - _HASH - 1].rstrip('-')}-{digest}".lstrip("-")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")

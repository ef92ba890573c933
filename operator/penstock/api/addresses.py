"""Parameters in the address of an input: `{asOf}` as a whole segment of its path, never a part of one.

What a run puts there cannot lead out of the place that the Pipeline's author wrote: a value is one segment, whatever
reads the address. So what it may hold is a list of what is harmless, and not of what is not.
"""

import re
from collections.abc import Mapping

from penstock_jobs.contract.parameters import NAME

_PARAMETER = re.compile(rf"\{{({NAME})\}}")
_SEGMENT = re.compile(r"[\w.=+@:-]{0,127}[\w.=+@-]")  # no `:` at its end, which could make a scheme
ALLOWED = "letters, digits and _ . = + @ : -"

# For CEL, with which the API server refuses what else looks like a parameter.
PART_OF_SEGMENT = f"[^/][{{]{NAME}[}}]|[{{]{NAME}[}}][^/]"
FIRST_OF_ADDRESS = f"^[a-z0-9]+://[{{]{NAME}[}}](/|$)"


def names_in_address(uri: str) -> tuple[str, ...]:
    """Return the names of the parameters that the address has as segments, each once, in their order."""
    found = (_PARAMETER.fullmatch(segment) for segment in uri.split("/"))
    return tuple(dict.fromkeys(match[1] for match in found if match is not None))


def segment_problem(text: str) -> str | None:
    """Return why the text cannot be a segment of an address, to go on after the text; None where it can."""
    if text in ("", ".", "..") or _SEGMENT.fullmatch(text) is None:
        return f"cannot be a segment of a path, which has {ALLOWED} only, 128 at most, is not . or .. and ends in no :"
    return None


def put_in_address(uri: str, values: Mapping[str, str]) -> str:
    """Return the address with the values, which are fit for it, in the place of its parameters."""
    segments = uri.split("/")
    matches = (_PARAMETER.fullmatch(segment) for segment in segments)
    return "/".join(
        values[match[1]] if match is not None else segment for segment, match in zip(segments, matches, strict=True)
    )

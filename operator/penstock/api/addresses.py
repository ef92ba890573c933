"""Addresses in a manifest: none leads out of its place, and parameters are whole segments, never a part of one.

A parameter in the address of an input is `{asOf}`. What a run puts there cannot lead out of the place that the
Pipeline's author wrote: a value is one segment, whatever reads the address. So what it may hold is a list of what is
harmless, and not of what is not.
"""

import re
from collections.abc import Mapping

from penstock.api.schema import Rule
from penstock_jobs.contract.addresses import PARENT
from penstock_jobs.contract.parameters import NAME

_PARAMETER = re.compile(rf"\{{({NAME})\}}")
_SEGMENT = re.compile(r"[\w.=+@:-]{0,127}[\w.=+@-]")  # no `:` at its end, which could make a scheme
SEGMENT = "1 to 128 letters, digits and _ . = + @ : -, and neither . nor .. nor a : at its end"

# For CEL, with which the API server refuses what else looks like a parameter.
PART_OF_SEGMENT = f"[^/][{{]{NAME}[}}]|[{{]{NAME}[}}][^/]"
FIRST_OF_ADDRESS = f"^[a-z0-9]+://[{{]{NAME}[}}](/|$)"

_LEADS_OUT = PARENT.replace("\\", "\\\\")  # in a text of CEL


def stays_in_place(name: str, unless: str = "") -> Rule:
    """Return the rule that the address, or path, in this field goes up nowhere; `unless` this holds, in CEL."""
    return Rule(
        f"!has(self.{name}) || {f'{unless} || ' if unless else ''}!self.{name}.matches('{_LEADS_OUT}')",
        "A `..`, in whatever form, leads out of the place that is named; write where it leads.",
        field=f".{name}",
    )


def names_in_address(uri: str) -> tuple[str, ...]:
    """Return the names of the parameters that the address has as segments, each once, in their order."""
    found = (_PARAMETER.fullmatch(segment) for segment in uri.split("/"))
    return tuple(dict.fromkeys(match[1] for match in found if match is not None))


def is_segment(text: str) -> bool:
    """Return whether a text can be a segment of an address."""
    return text not in (".", "..") and _SEGMENT.fullmatch(text) is not None


def put_in_address(uri: str, values: Mapping[str, str]) -> str:
    """Return the address with the values, which are fit for it, in the place of its parameters."""
    segments = uri.split("/")
    matches = (_PARAMETER.fullmatch(segment) for segment in segments)
    return "/".join(
        values[match[1]] if match is not None else segment for segment, match in zip(segments, matches, strict=True)
    )

"""Whether an address stays in the place that it names: asked of every kind, wherever a person wrote one.

`..` is refused in whatever form: bare, escaped (once or many times over), between backslashes. Some reader may unescape
an address once more than the one that checked it, or take a backslash for a slash.
"""

import re
from urllib.parse import unquote

_BETWEEN = r"[/\\]|%(25)*(2[fF]|5[cC])"
# For CEL too, with which the API server refuses it; RE2 and Python read it alike.
PARENT = rf"(^|:|{_BETWEEN})([.]|%(25)*2[eE])([.]|%(25)*2[eE])($|[?#]|{_BETWEEN})"
_PARENT = re.compile(PARENT)
# Where a pod sees a volume claim: short, since it is in the address of each table and Model that is on a volume.
VOLUMES = "/volumes"


def leads_out(address: str) -> bool:
    """Return whether an address, of any kind, goes up from somewhere: its text alone tells, nothing is looked at."""
    before = None
    while before != address:
        before, address = address, unquote(address)
    return _PARENT.search(address) is not None

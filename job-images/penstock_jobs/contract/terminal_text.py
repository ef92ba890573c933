"""Text that comes from data, clusters and logs, as a terminal may be given it: it shows, and commands nothing.

A terminal takes orders from the text that it is given: it moves the cursor, hides lines, sets its title, types for its
user. What turns the direction of writing makes one name look like another.
"""

import re

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")  # what programs print for people; harmless, and unreadable where it is shown
# The controls of ASCII but tab and end of line, those of Latin-1, ends of lines that only some take for that, and
# marks of direction.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def has_controls(text: str) -> bool:
    """Return whether a terminal would do something of the text but show it."""
    return _CONTROLS.search(text) is not None


def escape_controls(text: str) -> str:
    """Return the text with what would command a terminal written out by its number: of JSON it means the same."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", _COLOUR.sub("", text.replace("\r\n", "\n")))

"""A request that is not answered: the HTTP status, and the sentence that the client gets."""

from collections.abc import Sequence

_LONGEST = 200  # characters of what a client wrote that are said again

Header = tuple[bytes, bytes]


class RefusedRequest(Exception):
    """What the client sent is wrong, or comes at a bad moment; nothing is wrong here."""

    def __init__(self, sentence: str, status: int = 400, headers: Sequence[Header] = ()) -> None:
        """Take the sentence, the HTTP status that says its kind, and the headers that belong to that status."""
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.headers = tuple(headers)


def wrong_method(path: str, method: str, allowed: str) -> RefusedRequest:
    """Return the refusal of a method that a path does not take."""
    words = allowed.replace(", ", " and ")
    return RefusedRequest(f"{path} takes {words}, not {method}.", 405, [(b"allow", allowed.encode())])


def too_busy(sentence: str) -> RefusedRequest:
    """Return the refusal of what may be asked again in a second."""
    return RefusedRequest(sentence, 503, [(b"retry-after", b"1")])


def shorten(text: str) -> str:
    """Return what a client wrote, to be said again in a sentence: its beginning, where it is long."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

"""What a request for a Trigger is refused with: a status of HTTP, a word for what counts, a sentence for a person."""

from penstock_jobs.contract.errors import Refused


class RequestRefused(Refused):
    """A request is not taken. Nothing of it is kept, so whoever sent it may send it again.

    Attributes:
        status: that of HTTP.
        word: one word for programs, of the few that metrics count.
        retry_after: after how many seconds it may be sent again, where it may.
    """

    def __init__(self, status: int, word: str, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.word = word
        self.retry_after = retry_after


def malformed(sentence: str) -> RequestRefused:
    """Return the refusal of a request that will be as wrong the next time."""
    return RequestRefused(400, "malformed", sentence)


def unsupported(sentence: str) -> RequestRefused:
    """Return the refusal of a body of a kind that is not read."""
    return RequestRefused(415, "unsupported", sentence)


def too_large(sentence: str) -> RequestRefused:
    """Return the refusal of more than is taken at once."""
    return RequestRefused(413, "too-large", sentence)


def unauthenticated(sentence: str) -> RequestRefused:
    """Return the refusal of a caller that does not prove who it is."""
    return RequestRefused(401, "unauthenticated", sentence)


def forbidden(sentence: str) -> RequestRefused:
    """Return the refusal of a caller that may not do this."""
    return RequestRefused(403, "forbidden", sentence)


def unknown(sentence: str) -> RequestRefused:
    """Return the refusal of a request for what is not there."""
    return RequestRefused(404, "unknown", sentence)


def unavailable(sentence: str, retry_after: int) -> RequestRefused:
    """Return the refusal of what may be taken later."""
    return RequestRefused(503, "unavailable", sentence, retry_after)


def too_many(sentence: str, retry_after: int) -> RequestRefused:
    """Return the refusal of what comes faster than it is dealt with."""
    return RequestRefused(429, "too-many", sentence, retry_after)

"""The headers that are read: those of HTTP, of CloudEvents, and of senders that sign or number their deliveries."""

from collections.abc import Iterable, Mapping

from penstock.decide.events.refusal import malformed

Headers = Mapping[str, str]  # by their names in small letters

# Where senders of plain JSON say which delivery it is, and what kind of event.
DELIVERIES = ("webhook-id", "idempotency-key", "x-github-delivery", "x-gitea-delivery")
KINDS = ("x-github-event", "x-gitlab-event", "x-gitea-event")
_READ = frozenset(
    (
        *DELIVERIES,
        *KINDS,
        "authorization",
        "content-encoding",
        "content-type",
        "webhook-signature",
        "webhook-timestamp",
        "x-gitea-signature",
        "x-gitlab-token",
        "x-hub-signature-256",
        "x-penstock-signature",
        "x-penstock-timestamp",
    )
)


def read_headers(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers that are read.

    Raises:
        RequestRefused: one of them is there twice, or is not ASCII: two readers would take it differently.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        small = name.lower()
        if small not in _READ and not small.startswith("ce-"):
            continue
        if small in found:
            raise malformed(f"The header {small[:64]} is there twice; send it once.")
        if not value.isascii():
            raise malformed(f"The header {small[:64]} is not ASCII; percent-encode what is beyond.")
        found[small] = value.strip()
    return found

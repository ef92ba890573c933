"""Digests as people read them."""


def shorten_digest(digest: str) -> str:
    """Return the first digits of a digest."""
    kind, _, digits = digest.rpartition(":")
    return f"{kind}:{digits[:12]}…" if kind and len(digits) > 12 else digest

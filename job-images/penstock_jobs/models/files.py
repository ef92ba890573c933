"""The names and digests of a Model's files."""

from hashlib import sha256

MANIFEST = "manifest.json"
ONNX = "model.onnx"
SKOPS = "model.skops"
SOURCE = "source.tar.gz"  # the user's own operations, where the served file holds types of theirs


def digest_of(content: bytes) -> str:
    """Return the digest of a file's content, `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{sha256(content).hexdigest()}"

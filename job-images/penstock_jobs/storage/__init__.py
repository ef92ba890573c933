"""Where files are: one small interface over a folder and over a bucket of an S3 server.

Keys are relative, with `/` between their parts. Every write is whole or not at all: a reader never sees half a file.
"""

from penstock_jobs.storage.opening import open_store
from penstock_jobs.storage.store import KeyNotFound, Store, StoredFile

__all__ = ["KeyNotFound", "Store", "StoredFile", "open_store"]

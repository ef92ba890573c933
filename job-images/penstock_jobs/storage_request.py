"""`python -m penstock_jobs.storage_request DOCUMENT`: do what a person asks of a storage.

Its answers are on standard output. The document is JSON, and holds no secret. A refusal is the pod's
termination message.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from penstock_jobs import logs
from penstock_jobs.contract import errors
from penstock_jobs.contract.document import Document, decode
from penstock_jobs.contract.storage_requests import ListModels, MoveClaim, PreviousOwner, StorageRequest, answer_lines
from penstock_jobs.dataset.claim import Claim, move_claim
from penstock_jobs.ending import end_on_sigterm
from penstock_jobs.models.listing import list_models
from penstock_jobs.storage import open_store

LONGEST = 1000  # characters of a refusal; with what JSON and UTF-8 add it is below what the kubelet keeps


def main(arguments: list[str] | None = None) -> int:
    """Answer the request; return the exit code."""
    options = _build_parser().parse_args(arguments)
    logs.set_up("INFO", "text")
    try:
        request: StorageRequest = decode(options.request.encode(), ListModels | MoveClaim, "The storage request")
        for line in answer_lines(answer_request(request)):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except errors.JobError as error:
        logs.log.error("%s", error)
        if options.termination_message is not None:
            options.termination_message.write_text(str(error)[:LONGEST], "utf-8")
        return error.exit_code
    return errors.SUCCEEDED


def answer_request(request: StorageRequest) -> Iterator[Document]:
    """Yield the answers to a request."""
    store = open_store(request.location)
    match request:
        case ListModels():
            yield from list_models(store)
        case MoveClaim(old_uid=old, pipeline=pipeline, pipeline_uid=uid):
            before = move_claim(store, old, Claim(pipeline=pipeline, pipeline_uid=uid))
            if before is not None:
                yield PreviousOwner(pipeline=before.pipeline, pipeline_uid=before.pipeline_uid)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m penstock_jobs.storage_request", description=__doc__)
    parser.add_argument("request", help="the document")
    parser.add_argument("--termination-message", type=Path, help="where a refusal goes")
    return parser


if __name__ == "__main__":
    end_on_sigterm()
    sys.exit(main())

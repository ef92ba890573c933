"""What commands understand that have a pod do something in a storage."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, kw_only=True)
class StorageJobOptions:
    """What the pod is like, and how long it may take."""

    image: str | None
    image_pull_secret: tuple[str, ...]
    timeout: str


def storage_job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--image`, `--image-pull-secret` and `--timeout`, as `storage_job`, a `StorageJobOptions`."""

    @click.option(
        "--image",
        help="The image of the pod, which is that of Penstock's jobs; by default that of the newest run here, else "
        "penstock/jobs in the version of this command.",
    )
    @click.option("--image-pull-secret", multiple=True, metavar="SECRET", help="A Secret with which it is pulled.")
    @click.option(
        "--timeout", default="10m", show_default=True, help="How long the pod may take, from when it is made."
    )
    @functools.wraps(command)
    def wrapper(
        *arguments: Any, image: str | None, image_pull_secret: tuple[str, ...], timeout: str, **others: Any
    ) -> Any:
        storage_job = StorageJobOptions(image=image, image_pull_secret=image_pull_secret, timeout=timeout)
        return command(*arguments, storage_job=storage_job, **others)

    return wrapper

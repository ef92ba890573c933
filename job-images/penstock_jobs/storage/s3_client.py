"""How a bucket is reached: the same server, region and credentials for boto3 and for `deltalake`."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage.credentials import Keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_REGION = "us-east-1"  # what servers other than Amazon's take for an answer


@dataclass(frozen=True)
class S3Timeouts:
    """How long a server is waited for: seconds to connect and between two bytes, and how often a request is made."""

    connect: float = 5.0
    read: float = 60.0
    attempts: int = 5


@dataclass(frozen=True)
class S3Connection:
    """A client, and the session whose credentials it uses. Threads may share both."""

    location: Location
    session: boto3.Session
    client: "S3Client"
    patience: S3Timeouts

    def delta_options(self) -> dict[str, str]:
        """Return the `storage_options` of `deltalake`, with the credentials as they are now (they may be renewed)."""
        found = self.session.get_credentials()
        if found is None:
            raise Refused(
                f"There are no credentials for {self.location.uri}: name some, or set up those of the machine."
            )
        keys = found.get_frozen_credentials()
        options = {
            "AWS_ACCESS_KEY_ID": keys.access_key or "",
            "AWS_SECRET_ACCESS_KEY": keys.secret_key or "",
            "AWS_REGION": self.session.region_name or _REGION,
            "AWS_CONDITIONAL_PUT": "etag",
            "connect_timeout": f"{self.patience.connect:g}s",
            "timeout": f"{2 * self.patience.read:g}s",
            "max_retries": str(self.patience.attempts),
        }
        if keys.token or os.environ.get("AWS_SESSION_TOKEN"):
            # An absent option is taken from the environment, whose token belongs to other keys than these.
            options["AWS_SESSION_TOKEN"] = keys.token or ""
        if self.location.endpoint:
            options["AWS_ENDPOINT_URL"] = self.location.endpoint
            options["AWS_ALLOW_HTTP"] = str(self.location.endpoint.startswith("http://")).lower()
        return options


def connect(location: Location, keys: Keys | None, patience: S3Timeouts) -> S3Connection:
    """Return the connection to the location's server; nothing is sent yet.

    Raises:
        Refused: The endpoint is not an address.
    """
    session = boto3.Session(
        aws_access_key_id=keys.access_key_id if keys else None,
        aws_secret_access_key=keys.secret_access_key if keys else None,
        aws_session_token=keys.session_token if keys else None,
        region_name=location.region,
    )
    config = Config(
        connect_timeout=patience.connect,
        read_timeout=patience.read,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        max_pool_connections=32,
        tcp_keepalive=True,
        # Many servers do not know the checksums that boto3 would otherwise add to each request.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if location.endpoint else "auto"},
    )
    try:
        client = session.client(
            "s3",
            endpoint_url=location.endpoint,
            region_name=session.region_name or _REGION,
            config=config,
            # One variable for both: `deltalake` knows only the second.
            verify=os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"),
        )
    except ValueError as error:  # what botocore raises for an endpoint that is not an address
        raise Refused(
            f"The endpoint {location.endpoint} is not an address; write http://host:port or https://host."
        ) from error
    return S3Connection(location=location, session=session, client=client, patience=patience)

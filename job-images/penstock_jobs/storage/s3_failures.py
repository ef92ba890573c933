"""What an S3 server or the way to it can answer, each as one sentence for a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from boto3.exceptions import Boto3Error
from botocore import exceptions as botocore
from botocore.exceptions import BotoCoreError, ClientError

from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.storage.store import KeyNotFound

_MISSING = {"NoSuchKey", "404", "NotFound"}
_UNKNOWN_KEY = {"InvalidAccessKeyId", "XMinioAccessKeyNotFound"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_FORBIDDEN = {"AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem"}
_ELSEWHERE = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "301", "307"}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507", "EntityTooLarge"}

_UNREACHABLE = (
    botocore.EndpointConnectionError,
    botocore.ConnectTimeoutError,
    botocore.ReadTimeoutError,
    botocore.ConnectionClosedError,
    botocore.ProxyConnectionError,
    botocore.HTTPClientError,
)
_NO_KEYS = (
    botocore.NoCredentialsError,
    botocore.PartialCredentialsError,
    botocore.CredentialRetrievalError,
    botocore.ProfileNotFound,
    botocore.UnauthorizedSSOTokenError,
    botocore.TokenRetrievalError,
)


@dataclass(frozen=True)
class BucketAddress:
    """What a sentence needs to say where it happened: never a credential, only where it came from."""

    bucket: str
    server: str
    credentials: str


@contextmanager
def explain_s3_errors(place: BucketAddress, key: str) -> Iterator[None]:
    """Turn what boto3 raises into `NotFound`, `Refused` or `Unavailable`, with a sentence."""
    try:
        yield
    except JobError:
        raise
    except ClientError as error:
        raise explain_answer(place, key, error) from error
    except (BotoCoreError, Boto3Error) as error:
        raise _explain_no_answer(place, error) from error


def code_of(error: ClientError) -> str:
    """Return the error code that the server answered: a name, or the HTTP status where it gave none."""
    return str(error.response.get("Error", {}).get("Code") or status_of(error))


def status_of(error: ClientError) -> int:
    """Return the HTTP status of the answer, 0 where there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def explain_answer(place: BucketAddress, key: str, error: ClientError) -> JobError:
    """Return the failure that the server's answer means."""
    code = code_of(error)
    bucket, server = place.bucket, place.server
    if code == "NoSuchBucket":
        return no_bucket(place)
    if code in _MISSING:
        return KeyNotFound(f"There is no object s3://{bucket}/{key} at {server}.")
    if code in _UNKNOWN_KEY:
        return Refused(f"{server} does not know the access key: correct {place.credentials}.")
    if code == "SignatureDoesNotMatch":
        return Refused(f"{server} says that the secret access key is wrong: correct {place.credentials}.")
    if code in _EXPIRED:
        return Refused(f"{server} says that the session token has expired: renew {place.credentials}.")
    if code == "RequestTimeTooSkewed":
        return Refused(f"The clock of this machine is too far from that of {server}; set it right.")
    if code in _FORBIDDEN:
        return Refused(
            f"{server} does not allow s3://{bucket}/{key} to be used ({error.operation_name}) with "
            f"{place.credentials}; correct them, or the rights on the bucket."
        )
    if code in _ELSEWHERE:
        return Refused(f"The bucket {bucket} is in another region than the one asked for; set `region` to its own.")
    if code in _FULL:
        return Unavailable(f"{server} has no room left in the bucket {bucket} ({code}); make room and try again.")
    said = str(error.response.get("Error", {}).get("Message") or "no reason given").strip().rstrip(".")
    kind = Unavailable if status_of(error) >= 500 or status_of(error) in {408, 409, 429} else Refused
    return kind(f"{server} answered {error.operation_name} on s3://{bucket}/{key} with {code}: {said[:300]}.")


def no_bucket(place: BucketAddress) -> Refused:
    """Return the refusal of a bucket that is not there."""
    return Refused(
        f"There is no bucket {place.bucket} at {place.server}; make it, or correct its name or the endpoint."
    )


def _explain_no_answer(place: BucketAddress, error: BotoCoreError | Boto3Error) -> JobError:
    if isinstance(error, botocore.SSLError):
        return Unavailable(
            f"The certificate of {place.server} is not trusted ({_one_line(error)}); "
            "name a file with its authority's in SSL_CERT_FILE."
        )
    if isinstance(error, _NO_KEYS):
        return Refused(f"There are no usable credentials for the bucket {place.bucket}: {_one_line(error)}; name some.")
    if isinstance(error, _UNREACHABLE):
        return Unavailable(
            f"{place.server} does not answer ({_one_line(error)}); see that the endpoint is right and can be reached."
        )
    if isinstance(error, botocore.ParamValidationError):
        return Refused(f"{place.bucket!r} cannot be a bucket's name; correct it.")
    return Unavailable(f"The bucket {place.bucket} at {place.server} cannot be used: {_one_line(error)}.")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:300]

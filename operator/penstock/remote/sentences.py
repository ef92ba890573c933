"""What the API server said no with, as one sentence for the person who asked."""

from penstock.api.schema import GROUP
from penstock.kubernetes.errors import ApiError, NotFound, Rejected, Transient

_UNAUTHORIZED = 401


def sentence_of(error: ApiError, host: str, namespace: str) -> str:
    """Return what was wrong, where, and what to do."""
    said = str(error).rstrip(".")
    if isinstance(error, Transient):
        return _not_now(error, host, said)
    if isinstance(error, NotFound):
        return _not_there(error, host, namespace, said)
    if isinstance(error, Rejected) and error.status == 403:
        return (
            f"The cluster does not let you: {said}. Ask whoever manages it for the right, or choose another namespace."
        )
    if isinstance(error, Rejected):
        return f"The cluster did not accept it: {said}."
    return f"The cluster at {host} said: {said or error.reason} ({error.status})."


def _not_now(error: Transient, host: str, said: str) -> str:
    if error.status == 0:
        return f"The cluster at {host} does not answer: {_why(said)}. Is it the one you mean? (--context, KUBECONFIG)"
    if error.status == _UNAUTHORIZED:
        return f"The cluster at {host} does not know who you are; log in again, or choose another --context."
    return f"The cluster at {host} cannot answer now: {said} ({error.status}); try again later."


def _not_there(error: ApiError, host: str, namespace: str, said: str) -> str:
    if said.startswith("namespaces "):
        return f"There is no namespace {namespace} in the cluster at {host}; name another with -n."
    if error.reason != "NotFound" or "could not find the requested resource" in said or not said:
        return (
            f"The cluster at {host} has no Penstock: it does not know {GROUP}. Install it: "
            "helm install penstock helm/penstock -n penstock-system --create-namespace."
        )
    return f"{said}."


def _why(said: str) -> str:
    return said.removeprefix("The API server does not answer: ")

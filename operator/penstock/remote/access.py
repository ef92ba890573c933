"""Which cluster a person means, as kubectl is told. No library of Kubernetes is imported: it may be missing."""

from dataclasses import dataclass

from penstock_jobs.contract.errors import Refused

LIBRARIES = ("kubernetes", "aiohttp")


@dataclass(frozen=True)
class Access:
    """Where to look for a cluster: None where the kubeconfig is to say."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None


def missing_library(error: ModuleNotFoundError) -> Refused:
    """Return what to say where the library of Kubernetes is not installed; raise what is missing otherwise."""
    library = (error.name or "").partition(".")[0]
    if library not in LIBRARIES:
        raise error
    return Refused(
        f"To speak to a cluster the command line needs the library {library}; install it: "
        "pip install 'penstock[cluster]'."
    )

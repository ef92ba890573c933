"""Where an event comes from, as CloudEvents say it: the Pipeline, by its path in the API."""

from penstock.api.schema import API_VERSION


def source_of(namespace: str, pipeline: str) -> str:
    """Return the source of the events of a Pipeline and its runs."""
    return f"/apis/{API_VERSION}/namespaces/{namespace}/pipelines/{pipeline}"

"""The one Kubernetes client of the house, for the operator and for the command line: raw JSON, few retries, a rate."""

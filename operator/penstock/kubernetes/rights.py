"""What a program of ours asks of the API server, in the words of RBAC. The roles of the chart are compared with it."""

from collections.abc import Mapping

from penstock.kubernetes.kinds import Kind

FOLLOW = frozenset({"list", "watch"})
WRITE = frozenset({"create", "patch", "delete"})

Rights = Mapping[tuple[Kind, str | None], frozenset[str]]
"""The verbs, by the kind and the subresource."""

"""What readers see of a testing table: the last revision of each point, and no retired ones."""

from collections.abc import Sequence

from penstock_jobs.tables.columns import POINT, RETIRED, REVISION


def readable(relation: str, present: Sequence[str]) -> str:
    """Return the SQL of what readers see of a stored relation: last revisions only, none of them retired."""
    if REVISION not in present:
        return relation
    last = f"row_number() OVER (PARTITION BY {POINT} ORDER BY {REVISION} DESC) = 1"
    return f"(SELECT * FROM (SELECT * FROM {relation} QUALIFY {last}) WHERE NOT {RETIRED})"

"""How long something waits that failed and is tried again: each time twice as long as before, up to a bound."""

LONGEST_WAIT = 3600.0  # seconds to which waits are doubled, where the first is not longer itself


def wait_before(retry: int, first: float) -> float:
    """Return the seconds before the retry of that number, from 1."""
    longest = max(first, LONGEST_WAIT)
    doubled = min(retry - 1, 40)  # beyond that any wait is the longest
    return float(min(first * 2**doubled, longest))

"""What is told of a Trigger between two looks: each moment once, also where there were more than the history holds."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.api.trigger import Firing, TriggerCounts, TriggerStatus
from penstock.decide.commands.trigger_progress import count_untold, firings_since

MOST = 20


def status(number: int) -> TriggerStatus:
    """Return the status after so many moments, all of which fired."""
    firings = [
        Firing(time=f"2026-11-01T{each // 60:02}:{each % 60:02}:00Z", outcome="Fired", reason="Scheduled", message="")
        for each in range(number)
    ]
    return TriggerStatus(history=tuple(reversed(firings[-MOST:])), counts=TriggerCounts(fired=number))


@given(before=st.integers(0, 50), new=st.integers(0, 50))
def test_all_that_is_new_is_told_or_counted(before: int, new: int) -> None:
    told = firings_since(status(before), status(before + new))

    assert [each.time for each in told] == [each.time for each in reversed(status(before + new).history)][
        len(status(before + new).history) - min(new, MOST) :
    ]
    assert len(told) + count_untold(status(before), status(before + new)) == new


def test_of_a_trigger_that_has_no_status_yet_all_is_new() -> None:
    assert len(firings_since(None, status(3))) == 3
    assert firings_since(None, None) == ()

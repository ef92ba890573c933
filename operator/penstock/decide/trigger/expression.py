"""The moments of one cron expression in a time zone, onwards or backwards from any instant, one at a time.

The library walks the wall clock as if no clock were ever changed; which instants its minutes are is our own part.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import dropwhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from penstock.api.cron import five_fields
from penstock.decide.trigger.wall_clock import instants_of, offset_at, wall_at

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class CronExpression:
    """Five fields, or a short form of them, as a clock of that zone shows their minutes."""

    text: str
    zone: ZoneInfo

    @property
    def is_fixed(self) -> bool:
        """Whether it names its minutes and hours, rather than following the clock."""
        minute, hour, *_ = five_fields(self.text).split()
        return not minute.startswith("*") and not hour.startswith("*")

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Yield the moments after that instant, in their order."""
        # What the clock has shown already comes again where it is about to be set back.
        again = max(offset_at(instant, self.zone) - offset_at(instant + _DAY, self.zone), timedelta(0))
        walls = self._walls(wall_at(instant, self.zone) - again - _MINUTE, backwards=False)
        return dropwhile(lambda moment: moment <= instant, _in_order(self._instants(walls), backwards=False))

    def until(self, instant: datetime) -> Iterator[datetime]:
        """Yield the moments up to that instant and at it, the newest first."""
        # Where it was set back it had shown more than it does now.
        more = max(offset_at(instant - _DAY, self.zone) - offset_at(instant, self.zone), timedelta(0))
        walls = self._walls(wall_at(instant, self.zone) + more + _MINUTE, backwards=True)
        return dropwhile(lambda moment: moment > instant, _in_order(self._instants(walls), backwards=True))

    def _walls(self, start: datetime, *, backwards: bool) -> Iterator[datetime]:
        try:
            yield from CronSim(five_fields(self.text), start, reverse=backwards)
        except OverflowError:  # the end of the calendar
            return

    def _instants(self, walls: Iterable[datetime]) -> Iterator[tuple[datetime, ...]]:
        fixed = self.is_fixed
        return (instants_of(wall, self.zone, fixed=fixed) for wall in walls)


def _in_order(groups: Iterable[tuple[datetime, ...]], *, backwards: bool) -> Iterator[datetime]:
    """Yield all instants in their order; in a group, of a minute that comes twice, the second waits for its turn."""
    sign = -1 if backwards else 1
    waiting: list[timedelta] = []
    for group in groups:
        keys = [(instant - _EPOCH) * sign for instant in group]
        for key in keys:
            heappush(waiting, key)
        while keys and waiting and waiting[0] <= min(keys):  # no later group has one before these
            yield _EPOCH + heappop(waiting) * sign
    while waiting:
        yield _EPOCH + heappop(waiting) * sign

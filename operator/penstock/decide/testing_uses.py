"""How often an epoch of the testing set has served to decide: its points stay, and are used in later versions too."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from penstock.api.pipeline import TestingUse
from penstock.decide.observed.listers import DecidingSet

MOST = 20  # as many as a status has room for


def count_uses(tests: Iterable[DecidingSet]) -> tuple[TestingUse, ...]:
    """Return the use of each epoch of the testing sets that these decisions rested on."""
    decisions: Counter[int] = Counter()
    newest: dict[int, DecidingSet] = {}
    for each in tests:  # there may be thousands, at each look at a Pipeline
        decisions[each.epoch] += 1
        other = newest.get(each.epoch)
        if other is None or _age(each) >= _age(other):
            newest[each.epoch] = each
    return _newest_first(_use_of(each, decisions[epoch]) for epoch, each in newest.items())


def merge_uses(before: Iterable[TestingUse], counted: Iterable[TestingUse]) -> tuple[TestingUse, ...]:
    """Return the uses as they are counted now, none of them below what was counted before runs were deleted.

    An earlier operator counted each version of an epoch by itself.
    """
    uses = {use.epoch: use for use in _added_up(before)}
    for use in counted:
        earlier = uses.get(use.epoch)
        uses[use.epoch] = use if earlier is None else _newest(use, earlier, max(use.decisions, earlier.decisions))
    return _newest_first(uses.values())


def use_of_epoch(uses: Iterable[TestingUse], epoch: int) -> TestingUse | None:
    """Return how often that epoch has served to decide; None where it never has."""
    return next((use for use in _added_up(uses) if use.epoch == epoch), None)


def _added_up(uses: Iterable[TestingUse]) -> Iterable[TestingUse]:
    found: dict[int, TestingUse] = {}
    for use in uses:
        other = found.get(use.epoch)
        found[use.epoch] = use if other is None else _newest(use, other, use.decisions + other.decisions)
    return found.values()


def _newest_first(uses: Iterable[TestingUse]) -> tuple[TestingUse, ...]:
    return tuple(sorted(uses, key=lambda use: use.epoch, reverse=True)[:MOST])


def _use_of(tested: DecidingSet, decisions: int) -> TestingUse:
    return TestingUse(
        epoch=tested.epoch,
        version=tested.version,
        digest=tested.digest,
        generation=tested.generation,
        decisions=decisions,
    )


def _newest(one: TestingUse, other: TestingUse, decisions: int) -> TestingUse:
    return msgspec.structs.replace(max(one, other, key=_age), decisions=decisions)


def _age(use: TestingUse | DecidingSet) -> tuple[int, int]:
    return use.version, use.generation or -1

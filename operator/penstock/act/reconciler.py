"""One key, made right: observe, decide, apply. And the workers, each with one key at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from penstock.act.apply import Applier, WriteRefused
from penstock.act.metrics import OperatorMetrics
from penstock.act.queue import Closed, WorkQueue
from penstock.act.view import View
from penstock.daemon import logs
from penstock.decide.conditions import shorten
from penstock.decide.decision import Decision
from penstock.kubernetes.errors import ApiError, Conflict, NamespaceEnding, Transient
from penstock.kubernetes.kinds import Key, Object

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observed:
    """What was observed (a dataclass with a field `refused`), and in how many seconds there may be more to see."""

    observation: Any
    requeue_after: float | None = None


@dataclass(frozen=True)
class Controller:
    """How the objects of one kind are reconciled."""

    observe: Callable[[Object], Awaitable[Observed]]
    decide: Callable[[Any, datetime], Decision]


@dataclass
class Reconciler:
    """Makes keys right.

    Args:
        controllers: by kind.
        view: the cluster as it is seen.
        applier: what carries decisions out.
        queue: where the keys come from.
        metrics: what is counted.
        now: the time.
    """

    controllers: Mapping[str, Controller]
    view: View
    applier: Applier
    queue: WorkQueue[Key]
    metrics: OperatorMetrics
    now: Callable[[], datetime]
    _warned: dict[Key, tuple[str, ...]] = field(default_factory=dict)

    async def work(self) -> None:
        """Make one key right after the other, until the queue is closed."""
        while True:
            try:
                key = await self.queue.take()
            except Closed:
                return
            with logs.about(key):
                await self._attempt(key)

    async def _attempt(self, key: Key) -> None:
        with self.metrics.reconcile(key.kind) as outcome:
            try:
                self.queue.done(key, await self.reconcile(key))
            except NamespaceEnding:
                self.queue.done(key)
            except Transient as error:
                outcome.record_error(error.label)
                wait = self.queue.add_rate_limited(key, error.retry_after)
                log.warning("%s Trying again in %.1f s.", error, wait)
            except Conflict as error:
                outcome.record_error(error.label)
                self.queue.add_rate_limited(key)
                log.debug("It changed while we looked at it: %s", error)
            except ApiError as error:
                outcome.record_error(error.label)
                wait = self.queue.add_rate_limited(key)
                log.error("The API server answers %d: %s Trying again in %.0f s.", error.status, error, wait)
            except Exception:
                outcome.record_error("bug")
                wait = self.queue.add_rate_limited(key)
                log.exception("This is a bug of Penstock. Trying again in %.0f s.", wait)

    async def reconcile(self, key: Key) -> float | None:
        """Make the object right, and return in how many seconds to look again."""
        controller, subject = self.controllers.get(key.kind), self.view.cache.get(key)
        if subject is None or controller is None:
            self.queue.forget(key)
            self.metrics.forget(key)
            self._warned.pop(key, None)
            return None
        logs.at_step(_step_of(subject))
        observed = await controller.observe(subject)
        decision = controller.decide(observed.observation, self.now())
        self._warn(key, decision.warnings)
        try:
            wrote = await self.applier.carry_out(subject, decision)
        except WriteRefused as error:
            log.warning("The API server refuses %s", shorten(str(error)))  # it says the whole object, now and then
            observation = replace(observed.observation, refused=error.refusal)
            decision = replace(controller.decide(observation, self.now()), writes=())
            await self.applier.carry_out(subject, decision)
            wrote = False
        self.metrics.record_decision(key, subject, decision)  # once it is done: attempts are no ends
        if wrote:
            self.queue.add(key)  # whether there is more to do now, is seen by looking
        return _sooner(decision.requeue_after, observed.requeue_after)

    def _warn(self, key: Key, warnings: tuple[str, ...]) -> None:
        """Log what is news: a key is looked at over and over."""
        for warning in warnings:
            if warning not in self._warned.get(key, ()):
                log.warning("%s", warning)
        if warnings:
            self._warned[key] = warnings
        else:
            self._warned.pop(key, None)


async def run_workers(reconciler: Reconciler, count: int) -> None:
    """Let so many workers work until the queue is closed; one that dies takes the rest, and the process, with it."""
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(reconciler.work(), name=f"worker {number}")


def _step_of(subject: Object) -> str | None:
    """Return the step that a run is at."""
    for step in (subject.get("status") or {}).get("steps") or ():
        if not step.get("completionTime"):
            return str(step.get("name"))
    return None


def _sooner(first: float | None, second: float | None) -> float | None:
    return min((each for each in (first, second) if each is not None), default=None)

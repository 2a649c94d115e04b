"""Bring observations to plugins beside the engine: in order, bounded, and after the fact.

What happened is queued with the journal number that records it; a task of the shell waits until
that is durable and only then tells the plugins. The core never waits for any of this.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from fairlead.api import Clock, Record, Severity
from fairlead.errors import StoreError
from fairlead.kernel.observers import ObserverFailure, Observers
from fairlead.kernel.outcome import RunSetup
from fairlead.model import Fill, OrderState, Slot
from fairlead.store import AlertRaised, Incident, Journal, PostureChanged
from fairlead.trackers import Order

__all__ = ["ObserverQueue"]

_MOST_QUEUED = 10_000
_Delivery = Callable[[], tuple[ObserverFailure, ...]]


class ObserverQueue:
    """The queue between the engine and its observers."""

    def __init__(self, observers: Observers, journal: Journal, clock: Clock) -> None:
        self._observers = observers
        self._journal = journal
        self._now_ns = clock.now_ns
        self._queue: deque[tuple[int, _Delivery]] = deque()
        self._filled = asyncio.Event()
        self._states: dict[str, OrderState] = {}
        #: Observations dropped because observers were too slow.
        self.dropped = 0
        journal.observe(self._recorded)

    def started(self, setup: RunSetup) -> None:
        """Tell that the run has begun."""
        now_ns = self._now_ns()
        self._put(
            lambda: self._observers.started(
                setup.instance,
                setup.mode,
                setup.epoch,
                setup.config_hash,
                setup.currency,
                now_ns,
            )
        )

    def stopped(self, instance: str, reason: str, proven: bool) -> None:
        """Tell that the run has ended."""
        now_ns = self._now_ns()
        self._put(lambda: self._observers.stopped(instance, reason, proven, now_ns))

    def order_changed(self, order: Order) -> None:
        """Tell that an order has moved."""
        view, now_ns = order.view(), self._now_ns()
        before = self._states.pop(view.client_id, OrderState.PENDING_CREATE)
        if not view.state.is_closed:
            self._states[view.client_id] = view.state
        self._put(lambda: self._observers.order_changed(view, before, now_ns))

    def filled(self, fill: Fill, slot: Slot) -> None:
        """Tell of a fill."""
        now_ns = self._now_ns()
        self._put(lambda: self._observers.filled(fill, slot, now_ns))

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._filled.wait()
            await self.drain()

    async def drain(self) -> None:
        """Deliver what is queued now, and what someone else is delivering."""
        while self._queue:
            seq, deliver = self._queue[0]
            try:
                await self._journal.durable(seq)
            except StoreError:
                self._queue.clear()  # nothing that is not durable is told
                break
            # It stays in the queue until then, so that whoever drains last misses none; someone
            # else may have told it meanwhile, or dropped it.
            if self._queue and self._queue[0][1] is deliver:
                self._queue.popleft()
                self._tell(deliver)
        self._filled.clear()

    def _tell(self, deliver: _Delivery) -> None:
        for failure in deliver():
            self._journal.append(
                Incident(
                    name="observer_failed",
                    detail=f"{failure.plugin} {failure.hook}: {failure.cause}",
                )
            )

    def _put(self, delivery: _Delivery) -> None:
        if not self._observers.wanted:
            return
        if len(self._queue) >= _MOST_QUEUED:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append((self._journal.seq, delivery))
        self._filled.set()

    def _recorded(self, seq: int, now_ns: int, record: Record) -> None:
        del seq
        match record:
            case Incident(name=name, detail=detail) if name != "observer_failed":
                self._put(lambda: self._observers.alert(Severity.WARNING, name, detail, now_ns))
            case AlertRaised(severity=severity, name=name, detail=detail):
                self._put(lambda: self._observers.alert(Severity(severity), name, detail, now_ns))
            case PostureChanged(level=level, rule=rule, reason=reason) if level != "ACTIVE":
                self._put(
                    lambda: self._observers.alert(
                        Severity.CRITICAL, level.lower(), f"{rule}: {reason}", now_ns
                    )
                )
            case _:
                pass

"""Follow what plans wish from the step to the record, and say what did not become an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from fairlead.api import Clock, Denied, Place, PlanEvent, Refused
from fairlead.kernel.plans_run import WAITING, PlanRun
from fairlead.kernel.plans_stuck import PlanStuck
from fairlead.model import OrderIntent, Slot
from fairlead.pipeline import Refusal
from fairlead.trackers import Order, OrderTracker

__all__ = ["PlanWishes", "waiting_id"]

_DROPPED = Denied("queue", "dropped", "sent", "stale, or its market was pulled, before it left")
_WITHDRAWN = Denied("queue", "withdrawn", "", "the plan took it back")


class PlanWishes:
    """The wishes of all executions that are on their way into an order."""

    def __init__(
        self,
        runs: Mapping[str, PlanRun],
        clock: Clock,
        orders: OrderTracker,
        tick_ns: int,
        *,
        waiting: Callable[[], Sequence[OrderIntent]],
        withdraw: Callable[[Slot], None],
        tell: Callable[[PlanRun, PlanEvent], None],
        stuck: PlanStuck,
    ) -> None:
        self._runs = runs
        self._clock = clock
        self._tick_ns = tick_ns
        self._waiting = waiting
        self._withdraw = withdraw
        self._tell = tell
        self._stuck = stuck
        orders.on_change(self._recorded, new=True)

    def refused(self, place: Place, refusal: Refusal, until_ns: int) -> None:
        """Take that a wish was denied; its plan hears so at ``until_ns``, or at once."""
        run = self._runs.get(place.slot.plan)
        if run is None:
            return
        run.placed.pop(place.slot, None)
        event = Refused(place, refusal.stage, refusal.denied)
        self._stuck.refused(run, event)
        late = run.late.pop(place.slot, None)
        if late is not None:
            late.cancel()
        if until_ns <= self._clock.now_ns():
            self._tell(run, event)
        else:
            call = partial(self._late, run, event)
            run.late[place.slot] = self._clock.call_at_ns(until_ns, call)

    def strange(self, run: PlanRun, place: Place) -> None:
        """Refuse a wish for a slot that is not its plan's."""
        denied = Denied("admission", place.slot.plan, run.execution, "another's slot")
        event = Refused(place, "admission", denied)
        at_ns = self._clock.now_ns() + self._tick_ns
        run.late[place.slot] = self._clock.call_at_ns(at_ns, partial(self._late, run, event))

    def settle(self) -> None:
        """Refuse what is neither waiting nor recorded after a dispatch."""
        waiting = {intent.slot: None for intent in self._waiting() if intent.slot.plan}
        later_ns = self._clock.now_ns() + self._tick_ns
        for run in self._runs.values():
            for place in [one for slot, one in run.placed.items() if slot not in waiting]:
                self.refused(place, Refusal("queue", _DROPPED), later_ns)

    def withdraw(self, run: PlanRun, slots: Iterable[Slot]) -> None:
        """Take back wishes that have not left."""
        for slot in tuple(slots):
            self._withdraw(slot)
            self._tell(run, Refused(run.placed.pop(slot), "queue", _WITHDRAWN))

    def named(self, run: PlanRun, name: str) -> tuple[Slot, ...]:
        """Find a wish by the id that it has in its plan's view."""
        return tuple(slot for slot in run.placed if waiting_id(slot) == name)

    def _recorded(self, order: Order) -> None:
        run = self._runs.get(order.intent.slot.plan)
        if run is not None:
            run.placed.pop(order.intent.slot, None)
            run.orders[order.client_id] = order

    def _late(self, run: PlanRun, event: Refused) -> None:
        run.late.pop(event.place.slot, None)
        self._tell(run, event)


def waiting_id(slot: Slot) -> str:
    """Name a wish that has not left as an order is named by its id."""
    return f"{WAITING}{slot.market} {slot.side} {slot.level}"

"""Hold what waits to leave: exits and hedges first, then quotes near the mid."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from fairlead.model import ZERO, OrderIntent, Purpose, Slot
from fairlead.trackers import Claims

__all__ = ["URGENT", "CreateQueue", "queued_id"]

#: The purposes of orders that take risk away: they leave before others and wait for nobody.
URGENT = (Purpose.EXIT, Purpose.HEDGE)


def queued_id(slot: Slot) -> str:
    """Name what waits for a slot where an order is named by its id; no order's id is like it."""
    return f"?{slot.strategy} {slot.plan} {slot.market} {slot.side} {slot.level}"


class CreateQueue:
    """Creates that passed every check and wait for their venue; one for each slot."""

    def __init__(self) -> None:
        self._waiting: dict[Slot, OrderIntent] = {}
        self._of_plans: dict[str, dict[Slot, OrderIntent]] = {}
        #: What they need, by their slots.
        self.claims: Claims[Slot] = Claims()

    def put(self, intent: OrderIntent) -> None:
        """Add an intent; one that waited for the same slot is superseded."""
        self.supersede(intent.slot)
        self._waiting[intent.slot] = intent
        self._of_plans.setdefault(intent.slot.plan, {})[intent.slot] = intent
        self.claims.put(intent.slot, intent, intent.quantity)

    def drop(self, stale: Callable[[OrderIntent], bool]) -> tuple[OrderIntent, ...]:
        """Drop what must not leave any more; nothing was recorded, so nothing is left of it.

        Gives what was dropped, oldest first.
        """
        dropped = tuple(intent for intent in self._waiting.values() if stale(intent))
        self.remove(dropped)
        return dropped

    def supersede(self, slot: Slot) -> None:
        """Drop what waits for a slot: a newer decision on it has come, whatever becomes of that."""
        if slot in self._waiting:
            self._remove(slot)

    def waiting(self, plan: str | None = None) -> tuple[OrderIntent, ...]:
        """Give what waits, oldest first; of one plan where it is named."""
        waiting = self._waiting if plan is None else self._of_plans.get(plan, {})
        return tuple(waiting.values())

    def ready(self, venue: str) -> tuple[OrderIntent, ...]:
        """Give what waits for a venue, the most urgent first, FIFO within equals."""
        mine = [intent for intent in self._waiting.values() if intent.slot.market.venue == venue]
        mine.sort(key=_urgency)
        return tuple(mine)

    def remove(self, intents: Iterable[OrderIntent]) -> None:
        """Take these away: they leave."""
        for intent in intents:
            self._remove(intent.slot)

    def _remove(self, slot: Slot) -> None:
        del self._waiting[slot]
        self.claims.drop(slot)
        of_plan = self._of_plans[slot.plan]
        del of_plan[slot]
        if not of_plan:
            del self._of_plans[slot.plan]


def _urgency(intent: OrderIntent) -> tuple[int, Decimal]:
    if intent.purpose in URGENT:
        return (0, ZERO)
    distance = abs(intent.price - intent.mid) / intent.mid if intent.mid else ZERO
    return (1, distance)

"""Hold what waits to leave: exits and hedges first, then quotes near the mid."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from fairlead.model import ZERO, OrderIntent, Purpose, Slot

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

    def put(self, intent: OrderIntent) -> None:
        """Add an intent; one that waited for the same slot is superseded."""
        self.supersede(intent.slot)
        self._waiting[intent.slot] = intent

    def drop(self, stale: Callable[[OrderIntent], bool]) -> tuple[OrderIntent, ...]:
        """Drop what must not leave any more; nothing was recorded, so nothing is left of it.

        Gives what was dropped, oldest first.
        """
        dropped = tuple(intent for intent in self._waiting.values() if stale(intent))
        for intent in dropped:
            del self._waiting[intent.slot]
        return dropped

    def supersede(self, slot: Slot) -> None:
        """Drop what waits for a slot: a newer decision on it has come, whatever becomes of that."""
        self._waiting.pop(slot, None)

    def waiting(self) -> tuple[OrderIntent, ...]:
        """Give what waits, oldest first."""
        return tuple(self._waiting.values())

    def ready(self, venue: str) -> tuple[OrderIntent, ...]:
        """Give what waits for a venue, the most urgent first, FIFO within equals."""
        mine = [intent for intent in self._waiting.values() if intent.slot.market.venue == venue]
        mine.sort(key=_urgency)
        return tuple(mine)

    def remove(self, intents: Iterable[OrderIntent]) -> None:
        """Take these away: they leave."""
        for intent in intents:
            del self._waiting[intent.slot]


def _urgency(intent: OrderIntent) -> tuple[int, Decimal]:
    if intent.purpose in URGENT:
        return (0, ZERO)
    distance = abs(intent.price - intent.mid) / intent.mid if intent.mid else ZERO
    return (1, distance)

"""Hold what waits to leave: cancels first, then exits and hedges, then quotes near the mid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from fairlead.api import BatchLimits
from fairlead.model import OrderIntent, Purpose, Slot

__all__ = ["CreateQueue", "batches"]

_URGENT = (Purpose.EXIT, Purpose.HEDGE)


class CreateQueue:
    """Creates that passed every check and wait for their venue; one for each slot."""

    def __init__(self) -> None:
        self._waiting: dict[Slot, OrderIntent] = {}

    def put(self, intent: OrderIntent) -> None:
        """Add an intent; one that waited for the same slot is superseded."""
        self.supersede(intent.slot)
        self._waiting[intent.slot] = intent

    def drop(self, stale: Callable[[OrderIntent], bool]) -> None:
        """Drop what must not leave any more; nothing was recorded, so nothing is left of it."""
        self._waiting = {
            slot: intent for slot, intent in self._waiting.items() if not stale(intent)
        }

    def supersede(self, slot: Slot) -> None:
        """Drop what waits for a slot: a newer decision on it has come, whatever becomes of that."""
        self._waiting.pop(slot, None)

    def waiting(self) -> tuple[OrderIntent, ...]:
        """Give what waits, oldest first."""
        return tuple(self._waiting.values())

    def take(self, venue: str, most: int) -> tuple[OrderIntent, ...]:
        """Take up to ``most`` intents of a venue, the most urgent first, FIFO within equals."""
        mine = [intent for intent in self._waiting.values() if intent.slot.market.venue == venue]
        mine.sort(key=_urgency)
        taken = tuple(mine[: max(most, 0)])
        for intent in taken:
            del self._waiting[intent.slot]
        return taken


def _urgency(intent: OrderIntent) -> tuple[int, Decimal]:
    if intent.purpose in _URGENT:
        return (0, Decimal(0))
    distance = abs(intent.price - intent.mid) / intent.mid if intent.mid else Decimal(0)
    return (1, distance)


def batches(
    intents: Sequence[OrderIntent], limits: BatchLimits
) -> tuple[tuple[OrderIntent, ...], ...]:
    """Cut intents, in order, into requests that the venue takes."""
    groups: dict[tuple[object, ...], list[list[OrderIntent]]] = {}
    ordered: list[list[OrderIntent]] = []
    for intent in intents:
        key = (
            None if limits.mixed_markets else intent.slot.market,
            None if limits.mixed_sides else intent.side,
        )
        chunks = groups.setdefault(key, [])
        if not chunks or len(chunks[-1]) >= max(limits.creates, 1):
            chunk: list[OrderIntent] = []
            chunks.append(chunk)
            ordered.append(chunk)
        chunks[-1].append(intent)
    return tuple(tuple(chunk) for chunk in ordered)

"""Remember what was refused lately, so that the same wish is not judged again at once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import Denied, Place
from fairlead.pipeline.queue import URGENT

__all__ = ["LONGEST_NS", "Backoff", "Refusal", "backed_off"]

#: A refused wish is not asked again at once: 1, 2, 4 … ticks, at most a minute.
LONGEST_NS = 60_000_000_000
# What takes risk away may not be kept waiting for so long.
_LONGEST_URGENT_NS = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A wish that will not become an order: the stage that refused it, and its verdict."""

    stage: str
    denied: Denied


@dataclass(frozen=True, slots=True)
class Backoff:
    """What was refused in one slot, and until when it is not judged again."""

    refusal: Refusal
    until_ns: int
    wait_ns: int
    quantity: Decimal

    def holds(self, place: Place, now_ns: int) -> bool:
        """Tell whether a wish in that slot has to wait still.

        A smaller hedge or exit is another one: whether it may leave is not known from the larger.
        """
        smaller = place.purpose in URGENT and place.quantity < self.quantity
        return now_ns < self.until_ns and not smaller


def backed_off(
    before: Backoff | None, place: Place, refusal: Refusal, now_ns: int, tick_ns: int
) -> Backoff:
    """Wait for a tick; for twice as long as before where the same rule refuses again."""
    wait_ns = tick_ns
    if before is not None and before.refusal.denied.rule == refusal.denied.rule:
        longest_ns = _LONGEST_URGENT_NS if place.purpose in URGENT else LONGEST_NS
        wait_ns = min(2 * before.wait_ns, max(longest_ns, tick_ns))
    return Backoff(refusal, now_ns + wait_ns, wait_ns, place.quantity)

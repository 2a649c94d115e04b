"""Cut a quantity into even slices that the venue takes, and say what each may fill."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.api.plans import CatchUp, TwapPlan
from fairlead.model import ZERO, Instrument, ceil_to, floor_to

__all__ = ["Slices", "cut", "smallest_order"]


class Slices(msgspec.Struct, frozen=True):
    """An even schedule: ``count`` slices, one every ``interval_ns``, summing to ``quantity``."""

    quantity: Decimal
    lot: Decimal
    count: int
    interval_ns: int

    @property
    def span_ns(self) -> int:
        """Give the time from the first slice to the end of the last one's interval."""
        return self.count * self.interval_ns

    def index(self, age_ns: int) -> int:
        """Say whose turn it is so long after the start; ``count`` = it is over."""
        return min(age_ns // self.interval_ns, self.count)

    def even(self, index: int) -> Decimal:
        """Give the slice's own share; all of them add up to the quantity."""
        return self._until(index + 1) - self._until(index)

    def quota(self, index: int, done: Decimal, smallest: Decimal, plan: TwapPlan) -> Decimal:
        """Say what the slice may fill when ``done`` was filled before it.

        What was missed is spread over this and the slices after it, or left out, as the plan says;
        never more than ``max_slice`` even ones, never more than is left.
        """
        left = self.quantity - done
        if plan.catch_up is CatchUp.SKIP:
            return min(self.even(index), left)
        rest = floor_to(left / (self.count - index), self.lot)
        most = ceil_to(plan.max_slice * self.quantity / self.count, self.lot)
        return min(max(rest, smallest), most, left)

    def _until(self, index: int) -> Decimal:
        return floor_to(self.quantity * index / self.count, self.lot)


def cut(plan: TwapPlan, instrument: Instrument, price: Decimal) -> Slices | None:
    """Cut a plan's quantity into as many slices as it asks for, or as its minimums allow.

    Fewer slices take the same time. None = not even one reaches the minimum.
    """
    quantity = instrument.round_quantity(plan.quantity)
    smallest = smallest_order(instrument, price)
    count = min(plan.count, int(quantity // smallest))
    if count < 1:
        return None
    interval_ns = plan.interval.ns
    if count < plan.count:
        interval_ns = max(plan.duration.ns // max(count - 1, 1), interval_ns)
    return Slices(quantity, instrument.lot, count, interval_ns)


def smallest_order(instrument: Instrument, price: Decimal) -> Decimal:
    """Give the least quantity on the lot that misses no minimum at ``price``."""
    least = max(instrument.lot, instrument.min_quantity)
    value = instrument.notional(price, Decimal(1))
    if value > ZERO:
        least = max(least, instrument.min_notional / value)
    return ceil_to(least, instrument.lot)

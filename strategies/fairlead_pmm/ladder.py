"""Build one side of the ladder, stage by stage, in the one order that the trading reference gives.

The stages: reference, spread, price skew, size skew, round, minimum, budget, crossing guard.

Two bounds are taken where they do not depend on the inventory: the minimum notional at the
lowest price that price skew could give a side, and the budget at the highest. So holding more
never buys more nor sells less, to the last lot; the price is a few bps of caution.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import Gate
from fairlead.model import ONE, ZERO, Instrument, Quote, Side, ceil_to
from fairlead_pmm.config import PmmConfig
from fairlead_pmm.rung import Rung, cut, merge
from fairlead_pmm.skew import Inventory

__all__ = ["Ladder"]


@dataclass(frozen=True, slots=True)
class Ladder:
    """What one decision knows; `side` gives its quotes."""

    config: PmmConfig
    instrument: Instrument
    reference: Decimal
    best_bid: Decimal
    best_ask: Decimal
    inventory: Inventory
    #: What risk rules multiply spreads by, 1 or more.
    spread_factor: Decimal
    #: Quote currency to buy with and base units to sell, own live orders' part included.
    buying: Decimal
    selling: Decimal

    def side(self, side: Side, empty: Collection[int]) -> tuple[tuple[Quote, ...], list[Gate]]:
        """Build a side's quotes, best first, and the gates that stopped the rest of them.

        :param empty: levels that stay empty this time; nothing is merged into them.
        """
        gates: list[Gate] = []
        rungs = [
            Rung(side, level) for level in range(self.config.levels.count) if level not in empty
        ]
        if not rungs:
            return (), gates
        held, bound = self.inventory.describe(), self._bound(side)
        offsets = {rung.level: self._offset(side, rung.level) for rung in rungs}
        for rung in rungs:
            self._price(rung, offsets[rung.level], held)
            self._size(rung, held)
        if self.config.inventory.size_skew and rungs[0].quantity <= 0:
            return (), [Gate("size skew", f"{side} {rung.level}: {held}") for rung in rungs]
        for rung in rungs:
            rung.round(self.instrument)
        nearest, furthest = offsets[rungs[0].level], offsets[rungs[-1].level]
        lowest = min(self._extreme(side, offset, 1, bound) for offset in (nearest, furthest))
        least = self._least(lowest)
        if least is None:
            return (), [Gate("price grid", f"{rung.name}: no price above zero") for rung in rungs]
        kept = merge(rungs, least, "minimum", gates)
        kept = self._afford(kept, nearest, bound, least, gates)
        for rung in kept:
            self._guard(rung, bound)
        return tuple(rung.quote(self.reference) for rung in kept), gates

    def _price(self, rung: Rung, offset: Decimal, held: str) -> None:
        rung.begin(self.reference, str(self.config.reference))
        detail = f"{offset.scaleb(4):.2f} bps"
        if self.spread_factor != ONE:
            detail += f", widened × {self.spread_factor}"
        rung.move("spread", self.reference * (ONE - rung.side.sign * offset), detail)
        if self.config.inventory.price_skew.value:
            shift = self.reference * self.config.inventory.price_skew.value * self.inventory.lean
            rung.move("price skew", rung.price - shift, held)

    def _size(self, rung: Rung, held: str) -> None:
        size = self.config.order_size
        unit = self.instrument.multiplier
        if size.asset == self.instrument.quote:
            unit *= self.reference
        rung.size(size.value / unit, str(size))
        if self.config.inventory.size_skew:
            factor = ONE - rung.side.sign * self.inventory.lean
            rung.resize("size skew", rung.quantity * factor, f"× {factor:.2f}: {held}")

    def _offset(self, side: Side, level: int) -> Decimal:
        spread = self.config.spread_of(side) * self.spread_factor
        step = self.config.levels.step.value * self.spread_factor
        return max(spread, self.config.min_spread.value) + level * step

    def _extreme(self, side: Side, offset: Decimal, lean: int, bound: Decimal) -> Decimal:
        # The price that a level would have if the inventory leaned fully to one side.
        skew = lean * self.config.inventory.price_skew.value
        price = self.reference * (ONE - side.sign * offset - skew)
        return _passive(side, self.instrument.round_price(price, side), bound)

    def _least(self, lowest: Decimal) -> Decimal | None:
        instrument = self.instrument
        if lowest <= 0:
            return None
        notional = instrument.min_notional / (lowest * instrument.multiplier)
        return max(instrument.lot, ceil_to(max(instrument.min_quantity, notional), instrument.lot))

    def _afford(
        self,
        rungs: tuple[Rung, ...],
        nearest: Decimal,
        bound: Decimal,
        least: Decimal,
        gates: list[Gate],
    ) -> tuple[Rung, ...]:
        if not rungs:
            return ()
        side, instrument = rungs[0].side, self.instrument
        most, asset = self.selling, instrument.base
        if side is Side.BUY:
            highest = self._extreme(side, nearest, -1, bound)
            cost = instrument.notional(highest, ONE) * (ONE + max(instrument.fees.maker, ZERO))
            most, asset = self.buying / cost, instrument.quote
        most = instrument.round_quantity(most)
        if most <= 0:
            gates.extend(Gate("no balance", f"{rung.name}: no {asset} to use") for rung in rungs)
            return ()
        total = sum((rung.quantity for rung in rungs), start=ZERO)
        if total <= most:
            return rungs
        cut(rungs, most, instrument.lot, f"{asset} for {most} of {total}")
        return merge(rungs, least, "budget", gates)

    def _bound(self, side: Side) -> Decimal:
        # One step inside the spread is as near as a post-only order may come.
        grid = self.instrument.grid
        if side is Side.BUY:
            nearest = self.best_ask - grid.step_at(self.best_ask)
        else:
            nearest = self.best_bid + grid.step_at(self.best_bid)
        return self.instrument.round_price(nearest, side)

    def _guard(self, rung: Rung, bound: Decimal) -> None:
        price = _passive(rung.side, rung.price, bound)
        if price != rung.price:
            best = self.best_ask if rung.side is Side.BUY else self.best_bid
            rung.move("crossing guard", price, f"kept off the opposite best {best}")


def _passive(side: Side, price: Decimal, bound: Decimal) -> Decimal:
    return min(price, bound) if side is Side.BUY else max(price, bound)

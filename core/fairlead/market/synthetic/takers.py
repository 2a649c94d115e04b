"""Let takers trade: the uninformed for reasons of their own, the informed on stale quotes.

An order's impact grows with the square root of its size. Source: Tóth et al. 2011, "Anomalous
price impact and the critical nature of liquidity in financial markets", Physical Review X 1.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

from fairlead.market.synthetic.draw import CELLS, quantiles
from fairlead.market.synthetic.ladder import FEWEST_LEVELS, SideLevels
from fairlead.market.synthetic.preset import Preset
from fairlead.model import MarketEvent, MarketId, Side, Trade, statistic

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; the source's context makes generators

__all__ = ["Takers"]

# Signs of uninformed orders lean to one side, which changes every 40 orders or so: the
# autocorrelation this gives (0.3 at 1, 0.1 at 20) is that of the recorded signs.
_LEAN = 0.6
_LEAN_SWITCH = 0.025
_MOST_PRINTS = 12


class Takers:
    """Those who trade at once; each call is one arrival and prints what it takes."""

    __slots__ = (
        "_asks",
        "_bids",
        "_cost",
        "_impact",
        "_impacts",
        "_informed_sizes",
        "_lean",
        "_market",
        "_pieces",
        "_random",
        "_sizes",
        "_sweep",
        "_trade_id",
    )

    def __init__(
        self, preset: Preset, market: MarketId, bids: SideLevels, asks: SideLevels, random: Random
    ) -> None:
        lot = statistic(preset.lot)
        self._market = market
        self._bids = bids
        self._asks = asks
        self._random = random.random
        self._sizes = quantiles(preset.taker_sizes, lot)
        median = preset.taker_sizes.median / lot
        ticks = preset.ticks_per_bps
        self._impacts = [preset.impact_bps * ticks * sqrt(size / median) for size in self._sizes]
        self._informed_sizes = quantiles(preset.informed_sizes, lot)
        self._pieces = quantiles(preset.order_sizes, lot)
        self._sweep = round(preset.sweep_bps * ticks)
        self._cost = preset.informed_cost_bps * ticks
        self._lean = _LEAN
        self._trade_id = 0

    def trade_uninformed(self, now_ns: int, out: list[MarketEvent]) -> float:
        """Trade without knowing the latent price; give how far that moves it, in ticks."""
        random = self._random
        if random() < _LEAN_SWITCH:
            self._lean = -self._lean
        sign = 1 if random() * 2 - 1 < self._lean else -1
        cell = int(random() * CELLS)
        ladder = self._asks if sign > 0 else self._bids
        self._take(ladder, self._sizes[cell], ladder.keys[-1] - self._sweep, now_ns, out)
        # Only the surprise moves the price: what everybody expects is in it already.
        return self._impacts[cell] * (sign - self._lean)

    def trade_informed(self, latent: float, now_ns: int, out: list[MarketEvent]) -> None:
        """Take what stands on the wrong side of the latent price by more than the cost."""
        for ladder in (self._asks, self._bids):
            worst = ceil(ladder.sign * latent + self._cost)
            if ladder.keys[-1] >= worst:
                size = self._informed_sizes[int(self._random() * CELLS)]
                self._take(ladder, size, worst, now_ns, out)

    def _take(
        self, ladder: SideLevels, quantity: int, worst: int, now_ns: int, out: list[MarketEvent]
    ) -> None:
        keys, quantities = ladder.keys, ladder.quantities
        while quantity > 0 and len(keys) > FEWEST_LEVELS and keys[-1] >= worst:
            key = keys[-1]
            shown = quantities[key]
            taken = min(quantity, shown)
            quantity -= taken
            ladder.put(key, shown - taken)
            self._print(ladder, key, taken, now_ns, out)

    def _print(
        self, ladder: SideLevels, key: int, quantity: int, now_ns: int, out: list[MarketEvent]
    ) -> None:
        # A level is made of several orders, and each gives one print.
        side = Side.BUY if ladder.sign < 0 else Side.SELL
        price = ladder.sign * key
        for left in range(_MOST_PRINTS, 0, -1):
            piece = self._pieces[int(self._random() * CELLS)] if left > 1 else quantity
            piece = min(piece, quantity)
            quantity -= piece
            self._trade_id += 1
            out.append(Trade(self._market, now_ns, now_ns, str(self._trade_id), side, price, piece))
            if not quantity:
                return

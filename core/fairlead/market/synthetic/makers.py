"""Let makers quote: follow the latent price with a lag, clear stale quotes, fill wide spreads."""

from __future__ import annotations

from bisect import bisect_right
from math import floor
from typing import TYPE_CHECKING

from fairlead.market.synthetic.draw import CELLS, quantiles
from fairlead.market.synthetic.ladder import FEWEST_LEVELS, SideLevels
from fairlead.market.synthetic.preset import Preset
from fairlead.model import statistic

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; the source's context makes generators

__all__ = ["Makers"]


class Makers:
    """Those who give liquidity; each call is one arrival."""

    __slots__ = (
        "_asks",
        "_bids",
        "_clear",
        "_deep_changes",
        "_deep_distances",
        "_half",
        "_lag",
        "_level_sizes",
        "_most_levels",
        "_natural",
        "_random",
        "_removals",
        "_spacing",
        "_spacing_growth",
        "_stale",
        "_touch_mean",
        "_touch_sizes",
        "reference",
    )

    def __init__(self, preset: Preset, bids: SideLevels, asks: SideLevels, random: Random) -> None:
        lot, ticks = statistic(preset.lot), preset.ticks_per_bps
        self._bids = bids
        self._asks = asks
        self._random = random.random
        self._lag = preset.lag
        self._stale = preset.stale_bps * ticks
        self._clear = preset.clear_bps * ticks
        self._natural = max(1, round(preset.natural_bps * ticks))
        self._half = self._natural / 2
        self._touch_sizes = quantiles(preset.touch_sizes, lot)
        self._touch_mean = sum(self._touch_sizes) / CELLS
        self._deep_changes = preset.deep_changes
        self._deep_distances = quantiles(preset.deep_distance, 1 / ticks)
        self._level_sizes = quantiles(preset.level_sizes, lot)
        self._spacing = preset.spacing_ticks
        self._spacing_growth = preset.spacing_growth
        self._removals = preset.deep_removals
        self._most_levels = preset.most_levels
        #: What makers believe the price to be, in ticks.
        self.reference = preset.start_ticks + 0.5

    @property
    def spread_is_wide(self) -> bool:
        """Tell whether the spread is wider than makers would keep it."""
        return -self._bids.keys[-1] - self._asks.keys[-1] > self._natural

    def open_book(self, levels: int) -> None:
        """Lay out a fresh book around the reference, ``levels`` on each side."""
        random, sizes = self._random, self._level_sizes
        for ladder in (self._bids, self._asks):
            best = key = floor(ladder.sign * self.reference - self._half + 0.5)
            for _ in range(levels):
                ladder.put(key, sizes[int(random() * CELLS)])
                spacing = self._spacing + self._spacing_growth * (best - key)
                key -= 1 + int(random() * 2 * (spacing + 0.3))

    def follow(self, latent: float, seconds: float) -> None:
        """Learn of the latent price, as far as ``seconds`` allow."""
        self.reference += (latent - self.reference) * min(1.0, seconds / self._lag)

    def clear_stale(self) -> None:
        """Take away every quote that stands too near to the reference, if one has become stale."""
        for ladder in (self._bids, self._asks):
            keys, fair = ladder.keys, ladder.sign * self.reference
            if fair - keys[-1] < self._stale:
                while fair - keys[-1] < self._clear and len(keys) > FEWEST_LEVELS:
                    ladder.put(keys[-1], 0)

    def fill_spread(self) -> None:
        """Quote inside a wide spread, on the side that is farther from the reference."""
        bids, asks = self._bids, self._asks
        bid_gap = self.reference - bids.keys[-1]
        ask_gap = -asks.keys[-1] - self.reference
        near, far = (asks, bids) if bid_gap > ask_gap else (bids, asks)
        random = self._random
        wished = floor(far.sign * self.reference - self._half * (0.75 + 0.5 * random()))
        key = min(wished, -near.keys[-1] - 1)
        if key > far.keys[-1]:
            far.put(key, self._touch_sizes[int(random() * CELLS)])

    def change_touch(self) -> None:
        """Let an order join or leave the best price of a side; the fuller, the more leave."""
        random, mean = self._random, self._touch_mean
        ladder = self._bids if random() < 0.5 else self._asks
        key = ladder.keys[-1]
        shown = ladder.quantities[key]
        size = self._touch_sizes[int(random() * CELLS)]
        if random() * (shown + mean) < mean:
            ladder.put(key, shown + size)
        else:
            # The last to leave goes in steps, so that a best price seldom dies of cancels alone.
            left = shown - size if shown > size else shown // 3
            if left or len(ladder.keys) > FEWEST_LEVELS:
                ladder.put(key, left)

    def change_depth(self, activity: float) -> None:
        """Change levels behind the best prices, as many as ``activity`` asks for."""
        random, distances, sizes = self._random, self._deep_distances, self._level_sizes
        ladders = (self._bids, self._asks)
        for _ in range(int(self._deep_changes * activity + random())):
            ladder = ladders[random() < 0.5]
            keys = ladder.keys
            cell = random() * (CELLS - 1)
            low = int(cell)
            distance = distances[low]
            distance += int((distances[low + 1] - distance) * (cell - low))
            key = keys[-1] - distance
            size = sizes[int(random() * CELLS)]
            place = bisect_right(keys, key) - 1
            if place >= 0 and key - keys[place] <= self._spacing + self._spacing_growth * distance:
                # The few places near here are taken: somebody leaves, or changes size.
                key = keys[place]
                if random() >= self._removals:
                    ladder.put(key, (ladder.quantities[key] + size + 1) // 2)
                elif len(keys) > FEWEST_LEVELS:
                    ladder.put(key, 0)
            else:
                ladder.put(key, size)
        for ladder in ladders:
            while len(ladder.keys) > self._most_levels:
                ladder.put(ladder.keys[0], 0)

"""Measure how much of the time both sides were quoted as promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fairlead.model import ZERO

__all__ = ["Obligation", "Uptime"]

#: Own acknowledged orders of one side that rest now: (price, leaves quantity), best first.
Resting = Sequence[tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Obligation:
    """What counts as quoting: both sides with ``min_size`` within ``max_spread`` of each other.

    ``max_spread`` is the whole distance from bid to ask as a share of the mid, inclusive; None =
    any. ``min_size`` is per side, in base units or contracts, inclusive.
    """

    max_spread: Decimal | None = None
    min_size: Decimal = ZERO


class Uptime:
    """Time with a valid market, and the parts of it in which our quotes stood.

    Market and quotes may change at any time and in any order; each state counts until the next
    news of either. What an obligation demands of the mid is worked out once per change of our
    quotes, so a market change costs comparisons only.
    """

    def __init__(self, obligation: Obligation | None = None) -> None:
        self._obligation = obligation or Obligation()
        self._last_ns: int | None = None
        self._valid = False
        self._best_bid = self._best_ask = self._both = ZERO
        self._own_bid: Decimal | None = None
        self._own_ask: Decimal | None = None
        #: The lowest bid + ask, twice the mid, at which our quotes are near enough to each other;
        #: None = a side is missing.
        self._least_both: Decimal | None = None
        self._valid_ns = self._quoted_ns = self._top_ns = 0

    @property
    def quoted(self) -> float | None:
        """Give the share of valid time with both sides as promised; None without valid time."""
        return self._quoted_ns / self._valid_ns if self._valid_ns else None

    @property
    def at_top(self) -> float | None:
        """Give the share of valid time at the market's best price, averaged over both sides."""
        return self._top_ns / (2 * self._valid_ns) if self._valid_ns else None

    @property
    def valid_ns(self) -> int:
        """Give how long the market was valid."""
        return self._valid_ns

    def on_market(self, at_ns: int, best_bid: Decimal, best_ask: Decimal) -> None:
        """Note the best prices of a valid book."""
        self.advance(at_ns)
        self._valid = True
        self._best_bid, self._best_ask = best_bid, best_ask
        self._both = best_bid + best_ask

    def on_invalid(self, at_ns: int) -> None:
        """Note that there is no valid market; the time until the next one does not count."""
        self.advance(at_ns)
        self._valid = False

    def on_quotes(self, at_ns: int, bids: Resting, asks: Resting) -> None:
        """Note what rests and is acknowledged now."""
        self.advance(at_ns)
        self._own_bid = bids[0][0] if bids else None
        self._own_ask = asks[0][0] if asks else None
        bid, ask = self._sized(bids), self._sized(asks)
        if bid is None or ask is None:
            self._least_both = None
        elif not self._obligation.max_spread:
            self._least_both = ZERO
        else:
            self._least_both = 2 * (ask - bid) / self._obligation.max_spread

    def advance(self, at_ns: int) -> None:
        """Count the time up to now; earlier stamps than the last count nothing."""
        last = self._last_ns
        if last is not None and at_ns <= last:
            return
        self._last_ns = at_ns
        if last is None or not self._valid:
            return
        span = at_ns - last
        self._valid_ns += span
        if self._least_both is not None and self._both >= self._least_both:
            self._quoted_ns += span
        if self._own_bid is not None and self._own_bid >= self._best_bid:
            self._top_ns += span
        if self._own_ask is not None and self._own_ask <= self._best_ask:
            self._top_ns += span

    # The price at which one side has shown the promised size: the outermost that is needed.
    def _sized(self, orders: Resting) -> Decimal | None:
        seen = ZERO
        for price, quantity in orders:
            seen += quantity
            if seen >= self._obligation.min_size:
                return price
        return None

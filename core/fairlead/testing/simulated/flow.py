"""Make a market of little: enough to quote against for days, at a few messages a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from fairlead.api import MarketHint
from fairlead.book import CONTIGUOUS
from fairlead.market import FRAME_NS, MIDCAP, OrderFlow
from fairlead.model import (
    BestQuote,
    BookDiff,
    BookSnapshot,
    ConstantStep,
    Level,
    MarketEvent,
    MarketId,
    Scale,
    Side,
    Trade,
)

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["HINT", "MarketFlow", "ThinFlow", "full_flow"]

_SECOND = 1_000_000_000
_START = 20_000  # ticks
_STEP = 4  # ticks between two levels
_LEVELS = 10
_HALF = 3.0  # ticks from the mid to the best price, before it is put on a level
_VOLATILITY = 1.4  # ticks in the square root of a second
_HOME = 0.0005  # how much of its way the price comes back within a second
_PRINTS = 0.4  # of all frames have prints
_SWEEP = 6.0  # ticks beyond the best price to which an order sweeps, on average


class MarketFlow(Protocol):
    """A market that goes on for ever, frame by frame; `OrderFlow` is the full one."""

    def open(self, at_ns: int) -> Iterator[MarketEvent]:
        """Lay out the book and give its snapshot first."""

    def frame(self, start_ns: int) -> list[MarketEvent]:
        """Let one frame pass and give what happened."""


#: The market of either flow: the rules of the synthetic midcap.
HINT = MarketHint(
    symbol=f"{MIDCAP.base}/{MIDCAP.quote}",
    base=MIDCAP.base,
    quote=MIDCAP.quote,
    scale=Scale(4, 0),
    grid=ConstantStep(MIDCAP.tick),
    lot=MIDCAP.lot,
    min_quantity=MIDCAP.min_quantity,
    min_notional=MIDCAP.min_notional,
    sequence=CONTIGUOUS,
)


def full_flow(market: MarketId, random: Callable[[str], Random]) -> tuple[MarketFlow, int]:
    """Give the synthetic midcap market and the length of its frames."""
    return OrderFlow(MIDCAP, market, HINT.scale, random), FRAME_NS


class ThinFlow:
    """A random walk with a book of few levels around it, and now and then an order that sweeps.

    Only what an engine must cope with is modelled, nothing of what it might earn.
    """

    def __init__(
        self, market: MarketId, random: Callable[[str], Random], frame_ns: int = 2 * _SECOND
    ) -> None:
        self._market = market
        self._random = random("thin.flow")
        self._frame_ns = frame_ns
        self._mid = float(_START)
        self._root = (frame_ns / _SECOND) ** 0.5
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._update = 1
        self._trades = 0
        self._best = (0, 0, 0, 0)

    def open(self, at_ns: int) -> Iterator[MarketEvent]:
        """Lay out the book and give its snapshot and its best quote."""
        self._shift()
        yield BookSnapshot(
            self._market,
            at_ns,
            at_ns,
            self._update,
            tuple(sorted(self._bids.items(), reverse=True)),
            tuple(sorted(self._asks.items())),
            HINT.scale,
        )
        yield self._quote(at_ns)

    def frame(self, start_ns: int) -> list[MarketEvent]:
        """Let the market move once: prints first, then the diff, then its best quote."""
        draw = self._random
        out: list[MarketEvent] = []
        at_ns = start_ns + self._frame_ns
        if draw.random() < _PRINTS:
            self._print(at_ns, out)
        pull = (_START - self._mid) * _HOME * self._frame_ns / _SECOND
        self._mid += draw.gauss(0.0, 1.0) * _VOLATILITY * self._root + pull
        bids, asks = self._shift()
        if not bids and not asks:
            return out
        first = self._update + 1
        self._update += len(bids) + len(asks)
        out.append(BookDiff(self._market, at_ns, at_ns, first, self._update, None, bids, asks))
        out.append(self._quote(at_ns))
        return out

    def _shift(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        # Put the book where the price is now, and change one level besides.
        best_bid = int((self._mid - _HALF) // _STEP) * _STEP
        best_ask = best_bid + 2 * _STEP
        bids = self._move(self._bids, best_bid, -_STEP)
        asks = self._move(self._asks, best_ask, _STEP)
        return tuple(bids.items()), tuple(asks.items())

    def _move(self, levels: dict[int, int], best: int, step: int) -> dict[int, int]:
        draw = self._random
        wanted = range(best, best + _LEVELS * step, step)
        changes = dict.fromkeys((price for price in levels if price not in wanted), 0)
        for price in changes:
            del levels[price]
        touched = wanted[int(draw.random() * _LEVELS)]
        for price in wanted:
            if price not in levels or price == touched:
                changes[price] = levels[price] = 100 + int(draw.random() * 1_900)
        return changes

    def _quote(self, at_ns: int) -> BestQuote:
        bid, ask = max(self._bids), min(self._asks)
        best = (bid, self._bids[bid], ask, self._asks[ask])
        return BestQuote(self._market, at_ns, at_ns, self._update, *best)

    def _print(self, at_ns: int, out: list[MarketEvent]) -> None:
        draw = self._random
        side = Side.BUY if draw.random() < 0.5 else Side.SELL
        best = min(self._asks) if side is Side.BUY else max(self._bids)
        reach = best + side.sign * int(draw.expovariate(1 / _SWEEP))
        for price in dict.fromkeys((best, reach)):
            self._trades += 1
            quantity = 50 + int(draw.random() * 1_450)
            out.append(Trade(self._market, at_ns, at_ns, f"m{self._trades}", side, price, quantity))

"""Let orders arrive: limit, cancel and market orders around a latent price.

The flow is a continuous-time Markov chain. Orders arrive, change and leave at random at rates
that depend on their distance from the best price (Smith, Farmer, Gillemot, Krishnamurthy 2003,
"Statistical theory of the continuous double auction", Quantitative Finance 3; Cont, Stoikov,
Talreja 2010, "A stochastic model for order book dynamics", Operations Research 58). Three things
are added, without which quoting would be a free lunch:

- informed takers know the latent price and take every quote that stands on its wrong side by
  more than their costs (Glosten, Milgrom 1985, "Bid, ask and transaction prices in a specialist
  market with heterogeneously informed traders", Journal of Financial Economics 14);
- makers learn the latent price with a lag and clear away what they find stale;
- the surprise in every uninformed order moves the latent price too (Kyle 1985, "Continuous
  auctions and insider trading", Econometrica 53), and their signs persist as those of large
  orders that are worked in pieces (Lillo, Mike, Farmer 2005, "Theory for long memory in supply
  and demand", Physical Review E 71).

Inside, prices are integer ticks and quantities integer lots; floats live in rates and in the
latent price alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import TYPE_CHECKING

from fairlead.market.synthetic.ladder import SideLevels
from fairlead.market.synthetic.latent import LatentPrice
from fairlead.market.synthetic.makers import Makers
from fairlead.market.synthetic.preset import Preset
from fairlead.market.synthetic.takers import Takers
from fairlead.model import BestQuote, BookDiff, BookSnapshot, MarketEvent, MarketId, Scale

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random  # sim-ok: the type only; the source's context makes generators

__all__ = ["FRAME_NS", "OrderFlow"]

#: Time between two diffs, as on Binance's ``depth@100ms`` streams.
FRAME_NS = 100_000_000
_FRAME_S = 0.1
_SECOND_NS = 1e9


class OrderFlow:
    """The orders of one synthetic market, frame by frame."""

    def __init__(
        self,
        preset: Preset,
        market: MarketId,
        scale: Scale,
        random: Callable[[str], Random],
    ) -> None:
        self._preset = preset
        self._market = market
        self._scale = scale
        flow = random("synthetic.flow")
        self._random = flow.random
        #: The book as it is now; for tests, which compare it to a rebuilt one.
        self.bids = SideLevels(1)
        self.asks = SideLevels(-1)
        self._latent = LatentPrice(preset, _FRAME_S, random("synthetic.latent"))
        self._takers = Takers(preset, market, self.bids, self.asks, flow)
        self._makers = Makers(preset, self.bids, self.asks, flow)
        self._last_id = 0
        self._best = (0, 0, 0, 0)

    def open(self, at_ns: int) -> Iterator[MarketEvent]:
        """Lay out the book and give its snapshot and its best quote."""
        self._makers.open_book(self._preset.snapshot_levels)
        self._last_id = self._update_id
        bids, asks = self.bids.levels(), self.asks.levels()
        yield BookSnapshot(self._market, at_ns, at_ns, self._last_id, bids, asks, self._scale)
        quotes: list[MarketEvent] = []
        self._quote(at_ns, quotes)
        yield from quotes

    def frame(self, start_ns: int) -> list[MarketEvent]:
        """Let `FRAME_NS` pass; give prints and best quotes as they happen, then the diff."""
        latent, makers = self._latent, self._makers
        latent.begin_step()
        makers.change_depth(latent.activity)
        out: list[MarketEvent] = []
        preset, random = self._preset, self._random
        # Where the choice among all that may happen ends for each of them.
        takers = preset.takers * latent.activity
        touch = takers + preset.touch_changes * latent.activity
        informed = touch + preset.informed
        steady = informed + preset.requotes
        now = 0.0
        while True:
            total = steady + preset.refills if makers.spread_is_wide else steady
            wait = -log(1.0 - random()) / total
            if now + wait >= _FRAME_S:
                break
            now += wait
            price = latent.advance(wait)
            makers.follow(price, wait)
            now_ns = start_ns + int(now * _SECOND_NS)
            what = random() * total
            if what < takers:
                latent.ticks += self._takers.trade_uninformed(now_ns, out)
            elif what < touch:
                makers.change_touch()
            elif what < informed:
                self._takers.trade_informed(price, now_ns, out)
            elif what < steady:
                makers.clear_stale()
            else:
                makers.fill_spread()
            self._quote(now_ns, out)
        makers.follow(latent.advance(_FRAME_S - now), _FRAME_S - now)
        self._diff(start_ns + FRAME_NS, out)
        return out

    @property
    def _update_id(self) -> int:
        return self.bids.updates + self.asks.updates

    def _quote(self, now_ns: int, out: list[MarketEvent]) -> None:
        bids, asks = self.bids, self.asks
        bid, ask = bids.keys[-1], asks.keys[-1]
        best = (bid, bids.quantities[bid], -ask, asks.quantities[ask])
        if best != self._best:
            self._best = best
            out.append(BestQuote(self._market, now_ns, now_ns, self._update_id, *best))

    def _diff(self, now_ns: int, out: list[MarketEvent]) -> None:
        first_id, last_id = self._last_id + 1, self._update_id
        if last_id < first_id:
            return
        self._last_id = last_id
        bids, asks = self.bids.changes(), self.asks.changes()
        out.append(BookDiff(self._market, now_ns, now_ns, first_id, last_id, None, bids, asks))

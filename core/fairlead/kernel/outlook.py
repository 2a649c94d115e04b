"""Look beyond the markets that are traded: the same ones elsewhere, venues' streams and clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from fairlead.api import (
    Connector,
    MarginAmounts,
    Margined,
    MarginRisk,
    PositionMargin,
    PriceSource,
    StreamRisk,
    TimeProbing,
)
from fairlead.kernel.stream import StreamHealth
from fairlead.model import ZERO, Instrument, MarketEvent, MarketId, Trade, Unavailable
from fairlead.trackers import MarketTracker

if TYPE_CHECKING:
    from fairlead.kernel.desk import DeskParts

__all__ = ["MARGIN_EVERY_NS", "Outlook"]

#: How often venues that trade on margin are asked how much is bound.
MARGIN_EVERY_NS = 5_000_000_000
# An older answer is none.
_MARGIN_AGE_NS = 3 * MARGIN_EVERY_NS


class Outlook:
    """Second price sources and the health of venues, for risk rules to look at."""

    def __init__(self, markets: Mapping[MarketId, MarketTracker], parts: DeskParts) -> None:
        self._markets = markets
        self._parts = parts
        self._streams: Mapping[str, StreamHealth] = {}
        self._sources: dict[MarketId, MarketTracker] = {}
        self._margined = [name for name, one in parts.connectors.items() if _trades_on_margin(one)]
        self._probing = {
            name: one for name, one in parts.connectors.items() if isinstance(one, TimeProbing)
        }
        self._margins: dict[str, tuple[int, MarginAmounts]] = {}
        for market in markets:
            self._look_for(market)

    def watch_streams(self, streams: Mapping[str, StreamHealth]) -> None:
        """Know from now on how venues' account streams do."""
        self._streams = streams

    def health(self, venue: str) -> StreamRisk:
        """Tell how a venue's account stream and clock do."""
        stream, probing = self._streams.get(venue), self._probing.get(venue)
        return StreamRisk(
            None if stream is None else stream.unproven_since_ns,
            None if probing is None else probing.skew_ns,
        )

    def take_margin(self, venue: str, reading: MarginAmounts | Unavailable) -> None:
        """Take what a venue said of margin; without an answer the last one grows old."""
        if isinstance(reading, MarginAmounts):
            self._margins[venue] = (self._parts.clock.now_ns(), reading)

    def margin(self, rate: Callable[[str], Decimal | None]) -> MarginRisk | str | None:
        """Add up all venues' margin; None = none trades on margin, a text = whose is missing."""
        if not self._margined:
            return None
        oldest_ns = self._parts.clock.now_ns() - _MARGIN_AGE_NS
        initial = maintenance = ZERO
        positions: list[PositionMargin] = []
        for venue in self._margined:
            at_ns, found = self._margins.get(venue, (0, None))
            worth = None if found is None else rate(found.asset)
            if found is None or worth is None or at_ns < oldest_ns:
                return venue
            initial += found.initial * worth
            maintenance += found.maintenance * worth
            positions += (
                replace(one, initial=one.initial * worth, maintenance=one.maintenance * worth)
                for one in found.positions
            )
        return MarginRisk(initial, maintenance, tuple(positions))

    def elsewhere(self, market: MarketId) -> tuple[PriceSource, ...]:
        """Give the same market at other venues, traded there or not."""
        mine = self._markets[market].instrument
        return tuple(
            PriceSource(other, tracker.mid, tracker.book.changed_ns or None)
            for trackers in (self._markets, self._sources)
            for other, tracker in trackers.items()
            if other.venue != market.venue and _same(mine, tracker.instrument)
        )

    def hear(self, event: MarketEvent) -> bool:
        """Take news of a market that is only compared with; False = nobody's."""
        tracker = self._sources.get(event.market)
        if tracker is None:
            return False
        if not isinstance(event, Trade):
            tracker.apply(event)
        return True

    def nudge(self, now_ns: int) -> None:
        """Keep the books of second price sources alive."""
        for tracker in self._sources.values():
            tracker.nudge(now_ns)

    def _look_for(self, market: MarketId) -> None:
        mine = self._markets[market].instrument
        for venue, connector in self._parts.connectors.items():
            for symbol, one in connector.instruments.items():
                other = MarketId(venue, symbol)
                if venue == market.venue or other in self._markets or not _same(mine, one):
                    continue
                self._sources[other] = MarketTracker(
                    one,
                    connector.sequence_rule(symbol),
                    self._parts.journal,
                    resync=partial(connector.resync, symbol),
                    stale_ns=self._parts.stale_ns,
                )


def _trades_on_margin(connector: Connector) -> bool:
    return isinstance(connector, Margined)


def _same(one: Instrument, other: Instrument) -> bool:
    return (one.base, one.quote, one.kind) == (other.base, other.quote, other.kind)

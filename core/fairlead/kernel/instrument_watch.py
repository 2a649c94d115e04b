"""Read trading rules anew while the engine runs, and trade by them from the next tick on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fairlead.api import Clock, Connector, PostureLevel, RuleReading
from fairlead.model import Instrument, MarketId, Outcome, RejectClass, Rejected, Unavailable
from fairlead.store import Incident, Journal

if TYPE_CHECKING:
    from fairlead.kernel.desk import Desk

__all__ = ["InstrumentWatch"]

_SECOND = 1_000_000_000
_EVERY_NS = 3600 * _SECOND
# After a refusal that other rules would explain; not for each of many.
_SUSPICIOUS_NS = 60 * _SECOND
_SUSPICIOUS = (
    RejectClass.PRICE,
    RejectClass.QUANTITY,
    RejectClass.NOTIONAL,
    RejectClass.MARKET_CLOSED,
)
# What books, fees and sizes are counted by: with another of these it is another market.
_IDENTITY = ("base", "quote", "kind", "multiplier", "settle", "inverse")
_RULES = ("grid", "lot", "min_quantity", "min_notional", "fees")


class InstrumentWatch:
    """Each venue's trading rules: read every hour, and soon after a refusal that they explain."""

    def __init__(
        self, desk: Desk, connectors: Mapping[str, Connector], clock: Clock, journal: Journal
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._journal = journal
        self._connectors = {
            venue: connector
            for venue, connector in connectors.items()
            if isinstance(connector, RuleReading)
        }
        self._read: deque[tuple[str, Mapping[str, Instrument]]] = deque()
        # Set where other rules than we know may hold by now.
        self._doubted = {venue: asyncio.Event() for venue in self._connectors}
        self._barred: set[MarketId] = set()

    @property
    def venues(self) -> tuple[str, ...]:
        """Name the venues whose rules can be read again."""
        return tuple(self._connectors)

    def answered(self, market: MarketId, outcome: Outcome) -> None:
        """Look at an answer to a create: other rules than we know may be why it was refused."""
        if isinstance(outcome, Rejected) and outcome.reason in _SUSPICIOUS:
            self._doubt(market.venue)

    async def read(self, venue: str) -> None:
        """Read one venue's rules when they are due, until cancelled."""
        while True:
            await self._until_due(venue)
            found = await self._connectors[venue].read_instruments()
            if isinstance(found, Unavailable):
                self._doubt(venue)
            else:
                self._read.append((venue, found))

    async def _until_due(self, venue: str) -> None:
        doubted, clock = self._doubted[venue], self._clock
        await clock.sleep_ns(_SUSPICIOUS_NS)
        timer = clock.call_at_ns(clock.now_ns() + _EVERY_NS - _SUSPICIOUS_NS, doubted.set)
        try:
            await doubted.wait()
        finally:
            timer.cancel()
        doubted.clear()

    def apply(self) -> None:
        """Let the desk trade by what was read since the last call; a part of the tick."""
        while self._read:
            venue, found = self._read.popleft()
            for market, tracker in self._desk.markets.items():
                if market.venue == venue:
                    self._compare(tracker.instrument, found.get(market.symbol))

    def _compare(self, known: Instrument, found: Instrument | None) -> None:
        market = known.market
        if found is None:
            self._bar(market, "its venue does not list it any more")
            return
        other = _differences(known, found, _IDENTITY)
        if other:
            self._bar(market, f"it is another market now, restart to trade it: {other}")
            return
        if market in self._barred:
            self._barred.discard(market)
            self._desk.gate.lift(_rule(market))
        changed = _differences(known, found, _RULES)
        if changed:
            self._incident("rules_changed", f"{market}: {changed}")
            self._desk.cast.take_rules(found)

    def _doubt(self, venue: str) -> None:
        doubted = self._doubted.get(venue)
        if doubted is not None:
            doubted.set()

    def _bar(self, market: MarketId, reason: str) -> None:
        self._doubt(market.venue)  # it may come back any minute
        if market not in self._barred:
            self._barred.add(market)
            self._incident("market_gone", f"{market}: {reason}")
            self._desk.gate.impose(_rule(market), PostureLevel.CANCEL_ONLY, reason, market)

    def _incident(self, name: str, detail: str) -> None:
        self._journal.append(Incident(name=name, detail=detail))


def _rule(market: MarketId) -> str:
    return f"instrument:{market}"


def _differences(known: Instrument, found: Instrument, names: tuple[str, ...]) -> str:
    pairs = ((name, getattr(known, name), getattr(found, name)) for name in names)
    return ", ".join(f"{name} {old} -> {new}" for name, old, new in pairs if old != new)

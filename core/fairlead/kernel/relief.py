"""Take from positions what a risk rule wants gone: at once, by taking, at a bounded price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.api import Gate, Posture, PostureLevel, Relief
from fairlead.kernel.flatten import FlattenAsked, Flattening
from fairlead.model import MarketId
from fairlead.store import AlertRaised, Journal

if TYPE_CHECKING:
    from fairlead.kernel.desk import Desk

__all__ = ["Reliefs"]

# What is still wanted after a relief has ended is begun again no sooner than this.
_AGAIN_NS = 60_000_000_000


class Reliefs:
    """The exits that risk rules asked for, one a market."""

    def __init__(self, desk: Desk, journal: Journal) -> None:
        self._desk = desk
        self._journal = journal
        self._running: dict[MarketId, Flattening] = {}
        self._ended_ns: dict[MarketId, int] = {}

    @property
    def busy(self) -> bool:
        """Tell whether one is under way."""
        return bool(self._running)

    def waits(self, posture: Posture) -> bool:
        """Tell whether a halt has to wait for what it wants done first."""
        if posture.relief is None:
            return False
        return self.busy or any(market not in self._ended_ns for market in self._desk.markets)

    def look(self, now_ns: int) -> None:
        """Begin what is wanted by now, and go on with what is under way; on every tick."""
        for market in self._desk.markets:
            posture = self._desk.gate.posture(market)
            running = self._running.get(market)
            if running is not None:
                self._go_on(market, running, now_ns)
            elif posture.relief is not None:
                self._begin(market, posture, posture.relief, now_ns)
            elif posture.level is not PostureLevel.HALTED:
                self._ended_ns.pop(market, None)

    def _begin(self, market: MarketId, posture: Posture, relief: Relief, now_ns: int) -> None:
        ended_ns = self._ended_ns.get(market)
        halted = posture.level is PostureLevel.HALTED
        if ended_ns is not None and (halted or now_ns - ended_ns < _AGAIN_NS):
            return
        desk = self._desk
        books = next(
            (
                name
                for name, ledger in desk.ledger.strategies.items()
                if ledger.terms.instrument.market == market
            ),
            None,
        )
        if books is None:
            self._ended_ns[market] = now_ns
            return
        for runner in desk.runners.values():
            if runner.market.market == market and runner.held is None:
                runner.hold(Gate(posture.rule, posture.reason), now_ns)
        asked = FlattenAsked(market, books, relief.bound, "target", relief)
        self._running[market] = Flattening(desk, asked, now_ns)

    def _go_on(self, market: MarketId, flattening: Flattening, now_ns: int) -> None:
        flattening.tick(now_ns)
        if not flattening.end:
            return
        del self._running[market]
        self._ended_ns[market] = now_ns
        posture = self._desk.gate.posture(market)
        for runner in self._desk.runners.values():
            if (
                runner.market.market == market
                and runner.held is not None
                and runner.held.name == posture.rule
                and posture.level is not PostureLevel.HALTED
            ):
                runner.release()
        result = flattening.result()
        if result["open"]:
            detail = f"{market}: {result['residual']} left of a relief, {result['end']}"
            self._journal.append(AlertRaised("critical", "residual_exposure", detail))

    def filled(self, market: MarketId) -> Flattening | None:
        """Give what is under way on a market, to be told of a fill there."""
        return self._running.get(market)

"""Halt the markets of a venue that has banned us, for as long as it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fairlead.api import PostureLevel
from fairlead.kernel.ticker import Tick
from fairlead.model import MarketId
from fairlead.pipeline import Gateway, RiskGate
from fairlead.store import Incident, Journal

__all__ = ["BanWatch"]

_SECOND = 1_000_000_000


class BanWatch:
    """Looks on every tick; nothing leaves for a banned venue meanwhile, not even a cancel."""

    def __init__(
        self,
        gateways: Mapping[str, Gateway],
        markets: Iterable[MarketId],
        gate: RiskGate,
        journal: Journal,
    ) -> None:
        self._gateways = gateways
        self._markets = markets
        self._gate = gate
        self._journal = journal
        self._banned: dict[str, None] = {}

    def look(self, tick: Tick) -> None:
        """Impose HALTED on the markets of each banned venue, and lift it when the ban is over."""
        del tick
        for venue, gateway in self._gateways.items():
            left_ns = gateway.throttle.banned_ns()
            if left_ns:
                self._halt(venue, left_ns)
            elif venue in self._banned:
                del self._banned[venue]
                self._gate.lift(_rule(venue))

    def _halt(self, venue: str, left_ns: int) -> None:
        if venue in self._banned:
            return
        self._banned[venue] = None
        reason = f"{venue} does not hear us for {left_ns / _SECOND:.0f} s: we asked too often"
        self._journal.append(Incident(name="venue_banned", detail=reason))
        for market in self._markets:
            if market.venue == venue:
                self._gate.impose(_rule(venue), PostureLevel.HALTED, reason, market)


def _rule(venue: str) -> str:
    return f"banned:{venue}"

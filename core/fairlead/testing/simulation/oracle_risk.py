"""Hold new risk to what is known: who, where and on what nothing may be placed, and what leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from typing_extensions import override

from fairlead.api import Record
from fairlead.model import MarketId, OrderState, Side, trimmed
from fairlead.pipeline import URGENT
from fairlead.store import Incident, OrderRecorded
from fairlead.testing.neutral import PlaceBatch
from fairlead.testing.simulated import Origin, SimulatedVenue, StreamKind
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["AdmissionOracle", "PullOracle"]

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
# Another Fairlead's order is seen by the next reading of the account, at the latest.
_SEEN_NS = 150 * _SECOND
# Without an open stream of the account for so long nothing is placed: ten seconds, and two looks.
_DEAF_NS = 13 * _SECOND
_STANDING = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


class AdmissionOracle(Oracle):
    """New risk is young, paid for, heard of, and ours alone."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        now_ns: Callable[[], int],
        tick_ns: int,
    ) -> None:
        self._add = add
        self._venues = venues
        self._now_ns = now_ns
        self._tick_ns = tick_ns
        self._begun_ns = 0
        self._deaf_ns: dict[str, int] = {}

    @override
    def begun(self, life: Life) -> None:
        self._begun_ns = self._now_ns()
        self._deaf_ns.clear()

    @override
    def second(self) -> None:
        for name, venue in self._venues.items():
            if venue.streams(StreamKind.USER):
                self._deaf_ns.pop(name, None)
            else:
                self._deaf_ns.setdefault(name, self._now_ns())

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if not isinstance(record, OrderRecorded):
            return
        age_ns = life.wall_ns() - record.decided_ns
        if age_ns >= self._tick_ns:
            name = record.order[-8:]
            self._add("a wish older than a tick is dropped", f"{name} is {age_ns} ns old")
        market = MarketId.parse(record.market)
        desk = life.engine.desk
        instrument = desk.markets[market].instrument
        asset = instrument.quote if record.side is Side.BUY else instrument.base
        balance = desk.balance(market.venue, asset)
        left = balance.free - balance.reserved
        # What had to wait for room is not looked at again: news may have come meanwhile.
        if left < 0 and age_ns < _MILLISECOND:
            self._add(
                "an order takes no more than is free",
                f"{record.order[-8:]}: {trimmed(left)} {asset} are left",
            )

    @override
    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        now_ns = self._now_ns()
        for order in self._venues[venue].truth.open_orders(Origin.FOREIGN):
            if now_ns - max(order.since_ns, self._begun_ns) > _SEEN_NS:
                self._add("two Fairleads do not trade one account", order.client_id)
        deaf_ns = now_ns - self._deaf_ns.get(venue, now_ns)
        if self._venues[venue].streams(StreamKind.USER):
            deaf_ns = 0  # opened since the last look
        if deaf_ns > _DEAF_NS:
            self._add(
                "nothing new is risked unheard",
                f"the account of {venue} has had no stream for {deaf_ns // _SECOND} s",
            )


class PullOracle(Oracle):
    """A book that is lost has its quotes pulled at once, not at the next tick."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        now_ns: Callable[[], int],
        call_at_ns: Callable[[int, Callable[[], None]], object],
    ) -> None:
        self._add = add
        self._now_ns = now_ns
        self._call_at_ns = call_at_ns

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if not isinstance(record, Incident) or not record.name.startswith("book_"):
            return
        market = MarketId.parse(record.detail.partition(": ")[0])
        now_ns = self._now_ns()
        self._call_at_ns(now_ns + _MILLISECOND, partial(self._look, life, market, now_ns))

    def _look(self, life: Life, market: MarketId, lost_ns: int) -> None:
        if not life.gate.alive or not life.engine_ready:
            return
        left = [
            order.client_id[-8:]
            for order in life.engine.desk.orders.live(market=market)
            if order.state in _STANDING
            # What a plan has resting to leave a position is no new risk.
            and not (order.intent.slot.plan and order.intent.purpose in URGENT)
            and order.cancel_sent_ns is None
            and order.left_ns is not None
            and order.left_ns < lost_ns - _SECOND
        ]
        if left:
            self._add("a lost book pulls the quotes at once", f"{market}: {', '.join(left)} stay")

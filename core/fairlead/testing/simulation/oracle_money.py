"""Hold the books to the venue's: every fill once, nothing invented, no reservation below zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from typing_extensions import override

from fairlead.api import Record
from fairlead.model import ZERO, Fill, OrderState, trimmed
from fairlead.store import FillBooked, OrderRecorded, TickPassed
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle
from fairlead.trackers import Order, needs

__all__ = ["MoneyOracle", "NotionalOracle"]

_UNPROVEN = (OrderState.PENDING_CREATE, OrderState.UNKNOWN)
#: Market and trade id.
_Trade = tuple[str, str]


class MoneyOracle(Oracle):
    """Fills are booked once and as the venue has them; reservations cover what is unproven."""

    def __init__(
        self, add: Callable[[str, str], None], venues: Mapping[str, SimulatedVenue]
    ) -> None:
        self._add = add
        self._venues = venues
        self._read = dict.fromkeys(venues, 0)
        self._true: dict[_Trade, Fill] = {}
        #: Trade → the process that booked it, as the disk has it or will have it.
        self._booked: dict[_Trade, int] = {}
        self._as_of: dict[tuple[str, str], int] = {}
        self._last: Life | None = None

    @override
    def begun(self, life: Life) -> None:
        self._as_of.clear()
        before, self._last = self._last, life
        if before is None:
            return
        # What the disk lost or refused is booked again, rightly.
        survived = before.stored_trades()
        for trade in [one for one, teller in self._booked.items() if teller == before.number]:
            if trade not in survived:
                del self._booked[trade]

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if isinstance(record, FillBooked):
            self._fill(life, record)
        elif isinstance(record, TickPassed):
            self._balances(life)

    def _fill(self, life: Life, booked: FillBooked) -> None:
        trade = (booked.market, booked.trade)
        if trade in self._booked:
            self._add("a fill is booked once", f"trade {booked.trade} of {booked.order[-8:]}")
        self._booked[trade] = life.number
        fill = self._true_fill(trade)
        if fill is None:
            self._add("no fill is invented", f"trade {booked.trade} of {booked.order[-8:]}")
            return
        ours = (booked.order, booked.side, booked.price, booked.quantity, booked.fee)
        theirs = (fill.client_id, fill.side, fill.price, fill.quantity, fill.fee)
        if ours != theirs:
            self._add("a fill is booked as it was", f"ours {ours}, venue {theirs}")

    def _true_fill(self, trade: _Trade) -> Fill | None:
        if trade not in self._true:
            for name, venue in self._venues.items():
                fills = venue.truth.fills
                for fill in fills[self._read[name] :]:
                    self._true[str(fill.market), fill.trade_id] = fill
                self._read[name] = len(fills)
        return self._true.get(trade)

    def _balances(self, life: Life) -> None:
        desk = life.engine.desk
        unproven = [order for order in desk.orders.live() if order.state in _UNPROVEN]
        for venue, account in desk.accounts.venues.items():
            there = [order for order in unproven if order.intent.slot.market.venue == venue]
            for asset in account.totals():
                self._reservation(life, venue, asset, there)

    def _reservation(self, life: Life, venue: str, asset: str, orders: Iterable[Order]) -> None:
        balance = life.engine.desk.balance(venue, asset)
        unproven = sum((needs(one.intent, one.leaves, asset) for one in orders), start=ZERO)
        if balance.reserved < unproven or balance.reserved < 0:
            self._add(
                "what an unproven order may cost stays reserved",
                f"{venue} {asset}: {trimmed(balance.reserved)} for {trimmed(unproven)}",
            )
        as_of = life.engine.desk.accounts[venue].as_of(asset)
        if as_of is not None and as_of < self._as_of.get((venue, asset), 0):
            self._add("old news of a balance never replaces newer", f"{venue} {asset}")
        if as_of is not None:
            self._as_of[venue, asset] = as_of


class NotionalOracle(Oracle):
    """What is quoted at a venue is never worth more than the configuration says."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        most: Mapping[str, Decimal],
    ) -> None:
        self._add = add
        self._venues = venues
        self._most = most
        #: Orders that work for a plan: its admission bounds them.
        self._planned: dict[str, None] = {}

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if isinstance(record, OrderRecorded) and record.execution:
            self._planned[record.order] = None

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        if effect.kind is not EffectKind.CREATED or effect.origin is not Origin.ENGINE:
            return
        live = sum(
            (
                order.price * order.leaves
                for order in self._venues[venue].truth.open_orders(Origin.ENGINE)
                if order.client_id not in self._planned
            ),
            start=ZERO,
        )
        if live > self._most[venue]:
            self._add(
                "live notional is never above levels times size",
                f"{venue}: {trimmed(live)} of {trimmed(self._most[venue])}",
            )

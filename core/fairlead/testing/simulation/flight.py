"""Follow each order of ours from its record to its end at the venue, for oracles to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from typing_extensions import override

from fairlead.api import Record
from fairlead.model import ZERO, Fill, MarketId, Purpose, Side
from fairlead.store import FillBooked, OrderMoved, OrderRecorded
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["Flights", "Flown"]

_NEW_RISK = (Purpose.QUOTE, Purpose.ENTRY)


@dataclass(slots=True, eq=False)
class Flown:
    """One order of ours as it really is."""

    record: OrderRecorded
    #: What may still fill.
    leaves: Decimal
    created: bool = False

    @property
    def is_new_risk(self) -> bool:
        """Tell whether it is a quote or an entry."""
        return self.record.purpose in _NEW_RISK

    @property
    def shrinks_a_plan(self) -> bool:
        """Tell whether it is a hedge or an exit of a plan."""
        return bool(self.record.execution) and not self.is_new_risk


class Flights(Oracle):
    """What is on its way or live, and what filled and is not booked; judges nothing."""

    def __init__(self, venues: Mapping[str, SimulatedVenue]) -> None:
        self._venues = venues
        self._open: dict[str, Flown] = {}
        #: What filled and no process has booked, by market and trade.
        self._unbooked: dict[tuple[str, str], Fill] = {}

    @override
    def begun(self, life: Life) -> None:
        # What had not arrived when its process died either never will, or is seen when it does.
        self._open = {name: one for name, one in self._open.items() if one.created}

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        match record:
            case OrderRecorded(order=order):
                self._open[order] = Flown(record, record.quantity)
            case OrderMoved(order=order, after=after) if after.is_closed:
                known = self._open.get(order)
                if known is not None and not known.created:
                    del self._open[order]
            case FillBooked(market=market, trade=trade):
                self._unbooked.pop((market, trade), None)
            case _:
                pass

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        known = self._open.get(effect.client_id)
        if effect.origin is not Origin.ENGINE:
            return
        if effect.kind is EffectKind.FILLED:
            fill = self._venues[venue].truth.fills[-1]
            self._unbooked[str(fill.market), fill.trade_id] = fill
            if known is not None:
                known.leaves -= fill.quantity
        if known is None:
            return
        known.created = True
        if not effect.live:
            del self._open[effect.client_id]

    def find(self, client_id: str) -> Flown | None:
        """Give an order that may still fill."""
        return self._open.get(client_id)

    def open(self, market: str, side: Side | None = None) -> Iterator[Flown]:
        """Give what may still fill in a market, of one side where it is named."""
        for one in self._open.values():
            if one.record.market == market and side in (None, one.record.side):
                yield one

    def working(self, order: OrderRecorded) -> Decimal:
        """Sum what may still fill on an order's side, itself included, as it was judged.

        What leaves a plan passes whatever else there is, and may have come after that.
        """
        return sum(
            (
                one.leaves
                for one in self.open(order.market, order.side)
                if not one.shrinks_a_plan or one.record.decided_ns < order.decided_ns
            ),
            start=ZERO,
        )

    def position(self, life: Life, market: MarketId) -> Decimal:
        """Give what is held: what the process knows, and what filled that it does not.

        What the venue itself learns late nobody else can know.
        """
        late = self._venues[market.venue].account.learnt_late
        return life.engine.desk.position(market) + sum(
            (
                fill.side.sign * fill.quantity
                for (where, _), fill in self._unbooked.items()
                if where == str(market) and fill.client_id not in late
            ),
            start=ZERO,
        )

"""Hold what reaches a venue to every limit, and to a posture that lets nothing grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from typing_extensions import override

from fairlead.api import Amount, PostureLevel, Ratio, Record
from fairlead.config import Settings
from fairlead.model import ZERO, MarketId, trimmed
from fairlead.store import OrderRecorded, PostureChanged
from fairlead.testing.neutral import PlaceBatch
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.flight import Flights
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["LimitOracle", "Limits", "ReduceOracle"]

_INFINITE = Decimal("Infinity")
# A position is valued at the mark, and a target moves with it.
_LEEWAY = Decimal("1.1")
_LIVELY = (PostureLevel.ACTIVE,)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration allows, in quote currency, orders and shares; none = infinite."""

    order: Decimal = _INFINITE
    position: Decimal = _INFINITE
    count: Decimal = _INFINITE
    #: How far from the mid a maker's order may be, and how far through it a taker's.
    maker: Decimal = _INFINITE
    taker: Decimal = _INFINITE

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Read the tables of the risk rules, as far as they are in the engine's currency."""

        def limit(rule: str, key: str = "limit") -> Decimal:
            found = getattr(settings.risk.get(rule), key, None)
            match found:
                case Amount(value=value, asset=asset):
                    return value if asset == settings.engine.currency else _INFINITE
                case Ratio(value=value):
                    return value
                case int():
                    return Decimal(found)
                case _:
                    return _INFINITE

        return cls(
            order=limit("max_order"),
            position=limit("max_position"),
            count=limit("max_open_orders"),
            maker=limit("price_band"),
            taker=limit("price_band", "taker"),
        )


class LimitOracle(Oracle):
    """No order above any limit reaches the venue, and none that would trade with our own."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        flights: Flights,
        limits: Limits,
    ) -> None:
        self._add = add
        self._venues = venues
        self._flights = flights
        self._limits = limits

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if isinstance(record, OrderRecorded):
            self._look(life, record)

    def _look(self, life: Life, record: OrderRecorded) -> None:
        name, mid = record.order[-8:], record.mid
        through = ZERO if mid is None else record.side.sign * (record.price - mid)
        away, bound = (
            (abs(through), self._limits.maker)
            if record.post_only
            else (through, self._limits.taker)
        )
        if mid is None or away > bound * mid:
            text = f"{name} at {trimmed(record.price)}, the mid is {mid}"
            self._add("no order is outside of its price band", text)
        sign = record.side.sign
        for other in self._flights.open(record.market, record.side.opposite):
            if sign * (record.price - other.record.price) >= 0:
                text = f"{name} at {trimmed(record.price)} meets {other.record.order[-8:]}"
                self._add("no order meets one of our own", text)
        flown = self._flights.find(record.order)
        market = MarketId.parse(record.market)
        if flown is None or flown.shrinks_a_plan:
            return
        target = _target(life, market)
        if target is None:
            text = f"{name} left for {record.market}, whose target nobody knows"
            self._add("no position is beyond its limit, whatever fills", text)
            return
        gap = self._flights.position(life, market) - target
        worst = sign * gap + self._flights.working(record)
        mark = life.engine.desk.markets[market].mark or ZERO
        if worst > record.quantity and worst * mark > self._limits.position * _LEEWAY:
            text = f"{name} may bring {record.market} {trimmed(worst)} from its target"
            self._add("no position is beyond its limit, whatever fills", text)

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        if effect.kind is not EffectKind.CREATED or effect.origin is not Origin.ENGINE:
            return
        truth, name = self._venues[venue].truth, effect.client_id[-8:]
        order = truth.live(effect.client_id)
        if order is None:
            return
        if order.price * order.quantity > self._limits.order:
            worth = trimmed(order.price * order.quantity)
            self._add("no order is larger than its limit", f"{name} is worth {worth}")
        flown = self._flights.find(effect.client_id)
        if flown is not None and flown.is_new_risk:
            count = sum(
                one.is_new_risk and one.created for one in self._flights.open(flown.record.market)
            )
            if count > self._limits.count:
                self._add("no more orders live than are allowed", f"{name} is number {count}")


def _target(life: Life, market: MarketId) -> Decimal | None:
    # Not as the desk adds it up; each strategy of a simulation has one.
    desk = life.engine.desk
    said = [one.target for one in desk.runners.values() if one.market.market == market]
    if market in desk.cast.aims or not said:
        return desk.target(market)
    known = [one for one in said if one is not None]
    return sum(known, start=ZERO) if len(known) == len(said) else None


class ReduceOracle(Oracle):
    """Where orders may only reduce, nothing new can grow the distance to the target."""

    def __init__(self, add: Callable[[str, str], None], flights: Flights) -> None:
        self._add = add
        self._flights = flights
        self._levels: dict[str, str] = {}
        # What would grow it, if it left: where the disk fails meanwhile, it never does.
        self._growing: dict[str, str] = {}

    @override
    def begun(self, life: Life) -> None:
        self._levels.clear()
        self._growing.clear()

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        match record:
            case PostureChanged(market=market, level=level):
                self._levels[market] = level
            case OrderRecorded():
                levels = {self._levels.get(key, "") for key in ("", record.market)}
                if levels - {"", *(one.value for one in _LIVELY)}:
                    self._look(life, record)
            case _:
                pass

    def _look(self, life: Life, order: OrderRecorded) -> None:
        flown = self._flights.find(order.order)
        if flown is None or flown.shrinks_a_plan:
            return
        market = MarketId.parse(order.market)
        target = _target(life, market)
        # While the target is unknown no order is known to bring the position closer to it.
        gap = ZERO if target is None else self._flights.position(life, market) - target
        room = max(-order.side.sign * gap, ZERO)
        working = self._flights.working(order)
        lot = life.engine.desk.markets[market].instrument.lot
        if working > room + lot:
            text = f"{order.order[-8:]}: {trimmed(working)} {order.side}, the gap is {trimmed(gap)}"
            self._growing[order.order] = f"{order.market} {text}"

    @override
    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        for order in batch.orders:
            text = self._growing.pop(order.client_id, None)
            if text is not None:
                self._add("reduce-only never grows the gap", text)

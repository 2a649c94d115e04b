"""Be a tiny venue: one market whose price is a sine wave, post-only orders, no fees."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from fairlead.api import Capabilities, ConnectorContext, Duration, Exact, Publish, Ratio
from fairlead.book import CONTIGUOUS, SequenceRule
from fairlead.model import (
    Accepted,
    BalanceUpdate,
    BookSnapshot,
    CancelRequest,
    ConstantStep,
    Fill,
    Instrument,
    Liquidity,
    MarketId,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    RejectClass,
    Rejected,
    Scale,
    Side,
    StreamState,
    StreamStatus,
    TimeInForce,
    Unavailable,
)

SYMBOL = "SINE/USDT"
SCALE = Scale(price_decimals=2, quantity_decimals=3)
MIDDLE = 10_000  # 100.00 USDT, in the integers of the feed
DEPTH = 5  # levels on each side, one tick apart
SHOWN = 2_000  # 2.000 SINE on each level, and what an order can fill at each step
STEP_NS = 100_000_000


class SineConfig(BaseModel):
    """The keys of a venue table beside the engine's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    balances: Mapping[str, Exact] = Field(description="what the account begins with, by asset")
    swing: Ratio = Field(Ratio.parse("20 bps"), description="how far the price leaves its middle")
    period: Duration = Field(Duration.parse("20 s"), description="the length of one wave")


@dataclass
class Order:
    """One order at the venue."""

    intent: OrderIntent
    venue_id: str
    filled: Decimal = Decimal(0)
    state: OrderState = OrderState.OPEN

    @property
    def leaves(self) -> Decimal:
        """Give what may still fill."""
        return self.intent.quantity - self.filled


@dataclass
class Account:
    """What the account holds: all of it, and of that what open orders have locked."""

    total: dict[str, Decimal]
    locked: dict[str, Decimal] = field(default_factory=dict)

    def free(self, asset: str) -> Decimal:
        """Give what a new order may use."""
        return self.total.get(asset, Decimal(0)) - self.locked.get(asset, Decimal(0))

    def lock(self, intent: OrderIntent, quantity: Decimal) -> None:
        """Set aside what a quantity of the order would cost; a negative one gives it back."""
        asset, amount = cost(intent, quantity)
        self.locked[asset] = self.locked.get(asset, Decimal(0)) + amount

    def book(self, intent: OrderIntent, quantity: Decimal) -> None:
        """Exchange the coins of a fill."""
        signed = quantity * intent.side.sign
        for asset, amount in (("SINE", signed), ("USDT", -signed * intent.price)):
            self.total[asset] = self.total.get(asset, Decimal(0)) + amount


def cost(intent: OrderIntent, quantity: Decimal) -> tuple[str, Decimal]:
    """Say what an order pays with, and how much of it."""
    if intent.side is Side.BUY:
        return "USDT", quantity * intent.price
    return "SINE", quantity


class SineConnector:
    """The venue and the way to it in one: what it is asked, it answers at once."""

    def __init__(self, config: SineConfig, context: ConnectorContext) -> None:
        self._config = config
        self._venue = context.venue
        self._clock = context.clock
        self._market = MarketId(context.venue, SYMBOL)
        self._account = Account({name: amount.value for name, amount in config.balances.items()})
        self._orders: dict[str, Order] = {}
        self._fills: list[Fill] = []
        self._publish: Publish = lambda event: None
        self._updates = 0

    @property
    def capabilities(self) -> Capabilities:
        """Say that nothing real can be lost here, and that the book shows others' orders only."""
        return Capabilities(own_orders_in_book=False, simulated=True)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Give the one market and its rules."""
        grid, lot = ConstantStep(Decimal("0.01")), Decimal("0.001")
        return {SYMBOL: Instrument(self._market, "SINE", "USDT", grid, lot)}

    @property
    def starts_ns(self) -> int | None:
        """Say that the wave has no beginning: any time will do."""
        return None

    @property
    def ends_ns(self) -> int | None:
        """Say that it has no end either."""
        return None

    def sequence_rule(self, symbol: str) -> SequenceRule:
        """Say how diffs would follow one another; this venue sends whole books only."""
        return CONTIGUOUS

    def resync(self, symbol: str) -> None:
        """Do nothing: the next whole book is never far."""

    async def run(self, publish: Publish) -> None:
        """Let the price swing and fill what it reaches, until cancelled."""
        self._publish = publish
        publish(StreamState(self._venue, self._clock.now_ns(), StreamStatus.CONNECTED))
        while True:
            bid, ask = self._best()
            self._show(bid, ask)
            for order in [*self._orders.values()]:
                if is_open(order) and self._reached(order.intent, bid, ask):
                    self._fill(order, min(order.leaves, SCALE.quantity(SHOWN)))
            await self._clock.sleep_ns(STEP_NS)

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        """Take orders; one outcome each, in order."""
        return tuple(self._take(intent) for intent in intents)

    async def cancel(self, requests: Sequence[CancelRequest]) -> tuple[Outcome, ...]:
        """Cancel orders; one outcome each, in order."""
        return tuple(self._cancel(request) for request in requests)

    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        """Read every open order of the account."""
        return tuple(self._news(order) for order in self._orders.values() if is_open(order))

    async def order(self, market: MarketId, client_id: str) -> OrderUpdate | Unavailable | None:
        """Read one order; None = never seen."""
        order = self._orders.get(client_id)
        return None if order is None else self._news(order)

    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        """Read our fills since an instant, oldest first."""
        return tuple(fill for fill in self._fills if fill.venue_ns >= since_ns)

    async def balances(self) -> tuple[BalanceUpdate, ...] | Unavailable:
        """Read every balance."""
        return tuple(self._balance(asset) for asset in self._account.total)

    async def positions(self) -> tuple[PositionUpdate, ...] | Unavailable:
        """Read no positions: coins change hands here."""
        return ()

    def _best(self) -> tuple[int, int]:
        turns = self._clock.now_ns() / self._config.period.ns
        swing = MIDDLE * int(self._config.swing.bps) // 10_000
        middle = MIDDLE + round(swing * math.sin(2 * math.pi * turns))
        return middle - 1, middle + 1

    def _show(self, bid: int, ask: int) -> None:
        now_ns = self._clock.now_ns()
        self._updates += 1
        bids = tuple((bid - level, SHOWN) for level in range(DEPTH))
        asks = tuple((ask + level, SHOWN) for level in range(DEPTH))
        self._publish(BookSnapshot(self._market, now_ns, now_ns, self._updates, bids, asks, SCALE))

    def _reached(self, intent: OrderIntent, bid: int, ask: int) -> bool:
        if intent.side is Side.BUY:
            return intent.price >= SCALE.price(ask)
        return intent.price <= SCALE.price(bid)

    def _take(self, intent: OrderIntent) -> Outcome:
        if intent.client_id in self._orders:
            return Rejected("TWICE", RejectClass.DUPLICATE)
        if not intent.post_only or intent.time_in_force is not TimeInForce.GTC:
            return Rejected("KIND", RejectClass.OTHER, "this venue takes post-only orders")
        if self._reached(intent, *self._best()):
            return Rejected("CROSSES", RejectClass.POST_ONLY)
        asset, amount = cost(intent, intent.quantity)
        if self._account.free(asset) < amount:
            return Rejected("BALANCE", RejectClass.BALANCE, f"{asset} is short")
        order = Order(intent, venue_id=f"sine-{len(self._orders) + 1}")
        self._orders[intent.client_id] = order
        self._account.lock(intent, intent.quantity)
        self._tell(order)
        return Accepted(order.venue_id)

    def _cancel(self, request: CancelRequest) -> Outcome:
        order = self._orders.get(request.client_id)
        if order is None or not is_open(order):
            return Rejected("UNKNOWN", RejectClass.NOT_FOUND)
        order.state = OrderState.CANCELLED
        self._account.lock(order.intent, -order.leaves)
        self._tell(order)
        return Accepted(order.venue_id)

    def _fill(self, order: Order, quantity: Decimal) -> None:
        now_ns, intent = self._clock.now_ns(), order.intent
        self._account.lock(intent, -quantity)
        self._account.book(intent, quantity)
        order.filled += quantity
        order.state = OrderState.PARTIALLY_FILLED if order.leaves else OrderState.FILLED
        fill = Fill(
            market=self._market,
            venue_ns=now_ns,
            local_ns=now_ns,
            trade_id=f"sine-{len(self._fills) + 1}",
            client_id=intent.client_id,
            venue_id=order.venue_id,
            side=intent.side,
            price=intent.price,
            quantity=quantity,
            fee=Decimal(0),
            fee_asset="USDT",
            liquidity=Liquidity.MAKER,
        )
        self._fills.append(fill)
        self._publish(fill)
        self._tell(order)

    def _tell(self, order: Order) -> None:
        self._publish(self._news(order))
        for asset in self._account.total:
            self._publish(self._balance(asset))

    def _news(self, order: Order) -> OrderUpdate:
        now_ns = self._clock.now_ns()
        return OrderUpdate(
            market=self._market,
            venue_ns=now_ns,
            local_ns=now_ns,
            client_id=order.intent.client_id,
            venue_id=order.venue_id,
            state=order.state,
            filled=order.filled,
        )

    def _balance(self, asset: str) -> BalanceUpdate:
        now_ns, locked = self._clock.now_ns(), self._account.locked.get(asset, Decimal(0))
        return BalanceUpdate(self._venue, now_ns, now_ns, asset, self._account.free(asset), locked)


def is_open(order: Order) -> bool:
    """Tell whether an order may still fill."""
    return order.state in {OrderState.OPEN, OrderState.PARTIALLY_FILLED}

"""Drive the executor against a venue that answers when it likes, and look for a broken law."""

from collections import Counter
from decimal import Decimal

import msgspec
import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fairlead.api import (
    Cancel,
    ExecutorEvent,
    ExecutorView,
    Filled,
    OrderChanged,
    OrderView,
    Place,
    Pull,
    QuotesConfig,
    Replace,
    Stop,
    Wake,
    Wish,
)
from fairlead.execution import QuotesExecutor
from fairlead.model import Fill, Liquidity, OrderState, OrderTrigger, Quote, Side, next_state
from tests.fairlead.execution.factory import INSTRUMENT, MARKET, NOW, SECOND

PRICES = st.integers(980, 1020).map(lambda units: Decimal(units) / 10)
QUOTES = st.lists(
    st.builds(
        Quote,
        side=st.sampled_from(Side),
        level=st.integers(0, 2),
        price=PRICES,
        quantity=st.integers(1, 20).map(Decimal),
        reference=st.just(Decimal(100)),
    ),
    max_size=6,
    unique_by=lambda quote: (quote.side, quote.level),
).map(tuple)
PICK = st.integers(0, 20)


class Venue(RuleBasedStateMachine):
    """A venue in a hurry or not: acknowledgements, proofs and fills in any order."""

    @initialize(
        replace=st.sampled_from(Replace),
        closer=st.sampled_from([None, Decimal("0.001")]),
        every_s=st.integers(0, 3),
    )
    def begin(self, replace: Replace, closer: Decimal | None, every_s: int) -> None:
        self.config = QuotesConfig(
            refresh_every_ns=every_s * SECOND, cancel_closer_than=closer, replace=replace
        )
        self.executor = QuotesExecutor("alt", self.config)
        self.state = self.executor.initial()
        self.orders: dict[str, OrderView] = {}
        self.held: dict[str, str] = {}
        self.now_ns = NOW
        self.bid: Decimal | None = Decimal("99.5")
        self.ask: Decimal | None = Decimal("100.5")
        self.stopped = False
        self.placed = 0
        self.bought: Counter[tuple[Side, int, int]] = Counter()

    # What the engine does.

    @rule(quotes=QUOTES)
    def tick(self, quotes: tuple[Quote, ...]) -> None:
        self.now_ns = (self.now_ns // SECOND + 1) * SECOND
        self.step(Wish(quotes, self.now_ns))

    @rule()
    def tick_without_a_decision(self) -> None:
        self.now_ns = (self.now_ns // SECOND + 1) * SECOND
        self.step(Wake())

    @rule(milliseconds=st.integers(1, 400))
    def wait(self, milliseconds: int) -> None:
        self.now_ns += milliseconds * 1_000_000

    @rule()
    def pull(self) -> None:
        self.step(Pull("book lost"))

    @precondition(lambda self: self.placed > 8)
    @rule()
    def stop(self) -> None:
        self.stopped = True
        self.step(Stop())

    # What the market and the venue do.

    @rule(bid=PRICES, spread=st.integers(1, 20), valid=st.booleans())
    def market_moves(self, bid: Decimal, spread: int, valid: bool) -> None:
        self.bid = bid if valid else None
        self.ask = bid + Decimal(spread) / 10 if valid else None

    @rule(pick=PICK, trigger=st.sampled_from(OrderTrigger))
    def venue_says(self, pick: int, trigger: OrderTrigger) -> None:
        assume(self.orders and trigger is not OrderTrigger.CANCEL_SENT)
        order = list(self.orders.values())[pick % len(self.orders)]
        state = next_state(order.state, trigger)
        assume(state is not None)
        filled = order.filled
        if trigger in {OrderTrigger.FULL_FILL, OrderTrigger.PARTIAL_FILL}:
            full = trigger is OrderTrigger.FULL_FILL
            filled = order.quantity if full else filled + order.leaves / 2
        self.move(msgspec.structs.replace(order, state=state, filled=filled))

    def move(self, order: OrderView) -> None:
        gained = order.filled - self.orders[order.client_id].filled
        self.orders[order.client_id] = order
        if order.state.is_closed:
            del self.orders[order.client_id]
        if order.client_id in self.held and order.state is not OrderState.PENDING_CREATE:
            del self.held[order.client_id]
            self.ask_cancel(order.client_id)
        self.step(OrderChanged(order))
        if gained:
            fill = Fill(
                market=MARKET,
                venue_ns=self.now_ns,
                local_ns=self.now_ns,
                trade_id="",
                client_id=order.client_id,
                venue_id="",
                side=order.side,
                price=order.price,
                quantity=gained,
                fee=Decimal(0),
                fee_asset="USDT",
                liquidity=Liquidity.MAKER,
            )
            self.step(Filled(fill, order.slot))

    def ask_cancel(self, client_id: str) -> None:
        order = self.orders.get(client_id)
        if order is None or order.state is OrderState.PENDING_CANCEL:
            return
        if order.state is OrderState.PENDING_CREATE:
            self.held[client_id] = "held"
            return
        state = next_state(order.state, OrderTrigger.CANCEL_SENT)
        assert state is not None
        self.orders[client_id] = msgspec.structs.replace(order, state=state)

    def step(self, event: ExecutorEvent) -> None:
        view = ExecutorView(
            now_ns=self.now_ns,
            instrument=INSTRUMENT,
            orders=tuple(self.orders.values()),
            tick_ns=SECOND,
            best_bid=self.bid,
            best_ask=self.ask,
        )
        step = self.executor.step(self.state, event, view)
        self.state = step.state
        kinds = [isinstance(action, Place) for action in step.actions]
        assert kinds == sorted(kinds), "a cancel after a place"
        for action in step.actions:
            match action:
                case Cancel(client_id=client_id, reason=reason):
                    assert client_id in self.orders
                    assert reason
                    self.ask_cancel(client_id)
                case Place():
                    self.take(action)

    def take(self, place: Place) -> None:
        assert not self.stopped
        assert 0 <= self.now_ns - place.decided_ns < SECOND
        assert self.bid is not None
        assert self.ask is not None
        assert place.price < self.ask if place.side is Side.BUY else place.price > self.bid
        admitted = (place.side, place.slot.level, place.decided_ns)
        self.bought[admitted] += 1
        assert self.bought[admitted] == 1, "one decision was placed twice"
        self.placed += 1
        client_id = f"order-{self.placed}"
        self.orders[client_id] = OrderView(
            client_id=client_id,
            slot=place.slot,
            side=place.side,
            price=place.price,
            quantity=place.quantity,
            filled=Decimal(0),
            state=OrderState.PENDING_CREATE,
            purpose=place.purpose,
            decided_ns=place.decided_ns,
            acknowledged_ns=None,
        )

    # What must hold at any moment.

    @invariant()
    def slots_are_bounded(self) -> None:
        most = 1 if self.config.replace is Replace.WAIT else 2
        slots = Counter(order.slot for order in self.orders.values())

        assert max(slots.values(), default=0) <= most

    @invariant()
    def own_orders_never_cross(self) -> None:
        buys = [order.price for order in self.orders.values() if order.side is Side.BUY]
        sells = [order.price for order in self.orders.values() if order.side is Side.SELL]

        assert not buys or not sells or max(buys) < min(sells)

    # And what must come true when nothing else happens.

    @precondition(lambda self: not self.stopped)
    @rule(
        bids=st.lists(st.integers(900, 999), max_size=3),
        asks=st.lists(st.integers(1001, 1100), max_size=3),
    )
    def falls_quiet(self, bids: list[int], asks: list[int]) -> None:
        ladder = tuple(
            Quote(side, level, Decimal(price) / 10, Decimal(10), Decimal(100))
            for side, prices in ((Side.BUY, bids), (Side.SELL, asks))
            for level, price in enumerate(prices)
        )
        self.bid, self.ask = Decimal(50), Decimal(150)
        for _ in range(8):
            self.tick(ladder)
            self.settle()

        resting = {(order.side, order.slot.level): order for order in self.orders.values()}
        assert sorted(resting) == sorted((quote.side, quote.level) for quote in ladder)
        for quote in ladder:
            order = resting[quote.side, quote.level]
            assert abs(order.price - quote.price) <= self.config.keep_within * order.price
            assert abs(order.leaves - quote.quantity) <= self.config.size_within * quote.quantity

    def settle(self) -> None:
        waiting = {
            OrderState.PENDING_CREATE: OrderState.OPEN,
            OrderState.UNKNOWN: OrderState.CANCELLED,
            OrderState.PENDING_CANCEL: OrderState.CANCELLED,
        }
        while moving := [order for order in self.orders.values() if order.state in waiting]:
            order = moving[0]
            self.move(msgspec.structs.replace(order, state=waiting[order.state]))


TestVenue = pytest.mark.unmeasured(Venue.TestCase)
TestVenue.settings = settings(max_examples=120, stateful_step_count=40)

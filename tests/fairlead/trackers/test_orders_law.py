"""Whatever the order in which news comes, and however often: one truth, and no illegal step."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import (
    Accepted,
    Fill,
    NotSent,
    OrderState,
    OrderUpdate,
    Outcome,
    RejectClass,
    Rejected,
    Side,
    Unknown,
    next_state,
)
from fairlead.store import Incident, Journal, OrderMoved
from fairlead.testing import (
    MemoryStore,
    MemoryTrace,
    StillClock,
    client_id,
    fill,
    intent,
    order_update,
)
from fairlead.trackers import Order, OrderTracker, needs
from tests.fairlead.trackers.earlier_kit import left_of

S = OrderState
ONE = client_id(1)
QUANTITY = 10
ASSETS = ("ALT", "USDT", "BTC")

News = OrderUpdate | Fill | Outcome


@dataclass(frozen=True)
class Life:
    """What truly happened to an order at the venue: its fills and its end."""

    fills: tuple[int, ...]
    end: OrderState | None

    @property
    def filled(self) -> int:
        return sum(self.fills)

    def news(self) -> list[News]:
        """All that the venue says of it, in the order in which it happened."""
        told: list[News] = [Accepted("v1"), order_update(1, S.OPEN)]
        filled = 0
        for number, quantity in enumerate(self.fills):
            filled += quantity
            state = S.FILLED if filled == QUANTITY else S.PARTIALLY_FILLED
            told += [
                fill(trade_id=f"t{number}", quantity=quantity),
                order_update(1, state, filled=filled),
            ]
        if self.end is not None and filled < QUANTITY:
            told.append(order_update(1, self.end, filled=filled))
        return told

    def state(self) -> OrderState:
        if self.filled == QUANTITY:
            return S.FILLED
        if self.end is not None:
            return self.end
        return S.PARTIALLY_FILLED if self.filled else S.OPEN


@st.composite
def lives(draw: st.DrawFn) -> Life:
    fills: list[int] = []
    while sum(fills) < QUANTITY and draw(st.booleans()):
        fills.append(draw(st.integers(1, QUANTITY - sum(fills))))
    return Life(tuple(fills), draw(st.sampled_from([None, S.CANCELLED, S.EXPIRED])))


@st.composite
def shuffled_news(draw: st.DrawFn) -> tuple[Life, list[News]]:
    life = draw(lives())
    told = life.news()
    repeated = draw(st.lists(st.sampled_from(told), max_size=4))
    return life, draw(st.permutations(told + repeated))


def tracker() -> tuple[OrderTracker, Order, MemoryTrace]:
    trace = MemoryTrace()
    orders = OrderTracker(Journal(MemoryStore(), StillClock(), trace))
    orders.record(intent(1, quantity=QUANTITY), 0)
    order = orders.get(ONE)
    assert order is not None
    return orders, order, trace


def tell(orders: OrderTracker, news: News) -> None:
    match news:
        case OrderUpdate():
            orders.apply_update(news, 1)
        case Fill():
            orders.apply_fill(news, 1)
        case _:
            orders.apply_outcome(ONE, news, 1)


def legal(trace: MemoryTrace) -> bool:
    return all(next_state(move.before, move.trigger) is move.after for move in trace.of(OrderMoved))


@given(shuffled_news())
def test_equal_news_in_any_order_and_repeated_give_the_equal_end(
    case: tuple[Life, list[News]],
) -> None:
    life, told = case
    orders, order, trace = tracker()
    seen = [order.filled]

    for news in told:
        tell(orders, news)
        seen.append(order.filled)

    assert order.state is life.state()
    assert order.filled == life.filled
    assert seen == sorted(seen)
    assert trace.of(Incident) == []
    assert legal(trace)


@given(shuffled_news(), st.integers(0, 30), st.integers(0, 30))
def test_an_unknown_create_comes_to_the_same_end(
    case: tuple[Life, list[News]], lost_at: int, cancel_at: int
) -> None:
    life, told = case
    told = [news for news in told if not isinstance(news, Accepted)]
    told.insert(min(lost_at, len(told)), Unknown("timeout"))
    orders, order, trace = tracker()

    for number, news in enumerate(told):
        if number == cancel_at:
            orders.ask_cancel(ONE, "stop", 1)
        tell(orders, news)

    asked = order.state is S.PENDING_CANCEL
    assert order.filled == life.filled
    assert order.state is life.state() or (asked and life.end is None)
    assert trace.of(Incident) == []
    assert legal(trace)


LATE = [fill(trade_id=f"t{number}", quantity=2) for number in range(5)]
OUTCOMES: list[Outcome] = [
    Accepted("v1"),
    Rejected("no", RejectClass.OTHER),
    Rejected("gone", RejectClass.NOT_FOUND),
    Unknown("lost"),
    NotSent(0),
]
STATES = [state for state in OrderState if state not in (S.PENDING_CREATE, S.UNKNOWN)]
Act = Callable[[OrderTracker], object]


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """Anything at all, also what no honest venue says."""
    act = st.one_of(
        st.sampled_from(LATE).map(lambda one: lambda orders: orders.apply_fill(one, 1)),
        st.sampled_from(OUTCOMES).map(lambda one: lambda orders: orders.apply_outcome(ONE, one, 1)),
        st.sampled_from(OUTCOMES).map(
            lambda one: lambda orders: orders.apply_cancel_outcome(ONE, one)
        ),
        st.just(lambda orders: orders.ask_cancel(ONE, "why", 1)),
        st.builds(
            lambda state, filled: (
                lambda orders: orders.apply_update(order_update(1, state, filled=filled), 1)
            ),
            st.sampled_from(STATES),
            st.integers(0, QUANTITY),
        ),
    )
    return draw(st.lists(act, max_size=25))


def claimed(orders: OrderTracker) -> list[tuple[Decimal, Decimal]]:
    return [orders.claims.of("main", asset) for asset in ASSETS]


def added_up(orders: OrderTracker) -> list[tuple[Decimal, Decimal]]:
    """Add up anew what every live order needs."""
    sums = []
    for asset in ASSETS:
        on_the_way = acknowledged = Decimal(0)
        for one in orders.live():
            need = needs(one.intent, one.leaves, asset)
            if one.state in (S.PENDING_CREATE, S.UNKNOWN):
                on_the_way += need
            else:
                acknowledged += need
        sums.append((on_the_way, acknowledged))
    return sums


LEFT = (S.PENDING_CREATE, S.UNKNOWN, S.OPEN, S.PENDING_CANCEL, S.CANCELLED)


MANY = st.tuples(
    st.sampled_from(["record", "restore", "outcome", "fill", "cancel", "update"]),
    st.integers(1, 5),
    st.integers(0, 11),
)


@given(st.lists(MANY, max_size=40))
def test_what_orders_take_is_what_adding_them_up_gives(steps: list[tuple[str, int, int]]) -> None:
    orders = OrderTracker(Journal(MemoryStore(), StillClock(), MemoryTrace()))
    heard: list[bool] = []
    orders.on_change(lambda order: heard.append(claimed(orders) == added_up(orders)))
    for number, (step, name, part) in enumerate(steps):
        side = Side.BUY if name % 2 else Side.SELL
        made = intent(name, side, price=f"1.{part}", quantity=QUANTITY)
        known, one = orders.get(made.client_id) is not None, client_id(name)
        match step:
            case "record" if not known:
                orders.record(made, 0)
            case "restore" if not known:
                left = LEFT[part % len(LEFT)]
                closed_ns = 0 if left.is_closed else None
                orders.restore(made, left_of(made, left, part % 3, closed_ns=closed_ns))
            case "outcome":
                orders.apply_outcome(one, OUTCOMES[part % len(OUTCOMES)], 1)
            case "fill":
                orders.apply_fill(fill(name, trade_id=f"t{number}", quantity=part), 1)
            case "cancel":
                orders.ask_cancel(one, "why", 1)
            case "update":
                state = STATES[part % len(STATES)]
                orders.apply_update(order_update(name, state, filled=part), 1)
            case _:
                pass
        assert claimed(orders) == added_up(orders)
    assert all(heard)


@given(acts())
def test_no_venue_can_make_the_tracker_take_an_illegal_step(wild: list[Act]) -> None:
    orders, order, trace = tracker()
    booked: list[Decimal] = []

    for act in wild:
        was_closed = order.state.is_closed
        act(orders)
        booked.append(order.filled)
        assert order.filled == 2 * len(set(order.trades)) == 2 * len(order.trades)
        assert order.state.is_closed or not was_closed
        assert (order in orders.live()) == (not order.state.is_closed)
        assert order.view().state is order.state
        assert order.view().filled == order.filled
        assert claimed(orders) == added_up(orders)

    assert booked == sorted(booked)
    assert legal(trace)
    assert order.state in (S.FILLED, S.REJECTED) or order.filled < QUANTITY
    assert order.state is not S.FILLED or order.filled >= QUANTITY

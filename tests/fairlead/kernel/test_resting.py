from decimal import Decimal

from fairlead.kernel import own_levels, resting
from fairlead.model import OrderState, Side, Unknown
from fairlead.store import Journal
from fairlead.testing import (
    MARKET,
    SCALE,
    MemoryStore,
    StillClock,
    client_id,
    fill,
    intent,
    order_update,
)
from fairlead.trackers import OrderTracker


def tracker() -> OrderTracker:
    """Three bids, two of them acknowledged, and an ask that has filled in part."""
    orders = OrderTracker(Journal(MemoryStore(), StillClock()))
    orders.record(intent(1, price="99.90", quantity=3), 0)
    orders.record(intent(2, price="99.95", quantity=1, level=1), 0)
    orders.record(intent(3, price="99.99", quantity=1, level=2), 0)
    orders.record(intent(4, Side.SELL, price="100.10", quantity=3), 0)
    for number in (1, 2, 4):
        orders.apply_update(order_update(number, OrderState.OPEN), 1)
    orders.apply_outcome(client_id(3), Unknown("lost"), 1)
    orders.apply_fill(fill(4, Side.SELL, quantity=1), 2)
    orders.ask_cancel(client_id(1), "why", 3)
    return orders


def test_what_rests_is_acknowledged_and_shown_best_first() -> None:
    bids, asks = resting(tracker(), "alt")

    assert bids == [(Decimal("99.95"), Decimal(1)), (Decimal("99.90"), Decimal(3))]
    assert asks == [(Decimal("100.10"), Decimal(2))]


def test_another_strategys_orders_are_not_ours() -> None:
    assert resting(tracker(), "other") == ([], [])


def test_our_part_of_the_book_is_told_in_its_integers() -> None:
    orders = tracker()
    orders.record(intent(5, price="99.90", quantity=2, level=3), 0)
    orders.apply_update(order_update(5, OrderState.OPEN), 1)
    orders.ask_cancel(client_id(3), "why", 3)  # nobody has proven that it is there

    assert own_levels(orders, MARKET, SCALE) == {
        (Side.BUY, 9990): 500,
        (Side.BUY, 9995): 100,
        (Side.SELL, 10010): 200,
    }


def test_without_a_scale_nothing_can_be_told() -> None:
    assert own_levels(tracker(), MARKET, None) == {}

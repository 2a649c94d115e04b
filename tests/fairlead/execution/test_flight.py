"""What was asked for and not seen yet counts as under way, until it cannot leave any more."""

from decimal import Decimal

import pytest

from fairlead.api import (
    Cancel,
    Denied,
    Filled,
    OrderChanged,
    OrderView,
    Place,
    PlanEvent,
    Refused,
    Resumed,
    Wake,
)
from fairlead.api.plans.atomic import AtomicLeg, AtomicPlan
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.flight import Asked, asked_orders, still_asked, unresolved
from fairlead.model import MarketId, OrderState, Purpose, Side, Slot
from fairlead.testing import fill, instrument
from tests.fairlead.execution.plan_kernel import NOW
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_view import KitView

MARKET, OTHER = MarketId("one", "ALT/USDT"), MarketId("two", "ALT/USDT")
PLACE = Place(Slot("alt", MARKET, Side.BUY, 0, "x1"), Side.BUY, Decimal(100), Decimal(5), NOW)
WAITING = (Asked(MARKET, Side.BUY, 0, NOW),)


def view(*orders: OrderView, later_ns: int = 0) -> KitView:
    legs = (
        AtomicLeg(market=MARKET, side=Side.BUY, quantity=Decimal(5)),
        AtomicLeg(market=OTHER, side=Side.SELL, quantity=Decimal(5)),
    )
    kit = Kit(AtomicExecutor, AtomicPlan(legs=legs), [instrument(MARKET), instrument(OTHER)])
    kit.live = {order.client_id: order for order in orders}
    kit.now_ns += later_ns
    return kit.view


def order(*, decided_ns: int = NOW, market: MarketId = MARKET, filled: int = 0) -> OrderView:
    return OrderView(
        client_id="o1",
        slot=Slot("alt", market, Side.BUY, 0, "x1"),
        side=Side.BUY,
        price=Decimal(100),
        quantity=Decimal(5),
        filled=Decimal(filled),
        state=OrderState.UNKNOWN,
        purpose=Purpose.ENTRY,
        decided_ns=decided_ns,
        acknowledged_ns=None,
    )


def test_orders_are_noted_and_cancels_are_not() -> None:
    assert asked_orders((PLACE, Cancel("o9", "why"))) == WAITING


def test_what_was_not_seen_is_under_way() -> None:
    waiting = still_asked(WAITING, Wake(), view())

    assert waiting == WAITING
    assert unresolved(waiting, view()) == {MARKET: 0}


@pytest.mark.parametrize(
    "event",
    [
        OrderChanged(order()),
        Refused(PLACE, "risk", Denied("max_order", Decimal(5), Decimal(1))),
        Filled(fill(), PLACE.slot),
        Resumed(),
    ],
)
def test_news_of_it_ends_the_waiting(event: PlanEvent) -> None:
    assert still_asked(WAITING, event, view()) == ()


def test_seeing_it_among_the_orders_ends_the_waiting() -> None:
    assert still_asked(WAITING, Wake(), view(order())) == ()


def test_news_of_the_order_before_it_in_its_slot_does_not() -> None:
    before = order(decided_ns=NOW - 1)

    assert still_asked(WAITING, OrderChanged(before), view(before)) == WAITING


def test_news_of_another_market_does_not() -> None:
    assert still_asked(WAITING, OrderChanged(order(market=OTHER)), view()) == WAITING


def test_a_tick_later_it_cannot_leave_any_more() -> None:
    assert still_asked(WAITING, Wake(), view(later_ns=999_999_999)) == WAITING
    assert still_asked(WAITING, Wake(), view(later_ns=1_000_000_000)) == ()


def test_what_may_still_fill_is_counted_by_market() -> None:
    live = (order(filled=2), order(market=OTHER))

    shown = view(*live)
    shown.kit.live = {str(number): one for number, one in enumerate(live)}

    assert unresolved((), shown) == {MARKET: 3, OTHER: 5}

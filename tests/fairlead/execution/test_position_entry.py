"""A position is entered at its price or its bound, in its time, and as far as risk allows."""

from decimal import Decimal

import pytest

from fairlead.api import Balance, Denied
from fairlead.execution import ENTRY_LEVEL, PositionExecutor
from fairlead.model import OrderState, OrderTrigger, Purpose, Side, TimeInForce
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.position_kit import MARKET, SPOT, at_level, plan, started


def test_it_asks_for_its_entry_alone() -> None:
    kit = started(entry_price="99.50")

    (leg,) = kit.legs
    assert leg.side is Side.BUY
    assert (leg.quantity, leg.bound) == (Decimal(10), Decimal("99.50"))


@pytest.mark.parametrize(
    ("given", "rule"),
    [({}, "book"), ({"quantity": "0.4"}, "minimum"), ({"side": "SELL"}, "balance")],
)
def test_what_cannot_begin_says_why(given: dict[str, str], rule: str) -> None:
    kit = Kit(PositionExecutor, plan(**given), [SPOT])
    if rule != "book":
        kit.quote(MARKET, "99.90", "100.10")
    kit.balances["main", "ALT"] = Balance(Decimal(0), Decimal(0), Decimal(0))

    denied = kit.start()

    assert isinstance(denied, Denied)
    assert denied.rule == rule


@pytest.mark.parametrize(
    ("side", "given", "price"),
    [
        ("BUY", {}, "99.90"),
        ("SELL", {}, "100.10"),
        ("BUY", {"entry_price": "99.123"}, "99.12"),
        ("BUY", {"entry_price": "100.20"}, "100.09"),
    ],
    ids=["joined", "joined short", "where it was asked to", "never crossing"],
)
def test_a_limit_entry_rests(side: str, given: dict[str, str], price: str) -> None:
    kit = started(side=side, **given)

    intent = kit.intents[kit.only().client_id]
    assert intent.price == Decimal(price)
    assert intent.post_only
    assert intent.purpose is Purpose.ENTRY


def test_a_market_entry_takes_what_there_is_until_it_is_filled() -> None:
    kit = Kit(PositionExecutor, plan(entry="market", entry_slippage="30 bps"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10", 4)
    kit.start()

    kit.settle()
    kit.quote(MARKET, "99.90", "100.10", 100)
    kit.run(2)

    assert kit.done() == 10
    prices = [intent.price for intent in kit.intents.values()]
    assert set(prices) == {Decimal("100.20")}  # what the book needs, or has, and 10 bps
    assert all(intent.time_in_force is TimeInForce.IOC for intent in kit.intents.values())


def test_a_limit_of_size_makes_the_entry_smaller() -> None:
    kit = Kit(PositionExecutor, plan(entry="market"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.refuse = lambda intent: (
        Denied("max_order", intent.quantity, "6") if intent.quantity > 6 else None
    )

    kit.start()
    kit.run(5)

    assert [order.quantity for order in at_level(kit, ENTRY_LEVEL)] == [5, 5]


def test_a_market_entry_waits_for_a_book() -> None:
    kit = started(entry="market")
    kit.move(kit.only(), OrderTrigger.EXPIRED)
    kit.book(MARKET, None)
    kit.run(30)
    assert not kit.end

    kit.quote(MARKET, "99.90", "100.10")
    kit.run(2)

    assert kit.done() == 10


def test_a_market_entry_leaves_a_rest_below_the_minimum() -> None:
    kit = started(entry="market")
    kit.fill(kit.only(), "9.8")
    kit.move(kit.only(ENTRY_LEVEL), OrderTrigger.EXPIRED)

    kit.run(3)

    assert kit.state.entry_over == "entered"


def test_a_market_entry_gives_up_where_nothing_is_within_its_bound() -> None:
    kit = started(entry="market")
    kit.move(kit.only(), OrderTrigger.EXPIRED)
    kit.quote(MARKET, "100.90", "101.10")

    kit.run(20)

    assert kit.end == "not entered: bound"
    assert kit.last is not None
    assert not kit.last.complete


def test_an_entry_has_its_time() -> None:
    kit = started(entry_timeout="5 s")
    kit.ack(kit.only())
    kit.advance(5)
    assert kit.only().state is OrderState.PENDING_CANCEL

    kit.cancelled(kit.only())

    assert kit.end == "not entered: entry timeout"


def test_an_entry_waits_until_the_mid_is_close_enough() -> None:
    kit = started(entry_price="99.00", activation_bound="50 bps")
    assert not kit.live

    kit.quote(MARKET, "99.20", "99.40")
    kit.advance(1)
    kit.ack(kit.only())
    kit.quote(MARKET, "99.50", "99.70")
    kit.advance(1)
    assert kit.only().state is OrderState.OPEN
    kit.quote(MARKET, "99.70", "99.90")
    kit.advance(1)

    assert kit.only().state is OrderState.PENDING_CANCEL


def test_an_entry_does_not_rest_on_a_book_that_is_gone() -> None:
    kit = started()
    kit.ack(kit.only())
    kit.book(MARKET, None)

    kit.advance(1)

    assert kit.only().state is OrderState.PENDING_CANCEL


def test_a_refused_entry_is_tried_again_on_the_next_tick() -> None:
    kit = started()
    kit.reject(kit.only())
    assert not kit.live

    kit.advance(1)

    assert kit.only().slot.level == ENTRY_LEVEL

"""An order that is admitted, and rests first."""

from decimal import Decimal

import pytest

from fairlead.api import Balance, Denied, Refused
from fairlead.api.plans import TieredMode
from fairlead.execution import TieredExecutor
from fairlead.model import OrderState, Purpose, Side, TimeInForce
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.tiered_kit import MARKET, MID, SPOT, plan, started


def denied(kit: Kit) -> Denied:
    found = kit.start()
    assert isinstance(found, Denied)
    return found


# Admission.


def test_it_asks_for_the_whole_quantity_within_its_bound() -> None:
    kit = started(quantity="10.09", max_slippage="30 bps")

    (leg,) = kit.legs
    assert (leg.market, leg.side) == (MARKET, Side.BUY)
    assert leg.quantity == 10
    assert leg.bound == Decimal("100.30")
    assert leg.expected == Decimal("100.10")


@pytest.mark.parametrize(
    ("side", "bound", "worst"),
    [("BUY", "100.2", "100.2"), ("BUY", "103", "100.50"), ("SELL", "99.8", "99.8")],
)
def test_the_tighter_bound_holds(side: str, bound: str, worst: str) -> None:
    assert started(side=side, bound=bound).legs[0].bound == Decimal(worst)


def test_without_a_valid_book_it_does_not_begin() -> None:
    assert denied(Kit(TieredExecutor, plan(), [SPOT])).rule == "book"


def test_what_is_below_a_minimum_does_not_begin() -> None:
    kit = Kit(TieredExecutor, plan(quantity="0.59"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.plan = plan(quantity="0.49")
    kit.executor = TieredExecutor(plan(quantity="0.49"), kit.executor._context)  # type: ignore[attr-defined]  # the kit's own

    assert denied(kit).rule == "minimum"


@pytest.mark.parametrize(("side", "asset"), [("BUY", "USDT"), ("SELL", "ALT")])
def test_what_the_account_cannot_pay_for_does_not_begin(side: str, asset: str) -> None:
    kit = Kit(TieredExecutor, plan(side=side), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.balances["main", asset] = Balance(Decimal(9), Decimal(0), Decimal(0))

    assert denied(kit).detail == f"not enough {asset}"


@pytest.mark.parametrize(
    ("size", "half_spread", "extra", "mode", "sliced"),
    [
        (100, "0.10", {}, TieredMode.LIMIT_WITH_FALLBACK, False),
        (100, "0.10", {"urgent": True}, TieredMode.MARKET_ONLY, False),
        (100, "0.30", {"urgent": True}, TieredMode.LIMIT_WITH_FALLBACK, False),
        (100, "0.60", {}, TieredMode.LIMIT_ONLY, False),
        (4, "0.10", {"slice": True}, TieredMode.LIMIT_WITH_FALLBACK, True),
    ],
    ids=["acceptable", "acceptable and urgent", "use limit", "high slippage", "thin"],
)
def test_adaptive_lets_the_book_decide(
    size: int, half_spread: str, extra: dict[str, bool], mode: TieredMode, sliced: bool
) -> None:
    kit = Kit(TieredExecutor, plan(mode="adaptive", max_slippage="1%", **extra), [SPOT])
    half = Decimal(half_spread)
    kit.quote(MARKET, MID - half, MID + half, size)

    kit.start()

    assert (kit.state.mode, kit.state.sliced) == (mode, sliced)


def test_adaptive_denies_where_the_depth_ends() -> None:
    kit = Kit(TieredExecutor, plan(mode="adaptive"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10", 4)

    assert denied(kit).rule == "liquidity"


# Resting.


def test_it_rests_post_only_at_the_best_price() -> None:
    kit = started()

    intent = kit.intents[kit.only().client_id]
    assert intent.price == Decimal("99.90")
    assert intent.quantity == 10
    assert intent.post_only
    assert intent.purpose is Purpose.ENTRY
    assert intent.time_in_force is TimeInForce.GTC


def test_a_full_fill_ends_it_at_once() -> None:
    kit = started()
    kit.ack(kit.only())

    kit.fill(kit.only())

    assert kit.finished
    assert kit.end == "done"
    assert kit.last is not None
    assert kit.last.complete
    assert kit.notes["mode"] == "limit_with_fallback"


def test_it_follows_the_market_when_the_cancel_is_proven() -> None:
    kit = started()
    first = kit.only()
    kit.ack(first)
    kit.quote(MARKET, "100.00", "100.20")

    kit.advance(1)
    assert kit.only().state is OrderState.PENDING_CANCEL
    kit.fill(first, "4")
    kit.cancelled(first)

    assert kit.only().price == Decimal("100.00")
    assert kit.only().quantity == 6


def test_it_keeps_its_place_in_the_queue_while_it_is_close_enough() -> None:
    kit = started(requote_within="5 bps")
    first = kit.only()
    kit.ack(first)
    kit.quote(MARKET, "99.94", "100.10")

    kit.advance(3)

    assert kit.only().state is OrderState.OPEN


def test_it_follows_only_so_many_times() -> None:
    kit = started(max_requotes=2)
    kit.settle()
    for step in range(1, 6):
        kit.quote(MARKET, MID - Decimal(step) / 5, MID + Decimal(1))
        kit.run(2)

    assert len(kit.orders) == 3
    assert kit.only().state is OrderState.OPEN


def test_a_refused_post_only_order_is_priced_anew() -> None:
    kit = started(maker_price="improve")
    kit.quote(MARKET, "99.80", "99.90")

    kit.reject(kit.only())

    assert kit.only().price == Decimal("99.81")


def test_the_price_that_was_refused_is_not_tried_again_before_the_next_tick() -> None:
    kit = started()

    kit.reject(kit.only())
    assert not kit.live
    kit.advance(1)

    assert kit.only().price == Decimal("99.90")


def test_a_venue_that_refuses_again_and_again_is_taken_from_instead() -> None:
    kit = started(max_requotes=3)
    for _ in range(4):
        kit.reject(kit.only())
        kit.advance(1)

    assert kit.only().slot.level == 1
    assert kit.now_ns < kit.state.until_ns


def test_where_it_may_only_rest_refusals_end_it() -> None:
    kit = started(mode="limit_only", max_requotes=1)
    for _ in range(2):
        kit.reject(kit.only())
        kit.advance(1)

    assert kit.end == "refused"


def test_without_a_valid_book_nothing_rests() -> None:
    kit = started()
    kit.ack(kit.only())
    kit.book(MARKET, None)

    kit.advance(1)

    assert kit.only().state is OrderState.PENDING_CANCEL


def test_a_denial_is_waited_out_and_remembered() -> None:
    kit = Kit(TieredExecutor, plan(mode="limit_only", timeout="5 s"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.refuse = lambda intent: Denied("posture", "REDUCING", "ACTIVE")

    kit.start()
    kit.run(10)

    assert kit.end == "timeout"
    assert kit.notes["refusal"] == "risk: posture REDUCING, limit ACTIVE"
    assert 4 <= len(kit.refusals) <= 6


def test_a_wish_that_did_not_leave_is_no_refusal() -> None:
    kit = started(mode="limit_only", timeout="3 s")
    place = kit.places[-1]
    kit.cancelled(kit.only())

    kit.tell(Refused(place, "queue", Denied("queue", "dropped", "sent")))
    kit.run(10)

    assert len(kit.orders) >= 2
    assert "refusal" not in kit.notes


def test_a_limit_of_size_makes_orders_smaller() -> None:
    kit = Kit(TieredExecutor, plan(), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.refuse = lambda intent: (
        Denied("max_order", intent.quantity, "3") if intent.quantity > 3 else None
    )
    kit.start()
    kit.advance(3)

    while not kit.end:
        kit.fill(kit.only())

    assert {order.quantity for order in kit.orders.values()} == {Decimal("2.5")}
    assert kit.end == "done"


def test_a_limit_below_the_minimum_is_tried_with_all_again() -> None:
    kit = Kit(TieredExecutor, plan(mode="limit_only", timeout="10 s"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.refuse = lambda intent: Denied("max_order", intent.quantity, "0.1")

    kit.start()
    kit.run(20)

    tried = [refused.place.quantity for refused in kit.refusals]
    assert tried[:7] == [Decimal(part) for part in ("10", "5", "2.5", "1.2", "0.6", "10", "5")]

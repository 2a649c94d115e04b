"""A quantity in one market: rest first, then take the unfilled rest, never more than asked."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Balance, Cancel, Denied, Duration, Ratio, Refused
from fairlead.api.plans import MakerPrice, TieredMode, TieredPlan
from fairlead.execution import TieredExecutor, TieredPhase
from fairlead.model import OrderState, OrderTrigger, Purpose, Side, TimeInForce
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_schedule import SCHEDULES, Move, drive, finish

SPOT = instrument(lot="0.1", min_quantity="0.5", fees=("0.0002", "0.0005"))
MARKET = SPOT.market
MID = Decimal(100)


def plan(**given: Any) -> TieredPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {"market": MARKET, "side": Side.BUY, "quantity": "10", "mode": "limit_with_fallback"}
    return TieredPlan.model_validate(defaults | given)


def started(size: int = 100, **given: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    kit = Kit(TieredExecutor, plan(**given), [SPOT])
    kit.quote(MARKET, "99.90", "100.10", size)
    assert not isinstance(kit.start(), Denied)
    return kit


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


# The fallback.


def test_the_unfilled_rest_alone_is_taken_after_the_timeout() -> None:
    kit = started(timeout="5 s")
    first = kit.only()
    kit.ack(first)
    kit.fill(first, "3")
    kit.advance(5)

    assert kit.only().state is OrderState.PENDING_CANCEL
    kit.advance(3)
    assert len(kit.orders) == 1  # no proof, no fallback
    kit.fill(first, "2")
    kit.cancelled(first)

    taker = kit.intents[kit.only().client_id]
    assert taker.quantity == 5
    assert taker.price == Decimal("100.20")  # what the book needs, and 10 bps
    assert taker.time_in_force is TimeInForce.IOC
    assert not taker.post_only
    assert taker.slot.level == 1


def test_an_unproven_order_holds_the_fallback_back() -> None:
    kit = started(timeout="5 s")
    first = kit.only()
    kit.lose(first)

    kit.advance(60)
    assert list(kit.live) == [first.client_id]
    kit.land(kit.only(), never=True)

    assert kit.only().slot.level == 1


def test_a_cancel_that_failed_is_asked_for_again() -> None:
    kit = started(timeout="5 s")
    first = kit.only()
    kit.ack(first)
    kit.advance(5)

    kit.cancel_fails(first)

    assert kit.only().state is OrderState.PENDING_CANCEL
    assert len(kit.orders) == 1


def test_taking_goes_on_until_it_is_filled() -> None:
    kit = started(size=4, mode="market_only")

    for _ in range(3):
        kit.settle()
        kit.quote(MARKET, "99.90", "100.10", 4)
        kit.advance(1)

    assert [order.filled for order in kit.orders.values() if order.filled] == [4, 4, 2]
    assert kit.end == "done"


def test_nothing_within_the_bound_ends_it() -> None:
    kit = started(mode="market_only", size=4)
    kit.settle()
    kit.quote(MARKET, "100.40", "100.60")

    kit.run(20)

    assert kit.end == "bound"
    assert kit.notes["unfilled"] == "6"
    assert not kit.last.complete  # type: ignore[union-attr]  # it has stepped


def test_a_taker_never_goes_further_than_its_slippage_from_the_mid_of_the_moment() -> None:
    kit = started(timeout="5 s")
    kit.ack(kit.only())
    # Deeper than it may go: nothing but the bounds hold it.
    kit.book(MARKET, [("98.90", 9)], [("99.10", 4), ("99.90", 9)])
    kit.advance(5)

    kit.cancelled(kit.only())

    assert kit.only().slot.level == 1
    assert kit.only().price == Decimal("99.49")


def test_taking_has_a_time_limit() -> None:
    kit = started(mode="market_only", taker_timeout="3 s", size=1)
    kit.run(30)

    assert kit.end == "timeout"
    assert kit.notes["unfilled"] == "9"
    assert 3 <= len(kit.orders) <= 8


def test_taking_waits_for_a_book_as_long_as_it_may() -> None:
    kit = started(mode="market_only", taker_timeout="8 s")
    kit.move(kit.only(), OrderTrigger.EXPIRED)
    kit.book(MARKET, None)
    kit.run(7)
    assert not kit.finished

    kit.quote(MARKET, "99.90", "100.10")
    kit.run(1)

    assert kit.end == "done"


def test_a_rest_below_the_minimum_is_left() -> None:
    kit = started(timeout="3 s")
    kit.ack(kit.only())
    kit.fill(kit.only(), "9.6")

    kit.run(10)

    assert kit.end == "dust"
    assert kit.notes["unfilled"] == "0.4"


def test_a_dust_rest_is_called_so_where_it_only_rests() -> None:
    kit = started(mode="limit_only")
    kit.ack(kit.only())
    kit.fill(kit.only(), "9.6")
    kit.quote(MARKET, "99.00", "100.10")

    kit.run(3)

    assert kit.end == "dust"


def test_limit_only_never_takes() -> None:
    kit = started(mode="limit_only", timeout="5 s")

    kit.run(20)

    assert kit.end == "timeout"
    assert all(intent.post_only for intent in kit.intents.values())


def test_a_thin_book_is_worked_piece_by_piece() -> None:
    kit = started(size=3, mode="adaptive", slice=True, timeout="2 s")

    while not kit.end:
        kit.run(3)
        kit.quote(MARKET, "99.90", "100.10", 3)

    assert kit.end == "done"
    assert all(intent.quantity <= 3 for intent in kit.intents.values())


def test_a_sliced_plan_ends_when_a_round_fills_nothing() -> None:
    kit = started(size=3, mode="adaptive", slice=True, timeout="2 s")
    kit.run(4)
    kit.quote(MARKET, "109.90", "110.10", 3)

    kit.run(60)

    assert kit.end == "bound"
    assert 0 < kit.done() < 10


# Stop and restart.


def test_a_stop_cancels_and_waits_for_the_proof() -> None:
    kit = started()
    first = kit.only()
    kit.ack(first)

    kit.stop()
    assert not kit.finished
    kit.cancelled(first)

    assert kit.end == "stopped"
    assert kit.notes["unfilled"] == "10"


def test_a_restart_goes_on_with_what_is_left() -> None:
    kit = started()
    first = kit.only()
    kit.ack(first)

    kit.restart(fills={first.client_id: Decimal(7)})

    assert kit.only().quantity == 3


def test_its_time_goes_on_over_a_restart() -> None:
    kit = started(timeout="30 s")
    kit.advance(20)

    kit.restart()
    kit.advance(10)

    assert kit.state.phase is TieredPhase.TAKING


@pytest.mark.parametrize(
    "given",
    [
        {"quantity": "0"},
        {"quantity": "-1"},
        {"quantity": 0.5},
        {"max_slippage": "0 bps"},
        {"acceptable_slippage": "60 bps"},
        {"requote_within": "-1 bps"},
        {"market": "nowhere"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_plan_that_means_nothing_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        plan(**given)


def test_a_plan_survives_the_journal() -> None:
    asked = TieredPlan(
        market=MARKET,
        side=Side.SELL,
        quantity=Decimal("1.50"),
        bound=Decimal("0.1"),
        timeout=Duration.parse("7 s"),
        max_slippage=Ratio.parse("7 bps"),
        maker_price=MakerPrice.INSIDE,
    )

    assert TieredPlan.model_validate_json(asked.model_dump_json()) == asked


@given(
    schedule=SCHEDULES,
    side=st.sampled_from(Side),
    mode=st.sampled_from(TieredMode),
    size=st.sampled_from([2, 100]),
    maker=st.sampled_from(MakerPrice),
    stop=st.booleans(),
)
def test_it_never_fills_more_than_it_was_asked_for(
    schedule: list[Move], side: Side, mode: TieredMode, size: int, maker: MakerPrice, stop: bool
) -> None:
    kit = Kit(
        TieredExecutor,
        plan(side=side, mode=mode, maker_price=maker, timeout="6 s", slice=True),
        [SPOT],
    )
    kit.quote(MARKET, "99.90", "100.10", size)
    kit.start()

    drive(kit, MARKET, schedule, MID)
    if stop and not kit.end:
        kit.stop()
    finish(kit, MARKET, MID, 300)

    filled = kit.done(MARKET, side)
    assert filled <= 10
    assert kit.last is not None
    assert kit.last.complete == (filled == 10)
    assert kit.residual == {}
    if filled < 10:
        assert Decimal(kit.notes["unfilled"]) == 10 - filled


def test_no_order_of_it_is_without_a_cancel_reason() -> None:
    kit = started()
    kit.ack(kit.only())
    kit.stop()

    assert kit.last is not None
    assert all(action.reason for action in kit.last.actions if isinstance(action, Cancel))

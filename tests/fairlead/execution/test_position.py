"""A position with a triple barrier: every fill is guarded, no exit is larger than what is held."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Balance, Denied, OrderView
from fairlead.api.plans import ExitOrder, PositionPlan
from fairlead.execution import (
    ENTRY_LEVEL,
    LEAVE_LEVEL,
    PROFIT_LEVEL,
    REST_LEVEL,
    Barrier,
    PositionExecutor,
)
from fairlead.model import (
    InstrumentKind,
    MarketId,
    OrderIntent,
    OrderState,
    OrderTrigger,
    Purpose,
    Side,
    TimeInForce,
)
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_schedule import LATE_SCHEDULES, SCHEDULES, Move, drive, finish

SPOT = instrument(lot="0.1", min_quantity="0.5")
MARKET = SPOT.market
MID = Decimal(100)


def plan(**given: Any) -> PositionPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {"market": MARKET, "side": "BUY", "quantity": "10", "stop_loss": "1%"}
    return PositionPlan.model_validate(defaults | given)


def started(**given: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    kit = Kit(PositionExecutor, plan(**given), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    assert not isinstance(kit.start(), Denied)
    return kit


def entered(quantity: str = "10", **given: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    """Give a position that was entered at 99.90 (or 100.10 when short)."""
    kit = started(**given)
    kit.ack(kit.only(ENTRY_LEVEL))
    kit.fill(kit.only(ENTRY_LEVEL), quantity)
    return kit


def at_level(kit: Kit, level: int) -> list[OrderView]:
    return [order for order in kit.orders.values() if order.slot.level == level]


# The entry.


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


# The stop loss.


def test_the_stop_leaves_at_a_bounded_price_the_moment_the_mid_crosses() -> None:
    kit = entered()

    kit.quote(MARKET, "98.85", "98.95")

    intent = kit.intents[kit.only().client_id]
    assert intent.slot.level == LEAVE_LEVEL
    assert intent.purpose is Purpose.EXIT
    assert intent.time_in_force is TimeInForce.IOC
    assert intent.quantity == 10
    assert intent.price == Decimal("98.76")  # what the book needs less 10 bps, rounded up
    assert kit.state.exit_bound == Decimal("97.911")
    kit.settle()
    assert kit.end == "stop loss"
    assert kit.last is not None
    assert kit.last.complete
    assert kit.notes["barrier"] == "stop loss"


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_barrier_that_is_just_reached_counts(side: str) -> None:
    kit = started(side=side, stop_loss="1%", take_profit="1%", take_profit_order="market")
    kit.fill(kit.only(), price="100")
    edge, step = MID - Side(side).sign, Decimal("0.01")

    kit.quote(MARKET, edge + Side(side).sign * step - step, edge + Side(side).sign * step + step)
    assert kit.state.barrier is None
    kit.quote(MARKET, edge - step, edge + step)

    assert kit.state.barrier is Barrier.STOP_LOSS


def test_a_short_position_is_stopped_on_the_way_up() -> None:
    kit = entered(side="SELL")

    kit.quote(MARKET, "101.10", "101.20")
    kit.settle()

    assert kit.end == "stop loss"
    assert kit.view.exposure(MARKET) == 0


def test_a_partly_filled_entry_is_guarded_from_its_first_fill() -> None:
    kit = started()
    entry = kit.only()
    kit.ack(entry)
    kit.fill(entry, "3")

    kit.quote(MARKET, "98.85", "98.95")

    assert kit.live[entry.client_id].state is OrderState.PENDING_CANCEL
    kit.cancelled(entry)
    assert kit.only(LEAVE_LEVEL).quantity == 3
    kit.settle()
    assert kit.end == "stop loss"


def test_an_exit_never_hits_the_own_entry() -> None:
    kit = started()
    entry = kit.only()
    kit.ack(entry)
    kit.fill(entry, "3")

    kit.quote(MARKET, "98.85", "98.95")
    kit.advance(3)

    assert not at_level(kit, LEAVE_LEVEL)  # the entry at 99.90 may still be there


def test_what_is_entered_after_the_stop_leaves_too() -> None:
    kit = started(entry_price="99.00")
    entry = kit.only()
    kit.ack(entry)
    kit.fill(entry, "3")
    kit.quote(MARKET, "97.90", "98.10")

    kit.fill(entry, "4")
    kit.cancelled(entry)

    assert kit.only(LEAVE_LEVEL).quantity == 7


def test_leaving_goes_on_until_flat() -> None:
    kit = entered()
    kit.quote(MARKET, "98.85", "98.95", 4)
    for _ in range(4):
        kit.settle()
        kit.quote(MARKET, "98.85", "98.95", 4)
        kit.advance(0.2)

    assert [order.filled for order in at_level(kit, LEAVE_LEVEL) if order.filled] == [4, 4, 2]
    assert kit.end == "stop loss"


def test_what_the_bound_does_not_let_through_is_reported() -> None:
    kit = entered()
    kit.quote(MARKET, "98.85", "98.95", 4)
    kit.settle()
    kit.quote(MARKET, "96.00", "96.10")

    kit.run(20)

    assert kit.end == "bound"
    assert kit.residual == {MARKET: Decimal(6)}
    assert kit.last is not None
    assert not kit.last.complete


def test_a_residual_of_a_short_position_is_negative() -> None:
    kit = entered(side="SELL")
    kit.quote(MARKET, "101.10", "101.20", 4)
    kit.settle()
    kit.quote(MARKET, "106.00", "106.10")

    kit.run(20)

    assert kit.residual == {MARKET: Decimal(-6)}


def test_without_a_book_it_waits_with_its_exit() -> None:
    kit = entered(time_limit="10 s", stop_loss=None)
    kit.book(MARKET, None)
    kit.advance(60)
    assert not at_level(kit, LEAVE_LEVEL)

    kit.quote(MARKET, "99.90", "100.10")
    kit.advance(1)

    assert kit.state.exit_bound == Decimal("99.000")
    assert kit.only(LEAVE_LEVEL).price == Decimal("99.81")


def test_an_unproven_exit_is_not_sent_again() -> None:
    kit = entered()
    kit.quote(MARKET, "98.85", "98.95")
    kit.lose(kit.only())

    kit.advance(60)
    assert len(at_level(kit, LEAVE_LEVEL)) == 1
    kit.land(kit.only(), never=True)
    kit.settle()

    assert kit.end == "stop loss"


def test_a_limit_of_size_makes_the_exit_smaller() -> None:
    kit = entered()
    kit.refuse = lambda intent: (
        Denied("max_order", intent.quantity, "3") if intent.quantity > 3 else None
    )

    kit.quote(MARKET, "98.85", "98.95")
    kit.run(10)

    assert [order.quantity for order in at_level(kit, LEAVE_LEVEL)] == [Decimal("2.5")] * 4
    assert kit.end == "stop loss"
    assert kit.notes["refusal"] == "risk: max_order 5, limit 3"


def test_a_stop_in_a_thin_book_leaves_by_orders_that_stay_within_a_price_band() -> None:
    kit = entered()

    def band(intent: OrderIntent) -> Denied | None:
        through = (Decimal("98.90") - intent.price) / Decimal("98.90") * 10_000
        return Denied("price_band", through, Decimal(50)) if through > 50 else None

    kit.refuse = band
    # All of it would be sold beyond the band, a part of it is not.
    kit.book(MARKET, [("98.85", "4"), ("97.95", "100")], [("98.95", "100")])
    kit.run(3)

    sold = at_level(kit, LEAVE_LEVEL)
    assert sold
    assert all(order.price > Decimal("98.4") for order in sold)


def test_a_limit_of_size_makes_the_take_profit_smaller() -> None:
    kit = started(take_profit="1%")
    kit.refuse = lambda intent: (
        Denied("max_order", intent.quantity, "6")
        if intent.slot.level and intent.quantity > 6
        else None
    )
    kit.ack(kit.only())
    kit.fill(kit.only())
    kit.advance(1)
    profit = kit.only(PROFIT_LEVEL)
    kit.ack(profit)

    kit.advance(10)
    assert kit.only(PROFIT_LEVEL).state is OrderState.OPEN
    kit.fill(profit)

    assert profit.quantity == 5
    assert kit.only(PROFIT_LEVEL).quantity == 5


def test_a_refused_exit_is_tried_again() -> None:
    kit = entered()
    kit.quote(MARKET, "98.85", "98.95")
    kit.reject(kit.only())
    assert not kit.live

    kit.advance(1)

    assert kit.only(LEAVE_LEVEL).quantity == 10


# The take profit.


def test_a_take_profit_rests_for_what_is_held() -> None:
    kit = entered(take_profit="1%")

    intent = kit.intents[kit.only().client_id]
    assert intent.slot.level == PROFIT_LEVEL
    assert intent.post_only
    assert intent.price == Decimal("100.90")
    assert intent.quantity == 10
    kit.ack(kit.only())
    kit.fill(kit.only())
    assert kit.end == "take profit"
    assert kit.last is not None
    assert kit.last.complete


def test_a_take_profit_grows_with_what_is_entered() -> None:
    kit = started(take_profit="1%")
    entry = kit.only()
    kit.ack(entry)
    kit.fill(entry, "3")
    first = kit.only(PROFIT_LEVEL)
    kit.ack(first)
    kit.fill(entry, "7")
    assert kit.only(PROFIT_LEVEL).state is OrderState.OPEN  # at most once a tick

    kit.advance(1)
    kit.cancelled(first)

    assert kit.only(PROFIT_LEVEL).quantity == 10


def test_a_take_profit_follows_the_average() -> None:
    kit = Kit(PositionExecutor, plan(entry="market", take_profit="1%"), [SPOT])
    kit.quote(MARKET, "99.90", "100.00", 4)
    kit.start()
    kit.settle()
    kit.quote(MARKET, "100.10", "100.20", 100)

    kit.run(5)

    assert kit.only(PROFIT_LEVEL).price == Decimal("101.13")  # 100.12 and 1 %, rounded up


def test_a_profit_that_was_made_ends_the_entering() -> None:
    kit = started(take_profit="1%")
    entry = kit.only()
    kit.ack(entry)
    kit.fill(entry, "3")
    kit.ack(kit.only(PROFIT_LEVEL))

    kit.fill(kit.only(PROFIT_LEVEL))
    assert kit.live[entry.client_id].state is OrderState.PENDING_CANCEL
    kit.cancelled(entry)

    assert kit.end == "take profit"
    assert kit.done(MARKET, Side.BUY) == 3


def test_a_market_beyond_the_profit_is_taken_at_once() -> None:
    kit = started(take_profit="1%")
    kit.ack(kit.only())
    kit.quote(MARKET, "101.00", "101.20")

    kit.fill(kit.only())

    intent = kit.intents[kit.only(PROFIT_LEVEL).client_id]
    assert (intent.price, intent.time_in_force) == (Decimal("100.90"), TimeInForce.IOC)


def test_a_take_profit_by_market_leaves_when_the_mid_is_there() -> None:
    kit = entered(take_profit="1%", take_profit_order="market")
    assert not kit.live

    kit.quote(MARKET, "100.95", "101.05")
    kit.settle()

    assert kit.end == "take profit"
    assert kit.notes["barrier"] == "take profit"


def test_a_take_profit_waits_until_the_mid_is_close_enough() -> None:
    kit = entered(take_profit="2%", activation_bound="50 bps")
    assert not kit.live

    kit.quote(MARKET, "101.40", "101.60")
    kit.advance(1)
    kit.ack(kit.only(PROFIT_LEVEL))
    kit.quote(MARKET, "100.00", "100.20")
    kit.advance(2)

    assert kit.only(PROFIT_LEVEL).state is OrderState.PENDING_CANCEL


def test_a_resting_take_profit_is_proven_gone_before_the_stop_takes_its_part() -> None:
    kit = entered(take_profit="1%")
    profit = kit.only(PROFIT_LEVEL)
    kit.ack(profit)

    kit.quote(MARKET, "98.85", "98.95")
    kit.advance(5)
    assert kit.only().state is OrderState.PENDING_CANCEL
    kit.fill(profit, "4")
    kit.cancelled(profit)

    assert kit.only(LEAVE_LEVEL).quantity == 6


def test_what_the_take_profit_does_not_cover_leaves_before_its_proof() -> None:
    kit = started(take_profit="1%")
    entry = kit.only()
    kit.ack(entry)
    kit.fill(entry, "3")
    kit.ack(kit.only(PROFIT_LEVEL))
    kit.fill(entry, "7")

    kit.quote(MARKET, "98.85", "98.95")

    assert kit.only(LEAVE_LEVEL).quantity == 7


# The trailing stop.


TRAIL: dict[str, Any] = {"stop_loss": None, "trailing_stop": {"activation": "1%", "delta": "0.5%"}}


def test_a_trailing_stop_follows_and_never_goes_back() -> None:
    kit = entered(**TRAIL)
    assert kit.state.trail is None

    trails: list[Decimal | None] = []
    for mid in ("100.89", "101.00", "102.00", "101.60", "101.80"):
        kit.quote(MARKET, Decimal(mid) - Decimal("0.05"), Decimal(mid) + Decimal("0.05"))
        trails.append(kit.state.trail)

    assert trails[0] is None
    assert trails[1] == Decimal("100.495")
    assert trails[2:] == [Decimal("101.49")] * 3


def test_a_trailing_stop_leaves_when_the_mid_comes_back() -> None:
    kit = entered(**TRAIL)
    kit.quote(MARKET, "101.95", "102.05")

    kit.quote(MARKET, "101.40", "101.50")
    kit.settle()

    assert kit.end == "trailing stop"
    assert kit.notes["trail"] == "101.49"


def test_a_trailing_stop_of_a_short_position_is_above_the_mid() -> None:
    kit = entered(side="SELL", **TRAIL)
    kit.quote(MARKET, "97.95", "98.05")
    assert kit.state.trail == Decimal("98.49")

    kit.quote(MARKET, "98.50", "98.60")
    kit.settle()

    assert kit.end == "trailing stop"


def test_a_trailing_stop_follows_between_ticks() -> None:
    kit = entered(**TRAIL)
    kit.quote(MARKET, "101.95", "102.05")
    kit.quote(MARKET, "102.95", "103.05")  # nothing but a watch has told it

    assert kit.state.trail == Decimal("102.485")


# The time limit, and exits by limit.


def test_the_time_limit_leaves() -> None:
    kit = entered(time_limit="30 s", stop_loss=None)
    kit.advance(30)

    assert kit.only(LEAVE_LEVEL).quantity == 10
    kit.settle()
    assert kit.end == "time limit"


def test_the_time_limit_ends_an_entry_too() -> None:
    kit = started(time_limit="30 s")
    kit.ack(kit.only())
    kit.advance(30)
    kit.cancelled(kit.only())

    assert kit.end == "not entered: time limit"


def test_an_exit_by_limit_rests_first_and_takes_when_patience_is_over() -> None:
    kit = entered(time_limit="30 s", time_limit_order="limit", limit_patience="5 s")
    kit.advance(30)
    resting = kit.only(REST_LEVEL)
    assert kit.intents[resting.client_id].post_only
    assert resting.price == Decimal("100.10")
    kit.ack(resting)
    kit.fill(resting, "4")

    kit.advance(5)
    assert not at_level(kit, LEAVE_LEVEL)
    kit.cancelled(resting)

    assert kit.only(LEAVE_LEVEL).quantity == 6


def test_an_exit_by_limit_follows_the_best_price() -> None:
    kit = entered(stop_loss_order="limit")
    kit.quote(MARKET, "98.80", "98.90")
    first = kit.only(REST_LEVEL)
    kit.ack(first)

    kit.quote(MARKET, "98.60", "98.70")
    kit.advance(1)
    kit.cancelled(first)

    assert kit.only(REST_LEVEL).price == Decimal("98.70")


def test_an_exit_by_limit_needs_a_book() -> None:
    kit = entered(stop_loss_order="limit", limit_patience="1 min")
    kit.quote(MARKET, "98.80", "98.90")
    kit.reject(kit.only())
    kit.book(MARKET, None)

    kit.advance(10)

    assert not kit.live


# Ends.


def test_a_stop_reports_what_is_held() -> None:
    kit = entered(take_profit="1%")
    kit.ack(kit.only())

    kit.stop()
    assert not kit.finished
    kit.cancelled(kit.only())

    assert kit.end == "stopped"
    assert kit.residual == {MARKET: Decimal(10)}


def test_dust_is_kept_and_not_called_a_residual() -> None:
    kit = started(entry_timeout="5 s")
    kit.ack(kit.only())
    kit.fill(kit.only(), "0.3")
    kit.advance(5)
    kit.cancelled(kit.only())

    assert kit.end == "dust"
    assert kit.kept == {MARKET: Decimal("0.3")}
    assert kit.residual == {}


def test_a_fee_in_base_is_not_there_to_be_sold() -> None:
    taxed = instrument(lot="0.1", min_quantity="0.5", fees=("0.02", "0.02"))
    kit = Kit(PositionExecutor, plan(), [taxed])
    kit.quote(MARKET, "99.90", "100.10")
    kit.start()
    kit.fee_asset = "ALT"
    kit.ack(kit.only())
    kit.fill(kit.only())

    kit.quote(MARKET, "98.85", "98.95")

    assert kit.only(LEAVE_LEVEL).quantity == Decimal("9.8")
    kit.fee_asset = None
    kit.settle()
    assert kit.end == "stop loss"
    assert (kit.residual, kit.kept) == ({}, {})


def test_an_exit_of_a_contract_may_only_shrink_the_position() -> None:
    contract = instrument(
        MarketId("main", "ALT/USDT:USDT"),
        lot=1,
        kind=InstrumentKind.PERPETUAL,
        multiplier=Decimal("0.1"),
        settle="USDT",
    )
    kit = Kit(PositionExecutor, plan(market=contract.market), [contract])
    kit.quote(contract.market, "99.90", "100.10")
    kit.start()
    kit.ack(kit.only())
    kit.fill(kit.only())

    kit.quote(contract.market, "98.85", "98.95")

    assert kit.intents[kit.only().client_id].reduce_only


def test_a_restart_goes_on_guarding() -> None:
    kit = entered(trailing_stop=TRAIL["trailing_stop"])
    kit.quote(MARKET, "101.95", "102.05")
    trail = kit.state.trail

    kit.restart()
    assert kit.state.trail == trail
    kit.quote(MARKET, "101.40", "101.50")
    kit.settle()

    assert kit.end == "trailing stop"
    assert kit.view.exposure(MARKET) == 0


@pytest.mark.parametrize(
    "given",
    [
        {"stop_loss": None},
        {"stop_loss": "0%"},
        {"exit_slippage": "100%"},
        {"entry": "market", "entry_price": "100"},
        {"trailing_stop": {"activation": "0%", "delta": "1%"}},
        {"activation_bound": "-1%"},
    ],
    ids=str,
)
def test_a_plan_that_means_nothing_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        plan(**given)


def test_a_plan_survives_the_journal() -> None:
    asked = plan(take_profit="2%", time_limit="1 h", trailing_stop=TRAIL["trailing_stop"])

    assert PositionPlan.model_validate_json(asked.model_dump_json()) == asked


# The laws.


@given(
    schedule=SCHEDULES,
    side=st.sampled_from(["BUY", "SELL"]),
    entry=st.sampled_from(["limit", "market"]),
    profit=st.sampled_from([None, "20 bps", "60 bps"]),
    profit_order=st.sampled_from(ExitOrder),
    stop_order=st.sampled_from(ExitOrder),
    trail=st.booleans(),
    stop=st.booleans(),
)
def test_it_ends_flat_or_with_its_residual_whatever_happens(
    schedule: list[Move],
    side: str,
    entry: str,
    profit: str | None,
    profit_order: ExitOrder,
    stop_order: ExitOrder,
    trail: bool,
    stop: bool,
) -> None:
    asked = plan(
        side=side,
        entry=entry,
        stop_loss="30 bps",
        take_profit=profit,
        take_profit_order=profit_order,
        stop_loss_order=stop_order,
        trailing_stop={"activation": "30 bps", "delta": "20 bps"} if trail else None,
        time_limit="60 s",
    )
    kit = Kit(PositionExecutor, asked, [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.start()

    drive(kit, MARKET, schedule, MID)
    if stop and not kit.end:
        kit.stop()
    finish(kit, MARKET, MID, 200)

    exposure = kit.view.exposure(MARKET)
    assert kit.done(MARKET, Side(side)) <= 10
    assert exposure * Side(side).sign >= 0
    assert kit.residual.get(MARKET, Decimal(0)) + kit.kept.get(MARKET, Decimal(0)) == exposure
    assert kit.kept.get(MARKET, Decimal(0)) * Side(side).sign < Decimal("0.5")
    if kit.end in {barrier.value for barrier in Barrier}:
        assert kit.residual == {}


def test_an_exit_that_fills_too_late_ends_it_with_what_is_open() -> None:
    kit = entered(take_profit="1%")
    first = kit.only(PROFIT_LEVEL)
    kit.cancelled(first)
    kit.advance(1)
    kit.fill(kit.only(PROFIT_LEVEL), "8")

    kit.fill_late(first, "7")
    kit.settle()

    assert kit.end == "a fill too late"
    assert kit.residual == {MARKET: Decimal(-5)}


@given(
    schedule=LATE_SCHEDULES,
    side=st.sampled_from(["BUY", "SELL"]),
    profit=st.sampled_from([None, "20 bps"]),
)
def test_what_a_late_fill_leaves_open_is_reported(
    schedule: list[Move], side: str, profit: str | None
) -> None:
    asked = plan(side=side, entry="market", take_profit=profit, time_limit="30 s")
    kit = Kit(PositionExecutor, asked, [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.start()

    drive(kit, MARKET, schedule, MID)
    finish(kit, MARKET, MID, 200)
    drive(kit, MARKET, [move for move in schedule if move.kind == "late"], MID)

    late = sum(kit.late.values(), start=Decimal(0))
    exposure = kit.view.exposure(MARKET)
    assert kit.done(MARKET, Side(side)) <= 10 + late
    assert kit.residual.get(MARKET, Decimal(0)) + kit.kept.get(MARKET, Decimal(0)) == exposure
    assert abs(kit.kept.get(MARKET, Decimal(0))) < Decimal("0.5")


@given(
    mids=st.lists(st.integers(9_700, 10_600), min_size=1, max_size=30),
    side=st.sampled_from(["BUY", "SELL"]),
)
def test_a_trailing_stop_only_ever_tightens(mids: list[int], side: str) -> None:
    kit = entered(side=side, **TRAIL)
    sign, last = Side(side).sign, None

    for cents in mids:
        mid = Decimal(cents if side == "BUY" else 20_000 - cents) / 100
        kit.quote(MARKET, mid - Decimal("0.05"), mid + Decimal("0.05"))
        trail = kit.state.trail
        if kit.state.barrier is not None:
            assert sign * mid <= sign * trail
            return
        if last is not None:
            assert sign * trail >= sign * last
        last = trail
        if trail is not None:
            assert sign * mid > sign * trail

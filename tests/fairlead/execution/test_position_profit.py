"""A position is left with a profit, behind a trailing stop, or when its time is over."""

from decimal import Decimal

from fairlead.execution import LEAVE_LEVEL, PROFIT_LEVEL, REST_LEVEL, PositionExecutor
from fairlead.model import OrderState, Side, TimeInForce
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.position_kit import (
    MARKET,
    SPOT,
    TRAIL,
    at_level,
    entered,
    plan,
    started,
)

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

"""A position with a triple barrier: every fill is guarded, no exit is larger than what is held."""

from decimal import Decimal
from typing import Any

import pytest

from fairlead.api import Denied
from fairlead.api.plans import PositionPlan
from fairlead.execution import LEAVE_LEVEL, PROFIT_LEVEL, Barrier, PositionExecutor
from fairlead.model import (
    InstrumentKind,
    MarketId,
    OrderIntent,
    OrderState,
    Purpose,
    Side,
    TimeInForce,
)
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.position_kit import (
    MARKET,
    MID,
    TRAIL,
    at_level,
    entered,
    plan,
    started,
)

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

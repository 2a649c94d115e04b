"""An order that takes what did not fill, and what a stop and a restart leave of it."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Cancel, Duration, Ratio
from fairlead.api.plans import MakerPrice, TieredMode, TieredPlan
from fairlead.execution import TieredExecutor, TieredPhase
from fairlead.model import OrderState, OrderTrigger, Side, TimeInForce
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_schedule import SCHEDULES, Move, drive, finish
from tests.fairlead.execution.tiered_kit import MARKET, MID, SPOT, plan, started

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

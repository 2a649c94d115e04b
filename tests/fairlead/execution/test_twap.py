"""A quantity spread over time: slices that sum exactly, and never a burst."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Balance, Denied
from fairlead.api.plans import CatchUp, TwapMode, TwapPlan
from fairlead.execution import Slices, TwapExecutor, cut
from fairlead.model import OrderIntent, OrderState, Side, TimeInForce
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kernel import NOW, SECOND
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_schedule import SCHEDULES, Move, drive, finish

SPOT = instrument(lot="0.1", min_quantity="0.5")
MARKET = SPOT.market
MID = Decimal(100)


def plan(**given: Any) -> TwapPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {
        "market": MARKET,
        "side": Side.BUY,
        "quantity": "10",
        "duration": "60 s",
        "interval": "20 s",
        "mode": "taker",
    }
    return TwapPlan.model_validate(defaults | given)


def started(size: int = 100, **given: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    kit = Kit(TwapExecutor, plan(**given), [SPOT])
    kit.quote(MARKET, "99.90", "100.10", size)
    assert not isinstance(kit.start(), Denied)
    return kit


def sent(kit: Kit) -> list[tuple[int, Decimal]]:
    """Give when each order left, in seconds, and how large it was."""
    return [((order.decided_ns - NOW) // SECOND, order.quantity) for order in kit.orders.values()]


def test_an_even_schedule_is_taken_slice_by_slice() -> None:
    kit = started()

    kit.run(100)

    assert sent(kit) == [
        (0, Decimal("2.5")),
        (20, Decimal("2.5")),
        (40, Decimal("2.5")),
        (60, Decimal("2.5")),
    ]
    assert kit.end == "done"
    assert kit.last is not None
    assert kit.last.complete
    assert kit.notes["slices"] == "4"


def test_taken_slices_are_bounded() -> None:
    kit = started(max_slippage="20 bps")

    intent = kit.intents[kit.only().client_id]
    assert intent.time_in_force is TimeInForce.IOC
    assert intent.price == Decimal("100.20")
    assert kit.legs[0].bound == Decimal("100.40")


def test_a_bound_of_the_whole_plan_holds() -> None:
    kit = started(bound="100.05")

    kit.run(100)

    assert kit.legs[0].bound == Decimal("100.05")
    assert kit.end == "time"
    assert not kit.orders
    assert kit.notes["unfilled"] == "10"


def test_what_a_slice_missed_is_spread_over_the_others() -> None:
    kit = started()
    kit.book(MARKET, None)
    kit.cancelled(kit.only())
    kit.advance(19)
    kit.quote(MARKET, "99.90", "100.10")

    kit.run(100)

    assert sent(kit)[1:] == [(20, Decimal("3.3")), (40, Decimal("3.3")), (60, Decimal("3.4"))]
    assert kit.notes["missed"] == "1"
    assert kit.end == "done"


def test_what_a_slice_missed_can_be_left_out() -> None:
    kit = started(catch_up="skip")
    kit.cancelled(kit.only())
    kit.book(MARKET, None)
    kit.advance(19)
    kit.quote(MARKET, "99.90", "100.10")

    kit.run(100)

    assert sent(kit)[1:] == [(at, Decimal("2.5")) for at in (20, 40, 60)]
    assert kit.end == "time"
    assert kit.notes["unfilled"] == "2.5"


def test_a_long_silence_does_not_end_in_a_burst() -> None:
    kit = started()
    kit.cancelled(kit.only())
    kit.book(MARKET, None)
    kit.advance(59)
    kit.quote(MARKET, "99.90", "100.10")

    kit.run(100)

    assert sent(kit)[1:] == [(60, Decimal(5))]
    assert kit.notes["missed"] == "3"
    assert kit.notes["unfilled"] == "5"


def test_the_rest_of_a_slice_is_tried_again_within_its_turn() -> None:
    kit = started(size=1, order_resubmission_time="5 s")
    for _ in range(4):
        kit.settle()
        kit.quote(MARKET, "99.90", "100.10", 1)
        kit.advance(5)

    assert sent(kit)[:4] == [
        (0, Decimal("2.5")),
        (5, Decimal("1.5")),
        (10, Decimal("0.5")),
        (20, Decimal("2.5")),
    ]


def test_slices_below_the_minimum_become_fewer() -> None:
    kit = started(quantity="1.4")

    kit.run(200)

    assert sent(kit) == [(0, Decimal("0.7")), (60, Decimal("0.7"))]


def test_less_than_one_minimum_does_not_begin() -> None:
    kit = Kit(TwapExecutor, plan(quantity="0.4"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")

    denied = kit.start()

    assert isinstance(denied, Denied)
    assert denied.rule == "minimum"


def test_without_a_book_or_money_it_does_not_begin() -> None:
    kit = Kit(TwapExecutor, plan(), [SPOT])
    blind = kit.start()
    kit.quote(MARKET, "99.90", "100.10")
    kit.balances["main", "USDT"] = Balance(Decimal(1_000), Decimal(0), Decimal(0))
    poor = kit.start()

    assert isinstance(blind, Denied)
    assert isinstance(poor, Denied)
    assert (blind.rule, poor.rule) == ("book", "balance")


# As maker.


def test_a_maker_slice_rests_behind_the_mid() -> None:
    kit = started(mode="maker", limit_order_buffer="20 bps")

    intent = kit.intents[kit.only().client_id]
    assert intent.post_only
    assert intent.price == Decimal("99.80")
    assert intent.quantity == Decimal("2.5")


def test_a_maker_slice_is_renewed_once_it_is_out_of_place() -> None:
    kit = started(mode="maker", order_resubmission_time="5 s")
    first = kit.only()
    kit.ack(first)
    kit.quote(MARKET, "100.00", "100.20")

    kit.advance(4)
    assert kit.only().state is OrderState.OPEN
    kit.advance(1)
    kit.fill(first, "1.5")
    kit.cancelled(first)

    assert kit.only().price == Decimal("100.08")
    assert kit.only().quantity == 1


def test_a_maker_slice_in_place_keeps_it() -> None:
    kit = started(mode="maker", order_resubmission_time="5 s")
    kit.ack(kit.only())

    kit.advance(19)

    assert kit.only().state is OrderState.OPEN


def test_the_next_slice_waits_for_the_proof_that_the_last_is_gone() -> None:
    kit = started(mode="maker")
    first = kit.only()
    kit.ack(first)

    kit.advance(25)
    assert kit.only().state is OrderState.PENDING_CANCEL
    kit.fill(first, "2")
    kit.cancelled(first)

    assert kit.only().quantity == Decimal("2.6")


def test_a_maker_slice_is_pulled_without_a_book() -> None:
    kit = started(mode="maker")
    kit.ack(kit.only())
    kit.book(MARKET, None)

    kit.advance(1)

    assert kit.only().state is OrderState.PENDING_CANCEL


@pytest.mark.parametrize("refused", [True, False], ids=["by us", "by the venue"])
def test_a_refused_slice_is_tried_again_on_the_next_tick(refused: bool) -> None:
    kit = Kit(TwapExecutor, plan(mode="maker"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    if refused:
        kit.refuse = lambda intent: Denied("crash_pause", "paused", "quoting")
        kit.start()
        kit.refuse = lambda intent: None
    else:
        kit.start()
        kit.reject(kit.only())
    assert not kit.live

    kit.advance(1)

    assert kit.only().quantity == Decimal("2.5")


def test_a_stop_ends_it_when_nothing_can_fill_any_more() -> None:
    kit = started(mode="maker")
    first = kit.only()
    kit.ack(first)
    kit.stop()
    assert not kit.finished

    kit.cancelled(first)

    assert kit.end == "stopped"


def test_its_schedule_goes_on_over_a_restart() -> None:
    kit = started()
    kit.fill(kit.only())
    kit.advance(10)

    kit.restart()
    kit.advance(9)
    assert not kit.live
    kit.advance(1)

    assert kit.only().quantity == Decimal("2.5")


def test_a_refusal_is_remembered() -> None:
    kit = Kit(TwapExecutor, plan(), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.refuse = lambda intent: Denied("max_order", Decimal("5.0"), Decimal("1.00"))

    kit.start()
    kit.run(100)

    assert kit.notes["refusal"] == "risk: max_order 5, limit 1"


@pytest.mark.parametrize("mode", TwapMode)
def test_a_limit_of_size_makes_a_slice_smaller(mode: TwapMode) -> None:
    kit = Kit(TwapExecutor, plan(mode=mode, order_resubmission_time="1 s"), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.refuse = lambda intent: (
        Denied("max_order", intent.quantity, "2") if intent.quantity > 2 else None
    )

    kit.start()
    kit.advance(2)

    assert kit.only().quantity == Decimal("1.2")


@pytest.mark.parametrize(
    "given",
    [
        {"interval": "500 ms"},
        {"order_resubmission_time": "10 ms"},
        {"max_slippage": "0%"},
        {"limit_order_buffer": "-1 bps"},
        {"max_slice": 0},
    ],
    ids=str,
)
def test_a_plan_that_means_nothing_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        plan(**given)


def test_a_plan_survives_the_journal() -> None:
    asked = plan(mode="maker", bound="101")

    assert TwapPlan.model_validate_json(asked.model_dump_json()) == asked
    assert asked.count == 4


@given(
    quantity=st.integers(5, 3_000).map(lambda n: Decimal(n) / 10),
    duration_s=st.integers(0, 4_000),
    interval_s=st.integers(1, 600),
    minimum=st.sampled_from(["0", "0.5", "3"]),
    notional=st.sampled_from([0, 120]),
)
def test_slices_sum_exactly_to_the_quantity(
    quantity: Decimal, duration_s: int, interval_s: int, minimum: str, notional: int
) -> None:
    traded = instrument(lot="0.1", min_quantity=minimum, min_notional=notional)
    asked = plan(quantity=quantity, duration=f"{duration_s} s", interval=f"{interval_s} s")

    slices = cut(asked, traded, MID)

    smallest = max(Decimal(minimum), Decimal(notional) / MID)
    if slices is None:
        assert quantity < smallest
        return
    parts = [slices.even(index) for index in range(slices.count)]
    assert sum(parts) == quantity
    assert all(part % traded.lot == 0 for part in parts)
    assert all(traded.below_minimum(MID, part) is None for part in parts)
    assert max(parts) - min(parts) <= traded.lot
    assert slices.count <= asked.count
    done = Decimal(0)
    for index in range(slices.count):
        done += slices.quota(index, done, traded.lot, asked)
    assert done == quantity


@given(
    done=st.lists(st.integers(0, 10), min_size=7, max_size=7),
    max_slice=st.integers(1, 3),
    catch_up=st.sampled_from(CatchUp),
)
def test_no_slice_is_larger_than_so_many_even_ones(
    done: list[int], max_slice: int, catch_up: CatchUp
) -> None:
    slices = Slices(Decimal("10.3"), Decimal("0.1"), 7, SECOND)
    asked, total = plan(max_slice=max_slice, catch_up=catch_up), Decimal(0)

    for index, tenths in enumerate(done):
        quota = slices.quota(index, total, Decimal("0.5"), asked)
        assert 0 <= quota <= max_slice * Decimal("1.5")
        total += (quota * tenths / 10).quantize(Decimal("0.1"), rounding="ROUND_DOWN")

    assert total <= Decimal("10.3")


@given(
    schedule=SCHEDULES,
    side=st.sampled_from(Side),
    mode=st.sampled_from(TwapMode),
    catch_up=st.sampled_from(CatchUp),
)
def test_it_never_fills_more_than_its_turn(
    schedule: list[Move], side: Side, mode: TwapMode, catch_up: CatchUp
) -> None:
    asked = plan(
        side=side, mode=mode, catch_up=catch_up, interval="6 s", order_resubmission_time="2 s"
    )
    kit = Kit(TwapExecutor, asked, [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    by_turn: dict[int, Decimal] = {}

    def within_its_turn(intent: OrderIntent) -> None:
        state = kit.state
        filled_since = kit.done() - state.done_before
        assert not kit.live, "two live orders for one rest"
        assert filled_since + intent.quantity <= state.quota
        by_turn[state.index] = filled_since + intent.quantity

    kit.check = within_its_turn
    kit.start()

    drive(kit, MARKET, schedule, MID)
    finish(kit, MARKET, MID, 200)

    filled = kit.done(MARKET, side)
    assert filled <= 10
    assert all(most <= 2 * Decimal("1.0") for most in by_turn.values())
    assert kit.last is not None
    assert kit.last.complete == (filled == 10)
    assert kit.residual == {}

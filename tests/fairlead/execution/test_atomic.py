"""Legs that belong together: checked first, sent together, and never one left open by hope."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from fairlead.api import Balance, Denied, Duration, OrderView, Place, Ratio
from fairlead.api.plans.atomic import AtomicLeg, AtomicOrder, AtomicPlan, AtomicPolicy
from fairlead.api.plans.partial import PartialFillReport
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.atomic_state import AtomicPhase
from fairlead.model import (
    ZERO,
    InstrumentKind,
    MarketId,
    OrderState,
    Purpose,
    Side,
    TimeInForce,
)
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit

A, B, C = (MarketId(venue, "ALT/USDT") for venue in ("one", "two", "three"))
OTHER = MarketId("two", "OTHER/USDT")
RULES: dict[str, Any] = {"lot": "1", "min_quantity": "1", "fees": ("0.0002", "0.0005")}


#: A cushion beyond every bound: what holds an order is its bound.
FAR = Ratio.parse("20%")


def leg(market: MarketId, side: Side, quantity: str = "10", bound: str | None = None) -> AtomicLeg:
    worst = None if bound is None else Decimal(bound)
    return AtomicLeg(market=market, side=side, quantity=Decimal(quantity), bound=worst)


def plan(*legs: AtomicLeg, **rest: Any) -> AtomicPlan:  # noqa: ANN401 - the plan's own keys
    return AtomicPlan(legs=legs or (leg(A, Side.BUY), leg(B, Side.SELL)), **rest)


def kit(wish: AtomicPlan | None = None, **rules: Any) -> Kit:  # noqa: ANN401 - the instruments' own keys
    instruments = [instrument(market, **(RULES | rules)) for market in (A, B, C)]
    made = Kit(AtomicExecutor, wish or plan(), [*instruments, instrument(OTHER)])
    for market in (A, B, C):
        made.quote(market, "99.95", "100.05")
    return made


def on(made: Kit, market: MarketId) -> OrderView:
    (order,) = [order for order in made.live.values() if order.slot.market == market]
    return order


def last(made: Kit) -> Place:
    return made.places[-1]


def told(made: Kit) -> PartialFillReport:
    found = PartialFillReport.of(made.notes)
    assert found is not None
    return found


# Before anything is sent.


def denial(made: Kit) -> Denied:
    denied = made.start()
    assert isinstance(denied, Denied)
    assert made.places == []
    return denied


def test_a_leg_whose_book_is_too_thin_denies_the_plan_with_its_figures() -> None:
    made = kit()
    made.quote(B, "99.95", "100.05", size=7)

    denied = denial(made)

    assert (denied.rule, denied.observed, denied.limit) == (
        "atomic_liquidity",
        Decimal(7),
        Decimal(10),
    )
    assert "two:ALT/USDT" in denied.detail


def test_a_leg_that_reaches_beyond_its_bound_denies_the_plan() -> None:
    made = kit()
    made.book(B, [("99.95", 5), ("99.00", 50)], [("100.05", 50)])

    denied = denial(made)

    assert denied.rule == "atomic_bound"
    assert (denied.observed, denied.limit) == (Decimal(99), Decimal("99.80"))


def test_a_leg_without_a_valid_book_denies_the_plan() -> None:
    made = kit()
    made.book(B, None)

    assert denial(made).rule == "atomic_book"


@pytest.mark.parametrize(
    ("rules", "observed", "limit"),
    [({"min_quantity": 20}, "10", "20"), ({"min_notional": 2000}, "1002.0", "2000")],
)
def test_a_leg_below_a_minimum_denies_the_plan(
    rules: dict[str, Any], observed: str, limit: str
) -> None:
    denied = denial(kit(**rules))

    assert (denied.rule, denied.observed, denied.limit) == (
        "atomic_minimum",
        Decimal(observed),
        Decimal(limit),
    )


def test_a_leg_that_is_less_than_a_lot_denies_the_plan() -> None:
    made = kit(plan(leg(A, Side.BUY, "0.5"), leg(B, Side.SELL, "0.5")), min_quantity=0)

    denied = denial(made)

    assert (denied.rule, denied.observed, denied.limit) == (
        "atomic_minimum",
        Decimal(0),
        Decimal(1),
    )


def test_a_buy_needs_its_price_and_its_fee() -> None:
    made = kit()
    made.balances["one", "USDT"] = Balance(Decimal(1002), ZERO, ZERO)

    denied = denial(made)

    assert denied.rule == "atomic_balance"
    assert denied.observed == Decimal("100.2") * 10 * Decimal("1.0005")
    assert denied.limit == 1002


def test_a_sell_needs_what_it_sells() -> None:
    made = kit()
    made.balances["two", "ALT"] = Balance(Decimal(12), ZERO, reserved=Decimal(3))

    denied = denial(made)

    assert (denied.rule, denied.observed, denied.limit) == (
        "atomic_balance",
        Decimal(10),
        Decimal(9),
    )


def test_legs_of_one_account_share_its_balance() -> None:
    second = MarketId("one", "ALT/USDC")
    wish = plan(leg(A, Side.SELL), leg(second, Side.SELL), leg(B, Side.BUY, "20"))
    made = Kit(AtomicExecutor, wish, [instrument(market, **RULES) for market in (A, second, B)])
    for market in (A, second, B):
        made.quote(market, "99.95", "100.05")
    made.balances["one", "ALT"] = Balance(Decimal(15), ZERO, ZERO)

    denied = denial(made)

    assert (denied.rule, denied.observed, denied.limit) == (
        "atomic_balance",
        Decimal(20),
        Decimal(15),
    )


def test_legs_of_unlike_base_assets_do_not_belong_together() -> None:
    denied = denial(kit(plan(leg(A, Side.BUY), leg(OTHER, Side.SELL))))

    assert (denied.rule, denied.observed, denied.limit) == ("atomic_base", "OTHER", "ALT")


def test_a_hedge_market_is_checked_too() -> None:
    wish = plan(policy=AtomicPolicy.HEDGE, hedge_market=OTHER)

    assert denial(kit(wish)).rule == "atomic_base"


def test_an_unknown_market_and_an_inverse_contract_are_refused() -> None:
    unknown = MarketId("nine", "ALT/USDT")
    inverse = instrument(B, inverse=True, kind=InstrumentKind.PERPETUAL)
    made = Kit(AtomicExecutor, plan(), [instrument(A), inverse])

    assert denial(made).rule == "atomic_inverse"
    assert denial(kit(plan(leg(A, Side.BUY), leg(unknown, Side.SELL)))).rule == "atomic_market"


def test_legs_that_rounding_makes_unlike_are_refused() -> None:
    wish = plan(leg(A, Side.BUY, "30"), *(leg(m, Side.SELL, "15") for m in (B, C)))
    instruments = [instrument(market, lot=lot) for market, lot in ((A, "10"), (B, "1"), (C, "7"))]
    made = Kit(AtomicExecutor, wish, instruments)
    for market in (A, B, C):
        made.quote(market, "99.95", "100.05")

    denied = denial(made)

    # 30 to buy; to the coarsest lot 10 and 10 to sell, and of the last only 7.
    assert (denied.rule, denied.observed, denied.limit) == ("atomic_lots", Decimal(13), Decimal(10))


@pytest.mark.parametrize(
    "wrong",
    [
        {"legs": (leg(A, Side.BUY),)},
        {"legs": (leg(A, Side.BUY), leg(A, Side.SELL))},
        {"legs": (leg(A, Side.BUY), leg(B, Side.SELL, "11"))},
        {"policy": AtomicPolicy.HEDGE},
        {"hedge_market": C},
        {"policy": AtomicPolicy.HEDGE, "hedge_market": A},
        {"lead": C},
        {
            "legs": (leg(A, Side.BUY, "20"), leg(B, Side.BUY), leg(C, Side.SELL, "30")),
            "lead": A,
        },
        {"loss_cap": Ratio.parse("100%")},
        {"timeout": Duration.parse("0 s")},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    legs = (leg(A, Side.BUY), leg(B, Side.SELL))

    with pytest.raises(ValidationError):
        AtomicPlan(**({"legs": legs} | wrong))


# What goes well.


def test_all_legs_leave_in_one_step_no_further_than_they_need() -> None:
    made = kit()

    made.start()

    assert [(p.slot.market, p.side, p.price, p.quantity) for p in made.places] == [
        # The book holds it all at the best price; 10 bps beyond, and to the tick.
        (A, Side.BUY, Decimal("100.15"), Decimal(10)),
        (B, Side.SELL, Decimal("99.86"), Decimal(10)),
    ]
    for place in made.places:
        assert place.purpose is Purpose.ENTRY
        assert place.time_in_force is TimeInForce.IOC
        assert not place.post_only


def test_a_leg_that_may_rest_waits_at_its_bound() -> None:
    made = kit(plan(order=AtomicOrder.LIMIT))

    made.start()

    assert [place.price for place in made.places] == [Decimal("100.20"), Decimal("99.80")]


def test_a_leg_goes_as_deep_as_its_size_needs_and_never_beyond_its_bound() -> None:
    made = kit(plan(leg(A, Side.BUY), leg(B, Side.SELL, bound="99.70")))
    made.book(A, [("99.95", 50)], [("100.05", 5), ("100.15", 50)])
    made.book(B, [("99.95", 5), ("99.85", 50)], [("100.05", 50)])

    made.start()

    # 10 bps beyond 100.15 is beyond 20 bps from the mid; 10 bps below 99.85 is not yet 99.70.
    assert [place.price for place in made.places] == [Decimal("100.20"), Decimal("99.76")]
    assert made.admitted is not None
    assert [one.priced for one in made.admitted.legs] == [place.price for place in made.places]


def test_a_repair_that_a_limit_refuses_asks_for_less_until_it_may() -> None:
    made = kit(plan(policy=AtomicPolicy.UNWIND, repair_slippage=Ratio.parse("5%"), loss_cap=FAR))
    made.start()
    made.fill(on(made, A))
    made.book(A, [("99.95", 3), ("99.00", 50)], [("100.05", 50)])
    made.refuse = lambda intent: (
        Denied("price_band", Decimal(60), Decimal(50)) if intent.price < Decimal("99.5") else None
    )
    made.cancelled(on(made, B))

    made.advance(1)
    made.advance(1)

    prices = [(int(place.quantity), place.price) for place in made.places[2:]]
    assert prices == [(10, Decimal("98.91")), (5, Decimal("99.00")), (2, Decimal("99.95"))]
    made.settle()
    assert made.view.exposure(A) == 8


def test_what_is_admitted_is_the_legs_and_the_loss_cap() -> None:
    made = kit()

    made.start()

    assert made.admitted is not None
    assert [(x.market, x.quantity, x.bound, x.expected) for x in made.admitted.legs] == [
        (A, Decimal(10), Decimal("100.20"), Decimal("100.05")),
        (B, Decimal(10), Decimal("99.80"), Decimal("99.95")),
    ]
    assert made.admitted.loss_cap == Decimal("1000.50") * Decimal("0.002")


@pytest.mark.parametrize("order", AtomicOrder)
def test_legs_that_fill_end_the_plan(order: AtomicOrder) -> None:
    made = kit(plan(order=order))

    made.start()
    made.settle()

    assert (made.end, made.state.phase) == ("done", AtomicPhase.ENDED)
    assert made.last is not None
    assert made.last.complete
    assert made.notes == {"matched": "100%"}
    assert made.residual == {}


def test_contracts_and_coins_match_in_base_units() -> None:
    perpetual = MarketId("two", "ALT/USDT:USDT")
    contract = instrument(
        perpetual, lot=1, multiplier=Decimal(5), kind=InstrumentKind.PERPETUAL, settle="USDT"
    )
    wish = plan(leg(A, Side.BUY, "12"), leg(perpetual, Side.SELL, "12"))
    made = Kit(AtomicExecutor, wish, [instrument(A, **RULES), contract])
    for market in (A, perpetual):
        made.quote(market, "99.95", "100.05")

    made.start()
    made.settle()

    # Both to the coarser lot of 5 coins: 10 coins, 2 contracts.
    assert made.done(A), made.done(perpetual) == (10, 2)
    assert made.end == "done"
    assert made.residual == {}


# What does not.


def test_nothing_is_decided_while_a_leg_is_unproven() -> None:
    made = kit()
    made.start()
    made.fill(on(made, A))
    made.lose(on(made, B))

    made.advance(3)

    assert on(made, B).state is OrderState.UNKNOWN
    assert len(made.places) == 2


def test_an_unproven_leg_that_filled_needs_no_mending() -> None:
    made = kit()
    made.start()
    made.fill(on(made, A))
    made.lose(on(made, B))
    made.advance(7)

    made.fill(on(made, B))

    assert made.end == "done"
    assert len(made.places) == 2


def test_the_missing_leg_is_completed_within_the_loss_cap() -> None:
    made = kit(plan(cushion=FAR))
    made.start()
    made.fill(on(made, A))
    made.fill(on(made, B), 4)

    made.cancelled(on(made, B))

    # 20 bps of the notional of 10 may be lost on the 6 that are missing, and 50 bps from the mid.
    place = last(made)
    assert (place.slot.market, place.side, place.quantity) == (B, Side.SELL, Decimal(6))
    assert place.price == Decimal("99.62")
    assert (place.purpose, place.time_in_force) == (Purpose.HEDGE, TimeInForce.IOC)
    made.settle()
    assert made.end == "done"
    assert told(made).policy == "complete"
    assert told(made).loss == {"USDT": 0}


def test_a_leg_that_cannot_fill_any_more_takes_the_others_with_it() -> None:
    made = kit(plan(order=AtomicOrder.LIMIT))
    made.start()
    made.ack(on(made, A))

    made.reject(on(made, B))

    assert on(made, A).state is OrderState.PENDING_CANCEL
    made.cancelled(on(made, A))
    assert made.end == "two:ALT/USDT was not filled"
    assert made.notes["matched"] == "0%"
    assert "incident" not in made.notes


def test_a_refused_leg_takes_the_others_with_it() -> None:
    made = kit()
    made.refuse = lambda intent: (
        Denied("max_order", Decimal(10), Decimal(5)) if intent.slot.market == B else None
    )
    made.start()

    made.settle()

    # The first leg had filled meanwhile, the second is refused again and again: it is given back.
    made.run(12)
    assert made.end == "unwound"
    assert made.notes["cause"] == "two:ALT/USDT was refused: max_order"
    assert made.view.exposure(A) == 0


def test_a_limit_leg_is_open_for_the_timeout_and_no_longer() -> None:
    made = kit(plan(order=AtomicOrder.LIMIT))
    made.start()
    made.fill(on(made, A))
    made.ack(on(made, B))

    made.advance(4.9)
    assert on(made, B).state is OrderState.OPEN
    made.advance(0.1)

    assert on(made, B).state is OrderState.PENDING_CANCEL
    assert len(made.places) == 2
    made.cancelled(on(made, B))
    assert last(made).slot.market == B
    assert made.notes == {}


def test_a_fill_during_the_cancel_counts() -> None:
    made = kit(plan(order=AtomicOrder.LIMIT))
    made.start()
    made.fill(on(made, A))
    made.ack(on(made, B))
    made.advance(5)

    made.fill(on(made, B))

    assert made.end == "done"


def test_unwinding_gives_back_what_one_side_has_too_much() -> None:
    made = kit(plan(policy=AtomicPolicy.UNWIND, cushion=FAR))
    made.start()
    made.fill(on(made, A))
    made.fill(on(made, B), 4)

    made.cancelled(on(made, B))

    place = last(made)
    assert (place.slot.market, place.side, place.quantity) == (A, Side.SELL, Decimal(6))
    assert place.purpose is Purpose.EXIT
    # At most 20 bps of 10 may be lost on 6 that cost 100.20; that is within 50 bps of the mid.
    assert place.price == Decimal("99.87")
    made.settle()
    assert made.end == "unwound"
    assert made.last is not None
    assert not made.last.complete
    assert made.notes["matched"] == "40%"
    report = told(made)
    assert report.loss == {"USDT": Decimal("1.50")}
    assert (report.legs[0].filled, report.legs[1].filled) == (Decimal(10), Decimal(4))
    assert "unwind: SELL 6 on one:ALT/USDT at 99.95" in made.notes["incident"]


def test_an_unwind_that_the_bound_stops_is_tried_again_and_then_reported() -> None:
    made = kit(plan(policy=AtomicPolicy.UNWIND))
    made.start()
    made.fill(on(made, A))
    made.quote(A, "90", "90.1")
    made.cancelled(on(made, B))

    made.advance(4)
    assert made.end == ""
    made.advance(1)

    assert made.end == "not closed"
    assert made.residual == {A: 10}
    assert len(made.places) == 2
    assert told(made).left == {"one:ALT/USDT": 10}


def test_what_cannot_be_completed_is_unwound() -> None:
    made = kit()
    made.start()
    made.fill(on(made, A), price="100.05")
    made.quote(B, "98", "98.1")
    made.cancelled(on(made, B))

    made.run(10)

    assert [(p.slot.market, p.purpose) for p in made.places[2:]] == [(A, Purpose.EXIT)]
    assert made.end == "unwound"
    assert (made.view.exposure(A), made.view.exposure(B)) == (Decimal(0), Decimal(0))


def test_the_policy_hedge_covers_elsewhere() -> None:
    made = kit(plan(policy=AtomicPolicy.HEDGE, hedge_market=C))
    made.start()
    made.fill(on(made, A))
    made.cancelled(on(made, B))

    place = last(made)
    assert (place.slot.market, place.side, place.quantity) == (C, Side.SELL, Decimal(10))
    made.settle()

    assert made.end == "hedged"
    assert made.view.exposure(C) == -10
    assert told(made).mended[0].reference == 100


def test_a_hedge_market_without_a_price_is_waited_for_and_then_given_up() -> None:
    made = kit(plan(policy=AtomicPolicy.HEDGE, hedge_market=C))
    made.start()
    made.book(C, None)
    made.fill(on(made, A), price="100.05")
    made.cancelled(on(made, B))

    made.advance(4)
    assert len(made.places) == 2
    made.run(2)

    assert last(made).slot.market == A
    assert made.end == "unwound"


def test_a_late_fill_after_covering_is_given_back_where_it_was_covered() -> None:
    made = kit(plan(policy=AtomicPolicy.HEDGE, hedge_market=C, loss_cap=Ratio.parse("1%")))
    made.start()
    made.fill(on(made, A))
    missed = on(made, B)
    made.cancelled(missed)
    made.fill(on(made, C), 8, price="99.95")
    made.cancelled(on(made, C))
    made.book(A, None)

    # Eight are covered, and now the missing leg says that it had sold four after all.
    made.fill_late(missed, 4)
    made.advance(1)

    # Two too many are sold, and the policy buys them where it covers.
    place = last(made)
    assert (place.slot.market, place.side, str(place.quantity)) == (C, Side.BUY, "2")
    made.run(3)
    assert made.end == "hedged"
    assert [one.market for one in told(made).mended] == ["three:ALT/USDT"] * 2


def test_the_policy_accept_keeps_the_rest_and_says_so() -> None:
    made = kit(plan(policy=AtomicPolicy.ACCEPT))
    made.start()
    made.fill(on(made, A), 7)
    made.fill(on(made, B), 4)
    made.cancelled(on(made, A))

    made.cancelled(on(made, B))

    assert made.end == "accepted"
    assert made.last is not None
    assert made.last.kept == ((A, Decimal(3)),)
    assert made.residual == {}
    assert told(made).policy == "accept"


def test_a_difference_of_a_lot_counts_as_none_and_is_reported() -> None:
    made = kit()
    made.start()
    made.fill(on(made, A))
    made.fill(on(made, B), 9)

    made.cancelled(on(made, B))

    assert made.end == "done"
    assert made.notes["dust"] == "one:ALT/USDT 1"
    assert made.last is not None
    assert (made.last.residual, made.last.kept) == ((), ())


def test_what_is_too_small_for_any_order_is_kept_and_reported() -> None:
    made = kit(min_quantity=5)
    made.start()
    made.fill(on(made, A))
    made.fill(on(made, B), 7)

    made.cancelled(on(made, B))

    assert made.end == "the rest is too small for an order"
    assert made.last is not None
    assert (made.last.kept, made.last.residual) == (((A, Decimal(3)),), ())


def test_a_stop_cancels_and_mends() -> None:
    made = kit(plan(order=AtomicOrder.LIMIT))
    made.start()
    made.fill(on(made, A))
    made.ack(on(made, B))

    made.stop()

    assert on(made, B).state is OrderState.PENDING_CANCEL
    made.run(3)
    assert made.end == "done"
    assert made.notes["cause"] == "stopped"


def test_a_restart_before_anything_left_ends_it() -> None:
    made = kit()
    made.start()
    assert made.admitted is not None
    made.live.clear()
    made.durable = [msgspec.json.encode(made.admitted.state)]

    made.restart()

    assert made.end == "restarted"
    assert len(made.places) == 2
    assert made.residual == {}


def test_a_restart_mends_what_was_filled_meanwhile() -> None:
    made = kit()
    made.start()
    made.ack(on(made, A))

    made.restart(fills={on(made, A).client_id: Decimal(8)})

    assert last(made).quantity == 8
    assert last(made).slot.market == B
    made.run(3)
    assert made.notes["cause"] == "restarted"
    assert (made.view.exposure(A), made.view.exposure(B)) == (Decimal(8), Decimal(-8))


def test_a_restart_gives_the_policy_its_time_again() -> None:
    made = kit(plan(policy=AtomicPolicy.UNWIND))
    made.start()
    made.fill(on(made, A))
    made.quote(A, "90", "90.1")
    made.cancelled(on(made, B))
    made.now_ns += 3_600_000_000_000

    made.restart()

    assert made.end == ""
    made.quote(A, "100", "100.1")
    made.run(3)
    assert made.end == "unwound"


def test_a_mending_order_that_never_answers_is_cancelled() -> None:
    made = kit()
    made.start()
    made.fill(on(made, A))
    made.cancelled(on(made, B))
    made.ack(on(made, B))

    made.advance(6)

    assert on(made, B).state is OrderState.PENDING_CANCEL


def test_the_flag_reduce_only_is_set_where_the_account_would_shrink() -> None:
    perpetual = MarketId("one", "ALT/USDT:USDT")
    contract = instrument(perpetual, kind=InstrumentKind.PERPETUAL, settle="USDT", **RULES)
    wish = plan(leg(perpetual, Side.BUY), leg(B, Side.SELL), policy=AtomicPolicy.UNWIND)
    made = Kit(AtomicExecutor, wish, [contract, instrument(B, **RULES)])
    for market in (perpetual, B):
        made.quote(market, "99.95", "100.05")
    made.start()
    made.fill(on(made, perpetual), price="100.05")

    made.cancelled(on(made, B))

    assert last(made).reduce_only
    assert not made.places[0].reduce_only


def test_contracts_are_given_back_in_contracts() -> None:
    perpetual = MarketId("one", "ALT/USDT:USDT")
    rules: dict[str, Any] = {
        "kind": InstrumentKind.PERPETUAL,
        "settle": "USDT",
        "multiplier": Decimal(5),
    }
    wish = plan(leg(perpetual, Side.BUY), leg(B, Side.SELL), policy=AtomicPolicy.UNWIND)
    made = Kit(AtomicExecutor, wish, [instrument(perpetual, lot=1, **rules), instrument(B)])
    for market in (perpetual, B):
        made.quote(market, "99.95", "100.05")
    made.start()
    made.fill(on(made, perpetual), price="100.05")

    made.cancelled(on(made, B))

    assert last(made).quantity == 2
    made.run(3)
    assert told(made).loss == {"USDT": Decimal("1.00")}


def test_what_was_lost_is_lost_for_the_next_try() -> None:
    made = kit(plan(policy=AtomicPolicy.UNWIND, repair_slippage=Ratio.parse("5%"), cushion=FAR))
    made.start()
    made.fill(on(made, A), price="100")
    made.cancelled(on(made, B))
    first = on(made, A)
    assert first.price == Decimal("99.80")
    made.fill(first, 5)
    made.cancelled(first)

    made.advance(1)

    # Half of what may be lost is gone, for half of the quantity.
    assert (last(made).quantity, last(made).price) == (Decimal(5), Decimal("99.80"))


# One leg leads.


def leading(**rest: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    made = kit(plan(lead=A, **rest))
    made.start()
    return made


def test_the_leading_leg_rests_as_a_maker_and_nothing_else_leaves() -> None:
    made = leading()

    (place,) = made.places
    assert (place.slot.market, place.price) == (A, Decimal("99.95"))
    assert place.post_only
    assert place.time_in_force is TimeInForce.GTC


def test_only_the_leading_leg_is_new_risk() -> None:
    made = leading()

    assert [(one.market, one.expected) for one in made.legs] == [(A, Decimal("99.95"))]


def test_each_fill_of_the_leading_leg_is_followed_at_once() -> None:
    made = leading()
    made.ack(on(made, A))

    made.fill(on(made, A), 3)
    assert (last(made).slot.market, last(made).quantity) == (B, Decimal(3))
    made.fill(on(made, B))
    made.fill(on(made, A), 7)
    assert (last(made).slot.market, last(made).quantity) == (B, Decimal(7))
    made.fill(on(made, B))

    assert made.end == "done"
    assert len(made.places) == 3
    assert "incident" not in made.notes


def test_fills_below_the_minimum_of_the_follower_add_up_first() -> None:
    made = leading()
    made.instruments[B] = instrument(B, **(RULES | {"min_quantity": 5}))
    made.ack(on(made, A))

    made.fill(on(made, A), 3)
    made.advance(20)
    assert len(made.places) == 1
    made.fill(on(made, A), 3)

    assert last(made).quantity == 6


def test_a_late_fill_of_a_follower_is_not_followed_in_its_own_direction() -> None:
    made = leading()
    made.ack(on(made, A))
    made.fill(on(made, A), 5)
    first = on(made, B)
    made.cancelled(first)
    made.advance(1)
    made.fill(on(made, B))

    made.fill_late(first, 3)
    made.advance(1)

    # Three too many are sold: the leading leg goes on, and of its next five two are followed.
    assert len(made.places) == 3
    made.fill(on(made, A))
    assert last(made).quantity == 2
    made.fill(on(made, B))
    assert made.end == "done"


def test_a_leading_leg_that_a_venue_refuses_is_placed_again_on_the_next_tick() -> None:
    made = leading()
    made.reject(on(made, A))
    assert len(made.places) == 1

    made.quote(A, "99.90", "100.00")
    made.advance(1)

    assert last(made).price == Decimal("99.90")


def test_the_leading_leg_leaves_when_its_time_is_over() -> None:
    made = leading(lead_time=Duration.parse("20 s"))
    made.ack(on(made, A))

    made.advance(20)

    assert on(made, A).state is OrderState.PENDING_CANCEL
    made.cancelled(on(made, A))
    assert made.end == "lead time"


def test_followers_that_cannot_follow_stop_the_leading_leg() -> None:
    made = leading()
    made.ack(on(made, A))
    made.quote(B, "98.00", "98.10")
    made.fill(on(made, A), 4)

    made.advance(4)
    assert on(made, A).state is OrderState.PARTIALLY_FILLED
    made.advance(1)

    assert on(made, A).state is OrderState.PENDING_CANCEL
    made.run(20)
    assert made.notes["cause"] == "timeout"
    assert made.end == "unwound"
    assert made.view.exposure(A) == 0


def test_a_restart_follows_what_the_leading_leg_filled_meanwhile() -> None:
    made = leading()
    made.ack(on(made, A))

    made.restart(fills={on(made, A).client_id: Decimal(4)})

    assert (last(made).slot.market, last(made).quantity) == (B, Decimal(4))
    made.settle()
    made.run(3)
    assert made.end == "matched in part"
    assert made.view.exposure(B) == -4

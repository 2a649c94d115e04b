"""Legs that belong together: checked first, sent together, and never one left open by hope."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from fairlead.api import Balance, Denied, Duration, Ratio
from fairlead.api.plans.atomic import AtomicOrder, AtomicPlan, AtomicPolicy
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.atomic_state import AtomicPhase
from fairlead.model import ZERO, InstrumentKind, MarketId, OrderState, Purpose, Side, TimeInForce
from fairlead.testing import instrument
from tests.fairlead.execution.atomic_kit import OTHER, RULES, A, B, C, kit, last, leg, on, plan
from tests.fairlead.execution.plan_kit import Kit

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

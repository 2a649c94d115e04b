"""Legs that do not fill as they should are mended within the loss cap, or it is told."""

from decimal import Decimal
from typing import Any

from fairlead.api import Denied, Ratio
from fairlead.api.plans.atomic import AtomicOrder, AtomicPolicy
from fairlead.api.plans.partial import PartialFillReport
from fairlead.execution.atomic import AtomicExecutor
from fairlead.model import InstrumentKind, MarketId, OrderState, Purpose, Side, TimeInForce
from fairlead.testing import instrument
from tests.fairlead.execution.atomic_kit import RULES, A, B, C, kit, last, leg, on, plan
from tests.fairlead.execution.plan_kit import Kit

#: A cushion beyond every bound: what holds an order is its bound.
FAR = Ratio.parse("20%")


def told(made: Kit) -> PartialFillReport:
    found = PartialFillReport.of(made.notes)
    assert found is not None
    return found


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

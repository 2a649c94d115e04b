"""A quote on one market, hedged on another: every fill, also those nobody expected any more."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fairlead.api import Balance, Denied, OrderView, Place
from fairlead.api.plans.xemm import XemmPlan
from fairlead.execution.xemm import XemmExecutor
from fairlead.execution.xemm_price import HedgeTerms
from fairlead.model import ZERO, MarketId, OrderState, Purpose, Side, TimeInForce
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit

MAKER, TAKER = MarketId("thin", "ALT/USDT"), MarketId("deep", "ALT/USDT")
RULES: dict[str, Any] = {"lot": "1", "min_quantity": "1", "fees": ("0.0002", "0.0005")}


def plan(**given: Any) -> XemmPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {
        "maker_market": MAKER,
        "taker_market": TAKER,
        "maker_side": Side.BUY,
        "order_amount": "10",
    }
    return XemmPlan.model_validate(defaults | given)


def waiting(wish: XemmPlan | None = None, **taker: Any) -> Kit:  # noqa: ANN401 - instrument keys
    instruments = [instrument(MAKER, **RULES), instrument(TAKER, **(RULES | taker))]
    kit = Kit(XemmExecutor, wish or plan(), instruments)
    kit.quote(MAKER, "99.50", "100.50")
    kit.quote(TAKER, "100.00", "100.02")
    return kit


def started(wish: XemmPlan | None = None, **taker: Any) -> Kit:  # noqa: ANN401 - instrument keys
    kit = waiting(wish, **taker)
    assert not isinstance(kit.start(), Denied)
    return kit


def quoting(wish: XemmPlan | None = None, **taker: Any) -> Kit:  # noqa: ANN401 - instrument keys
    kit = started(wish, **taker)
    kit.ack(kit.only(0))
    return kit


def denial(kit: Kit) -> Denied:
    found = kit.start()
    assert isinstance(found, Denied)
    return found


def hedges(kit: Kit) -> list[Place]:
    return [place for place in kit.places if place.slot.market == TAKER]


def hedge(kit: Kit) -> OrderView:
    return kit.only(1)


# The price.


@pytest.mark.parametrize("side", Side)
def test_a_quote_earns_its_target_after_both_fees(side: Side) -> None:
    terms = HedgeTerms(side, Decimal("0.0002"), Decimal("0.0005"))

    price = terms.maker_price(Decimal(100), Decimal("0.001"))

    bought, sold = (price, Decimal(100)) if side is Side.BUY else (Decimal(100), price)
    fees = price * Decimal("0.0002") + 100 * Decimal("0.0005")
    assert round(sold - bought - fees - price * Decimal("0.001"), 20) == 0


@given(
    side=st.sampled_from(Side),
    price=st.decimals("0.01", "90000", places=2),
    fees=st.tuples(*[st.decimals("-0.001", "0.01", places=5)] * 2),
    earns=st.decimals("-0.02", "0.05", places=5),
)
def test_prices_and_profitability_agree(
    side: Side, price: Decimal, fees: tuple[Decimal, Decimal], earns: Decimal
) -> None:
    terms = HedgeTerms(side, *fees)

    maker = terms.maker_price(price, earns)

    assert abs(terms.profitability(maker, price) - earns) < Decimal("1e-20")
    assert abs(terms.taker_price(maker, earns) - price) < Decimal("1e-20")


def test_it_quotes_where_all_of_it_would_earn_the_target() -> None:
    kit = started()

    (place,) = kit.places

    assert (place.slot.market, place.side) == (MAKER, Side.BUY)
    assert place.quantity == 10
    # 100 less 5 bps, over 1 + 2 + 10 bps, and down to the tick.
    assert place.price == Decimal("99.83")
    assert place.purpose is Purpose.ENTRY
    assert place.post_only
    assert place.time_in_force is TimeInForce.GTC


def test_it_prices_the_depth_that_it_needs_and_not_the_best_price() -> None:
    kit = waiting(plan(slippage_buffer="60 bps"))
    kit.book(TAKER, [("100.00", 5), ("99.00", 5)], [("100.02", 10)])

    kit.start()

    assert kit.places[0].price == Decimal("99.33")


def test_a_maker_that_sells_is_the_mirror_of_one_that_buys() -> None:
    kit = started(plan(maker_side=Side.SELL))

    (place,) = kit.places
    # 100.02 and 5 bps, over 1 - 12 bps, and up to the tick.
    assert (place.side, place.price) == (Side.SELL, Decimal("100.20"))


def test_it_never_crosses_its_own_market() -> None:
    kit = waiting()
    kit.quote(MAKER, "99.50", "99.60")

    kit.start()

    assert kit.places[0].price == Decimal("99.59")
    kit.ack(kit.only(0))
    # It earns more than the most, but there is no better place for a maker.
    kit.advance(5)
    assert kit.only(0).state is OrderState.OPEN


def test_unlike_quote_currencies_are_compared_at_their_marks() -> None:
    other = MarketId("deep", "ALT/USDC")
    kit = Kit(
        XemmExecutor,
        plan(taker_market=other),
        [instrument(MAKER, **RULES), instrument(other, **RULES)],
    )
    kit.quote(MAKER, "98.00", "100.50")
    kit.quote(other, "101.00", "101.02")
    assert denial(kit).rule == "xemm_liquidity"
    kit.rates = {"USDT": Decimal(1), "USDC": Decimal("0.99")}

    kit.start()

    # 101 x 0.99 = 99.99.
    assert kit.places[0].price == Decimal("99.82")
    kit.ack(kit.only(0))
    kit.fill(kit.only(0), 10)
    assert hedges(kit)[0].slot.market == other if hedges(kit) else True
    kit.run(3)
    assert kit.end == "done"


# Admission.


def test_what_is_admitted_is_the_amount_that_is_quoted() -> None:
    kit = started(plan(order_amount="10.7"))

    assert [(leg.market, leg.side, str(leg.quantity), str(leg.bound)) for leg in kit.legs] == [
        (MAKER, Side.BUY, "10", "102.00"),
    ]
    assert kit.admitted is not None
    assert kit.admitted.loss_cap == 5


def test_without_a_valid_book_on_both_it_does_not_begin() -> None:
    for market in (MAKER, TAKER):
        kit = waiting()
        kit.book(market, None)
        assert denial(kit).rule == "xemm_book"


def test_what_could_not_be_hedged_does_not_begin() -> None:
    kit = waiting()
    kit.quote(TAKER, "100.00", "100.02", size=9)
    assert denial(kit).rule == "xemm_liquidity"

    assert denial(waiting(min_quantity=11)).rule == "xemm_minimum"


def test_what_could_not_be_paid_does_not_begin() -> None:
    kit = waiting()
    kit.balances["deep", "ALT"] = Balance(Decimal(9), ZERO, ZERO)
    denied = denial(kit)

    assert denied.rule == "xemm_balance"
    assert (denied.observed, denied.limit) == (Decimal(10), Decimal(9))


def test_unlike_assets_are_not_hedged_with_each_other() -> None:
    other = MarketId("deep", "OTHER/USDT")
    kit = Kit(XemmExecutor, plan(taker_market=other), [instrument(MAKER), instrument(other)])

    assert denial(kit).rule == "xemm_base"


@pytest.mark.parametrize(
    "wrong",
    [
        {"taker_market": MAKER},
        {"min_profitability": "11 bps"},
        {"target_profitability": "21 bps"},
        {"slippage_buffer": "100%"},
        {"max_profitability": "100%"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        plan(**wrong)


# While it quotes.


def test_a_quote_that_earns_too_little_is_cancelled_and_placed_anew() -> None:
    kit = quoting()

    kit.quote(TAKER, "99.94", "99.96")

    # Woken by the taker's mid, not by the tick.
    assert kit.only(0).state is OrderState.PENDING_CANCEL
    kit.now_ns += 1_000_000_000
    kit.cancelled(kit.only(0))
    assert kit.only(0).price == Decimal("99.77")


def test_a_quote_that_earns_too_much_is_cancelled_and_placed_anew() -> None:
    kit = quoting()

    kit.quote(TAKER, "100.13", "100.15")

    assert kit.only(0).state is OrderState.PENDING_CANCEL
    kit.now_ns += 1_000_000_000
    kit.cancelled(kit.only(0))
    assert kit.only(0).price == Decimal("99.95")


def test_a_quote_within_both_bounds_stays() -> None:
    kit = quoting()

    kit.quote(TAKER, "100.05", "100.07")
    kit.advance(3)

    assert kit.only(0).state is OrderState.OPEN


def test_a_quote_that_could_not_be_hedged_is_pulled() -> None:
    kit = quoting()
    kit.book(TAKER, None)

    kit.advance(1)

    assert kit.only(0).state is OrderState.PENDING_CANCEL
    kit.cancelled(kit.only(0))
    kit.advance(5)
    assert kit.live == {}
    kit.quote(TAKER, "100.00", "100.02")
    kit.advance(1)
    assert kit.only(0).price == Decimal("99.83")


def test_a_quote_for_which_the_takers_book_is_too_thin_is_pulled() -> None:
    kit = quoting()
    kit.quote(TAKER, "100.00", "100.02", size=9)

    kit.advance(1)

    assert kit.only(0).state is OrderState.PENDING_CANCEL
    assert kit.places[-1].slot.market == MAKER
    kit.cancelled(kit.only(0))
    kit.advance(2)
    assert kit.live == {}


def test_beyond_its_band_it_does_not_quote() -> None:
    kit = quoting()
    kit.quote(MAKER, "104.00", "104.10")
    kit.quote(TAKER, "104.00", "104.02")
    kit.cancelled(kit.only(0))

    kit.advance(5)

    assert kit.live == {}
    assert kit.end == ""


def test_a_quote_that_the_venue_refuses_is_tried_again_a_tick_later() -> None:
    kit = started()
    kit.reject(kit.only(0))
    assert kit.live == {}

    kit.advance(1)

    assert kit.only(0).quantity == 10


# Hedging.


def test_a_hedge_goes_as_deep_as_it_needs_and_a_cushion_beyond() -> None:
    kit = quoting()
    kit.book(TAKER, [("100.00", 2), ("99.95", 20)], [("100.02", 10)])

    kit.fill(kit.only(0), 3)

    # 10 bps below 99.95, although 99.68 would be within its bound.
    assert hedges(kit)[0].price == Decimal("99.86")


def test_a_hedge_that_a_band_refuses_at_its_bound_is_taken_where_the_book_is() -> None:
    kit = quoting(plan(slippage_buffer="2%", loss_cap="2%"))
    kit.refuse = lambda intent: (
        Denied("price_band", Decimal(60), Decimal(50)) if intent.price < Decimal("99.5") else None
    )

    kit.fill(kit.only(0), 10)
    kit.settle()

    assert kit.refusals == []
    assert kit.end == "done"


def test_a_hedge_that_is_too_deep_for_a_band_is_made_in_pieces() -> None:
    kit = quoting(plan(slippage_buffer="2%", loss_cap="2%"))
    kit.refuse = lambda intent: (
        Denied("price_band", Decimal(60), Decimal(50)) if intent.price < Decimal("99.5") else None
    )
    kit.book(TAKER, [("100.00", 3), ("99.00", 20)], [("100.02", 10)])
    kit.fill(kit.only(0), 10)
    for _ in range(6):
        kit.advance(1)
        kit.settle()
        kit.book(TAKER, [("100.00", 3), ("99.00", 20)], [("100.02", 10)])

    assert [place.quantity for place in hedges(kit)] == [10, 5, 2, 2, 2, 2, 2]
    assert [place.price for place in hedges(kit)][1:3] == [Decimal("99.00"), Decimal("100.00")]
    assert kit.end == "done"


def test_what_a_hedge_gives_up_survives_a_restart() -> None:
    kit = quoting()
    kit.refuse = lambda intent: (
        Denied("price_band", Decimal(60), Decimal(50)) if intent.quantity > 5 else None
    )
    kit.fill(kit.only(0), 10)

    kit.restart()

    assert [(int(place.quantity), place.price) for place in hedges(kit)] == [
        (10, Decimal("99.90")),
        (5, Decimal("100.00")),
    ]


def test_what_would_be_hedged_beyond_its_bound_does_not_begin() -> None:
    kit = waiting()
    kit.book(TAKER, [("100.00", 5), ("99.00", 5)], [("100.02", 10)])

    denied = denial(kit)

    assert (denied.rule, denied.observed) == ("xemm_bound", Decimal(99))
    assert "hedging 10 reaches beyond its bound" in denied.detail


def test_each_fill_is_hedged_at_once_at_a_bounded_price() -> None:
    kit = quoting(plan(cushion="20%"))

    kit.fill(kit.only(0), 3)

    (place,) = hedges(kit)
    assert (place.side, place.purpose) == (Side.SELL, Purpose.HEDGE)
    assert place.quantity == 3
    # 30 bps below what the book promises: 99.70; nearer than 50 bps below 99.83.
    assert place.price == Decimal("99.70")
    assert place.time_in_force is TimeInForce.IOC
    assert not place.post_only


def test_the_loss_cap_bounds_a_hedge_too() -> None:
    kit = quoting(plan(cushion="20%"))
    kit.book(TAKER, [("99.60", 100)], [("99.62", 100)])

    kit.fill(kit.only(0), 3)

    assert hedges(kit)[0].price == Decimal("99.34")


def test_a_fill_while_a_hedge_is_under_way_is_hedged_once_that_is_over() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 3)

    kit.fill(kit.only(0), 4)
    assert len(hedges(kit)) == 1
    kit.fill(hedge(kit))

    assert [place.quantity for place in hedges(kit)] == [3, 4]


def test_the_rest_of_a_hedge_is_tried_again_on_the_next_tick() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 5)
    kit.fill(hedge(kit), 2)
    kit.cancelled(hedge(kit))
    assert len(hedges(kit)) == 1

    kit.advance(1)

    assert [place.quantity for place in hedges(kit)] == [5, 3]
    # While it is behind, it does not take on more.
    assert kit.only(0).state is OrderState.PENDING_CANCEL


def test_an_unproven_hedge_is_not_sent_again() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 5)
    kit.lose(hedge(kit))

    kit.advance(5)

    assert len(hedges(kit)) == 1


def test_fills_below_the_takers_minimum_add_up() -> None:
    kit = quoting(min_quantity=4)

    kit.fill(kit.only(0), 3)
    kit.advance(30)
    assert hedges(kit) == []
    assert kit.only(0).state is OrderState.PARTIALLY_FILLED
    kit.fill(kit.only(0), 2)

    assert hedges(kit)[0].quantity == 5


def test_a_fill_during_the_cancel_is_hedged() -> None:
    kit = quoting()
    kit.quote(TAKER, "99.94", "99.96")
    assert kit.only(0).state is OrderState.PENDING_CANCEL

    kit.fill(kit.only(0), 6)

    assert hedges(kit)[0].quantity == 6


def test_a_fill_after_the_cancel_is_hedged() -> None:
    kit = quoting()
    order = kit.only(0)
    kit.stop()
    kit.fill(order, 6)
    kit.cancelled(order)

    kit.fill_late(order, 2)
    kit.fill(hedge(kit))

    assert [place.quantity for place in hedges(kit)] == [6, 2]
    kit.fill(hedge(kit))
    assert kit.end == "stopped"


def test_a_restart_hedges_what_was_filled_and_not_hedged() -> None:
    kit = quoting()

    kit.restart(fills={kit.only(0).client_id: Decimal(4)})

    assert [place.quantity for place in hedges(kit)] == [4]
    kit.fill(hedge(kit))
    kit.advance(1)
    assert kit.only(0).quantity == 6


# The end.


def test_what_is_not_hedged_yet_eats_from_the_same_book_first() -> None:
    kit = quoting(min_quantity=4)
    kit.fill(kit.only(0), 3)
    kit.cancelled(kit.only(0))
    kit.book(TAKER, [("100.00", 7), ("99.00", 3)], [("100.02", 10)])

    kit.advance(1)

    # Ten to hedge for a quote of seven: 99.70 on average.
    assert (str(kit.only(0).quantity), str(kit.only(0).price)) == ("7", "99.53")


def test_a_restart_gives_a_hedge_its_time_again() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 4)
    kit.now_ns += 3_600_000_000_000

    kit.restart()

    assert kit.end == ""
    assert len(hedges(kit)) == 2
    kit.advance(9)
    assert kit.only(1).state is OrderState.PENDING_CREATE
    assert not kit.asked[kit.only(1).client_id]


def test_it_ends_when_all_is_filled_and_hedged() -> None:
    kit = quoting()

    kit.fill(kit.only(0))
    assert kit.end == ""
    kit.fill(hedge(kit), price="100.00")

    assert kit.end == "done"
    assert kit.last is not None
    assert kit.last.complete
    # 17 bps between the prices, less 2 and 5 of fees.
    assert kit.notes == {"profitability": "10.02 bps"}


def test_a_fill_that_cannot_be_hedged_ends_it_with_a_residual() -> None:
    kit = quoting()
    kit.quote(TAKER, "98.00", "98.02")
    kit.fill(kit.only(0), 4)

    kit.run(12)

    assert kit.end == "not hedged"
    assert kit.residual == {MAKER: Decimal(4)}
    assert "4 not hedged" in kit.notes["incident"]
    assert kit.live == {}


def test_a_hedge_that_never_answers_is_cancelled_when_the_time_is_over() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 4)
    kit.ack(hedge(kit))

    kit.advance(10)

    assert hedge(kit).state is OrderState.PENDING_CANCEL


def test_progress_gives_a_hedge_its_time_again() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 10)
    kit.advance(9)
    kit.fill(hedge(kit), 2)

    kit.advance(9)

    assert kit.end == ""
    assert hedge(kit).state is not OrderState.PENDING_CANCEL


def test_a_stop_takes_the_quote_away_and_hedges_what_it_filled() -> None:
    kit = quoting()
    kit.stop()
    assert kit.only(0).state is OrderState.PENDING_CANCEL

    kit.fill(kit.only(0), 2)
    kit.cancelled(kit.only(0))
    assert kit.end == ""
    kit.fill(hedge(kit))

    assert kit.end == "stopped"
    assert kit.last is not None
    assert not kit.last.complete


def test_a_plan_whose_orders_are_refused_says_so_in_the_end() -> None:
    kit = waiting(plan(time_limit="20 s"))
    kit.refuse = lambda intent: Denied("max_order", intent.quantity, Decimal(5))
    kit.start()

    kit.advance(20)

    assert kit.end == "time limit"
    assert kit.notes["last refused"] == "thin:ALT/USDT entry: max_order"


def test_the_time_limit_ends_the_quoting() -> None:
    kit = quoting(plan(time_limit="20 s"))

    kit.advance(19)
    assert kit.only(0).state is OrderState.OPEN
    kit.advance(1)

    assert kit.only(0).state is OrderState.PENDING_CANCEL
    kit.cancelled(kit.only(0))
    assert kit.end == "time limit"


def test_what_is_below_the_takers_minimum_in_the_end_is_kept_and_said() -> None:
    kit = quoting(min_quantity=4)
    kit.fill(kit.only(0), 3)

    kit.stop()
    kit.cancelled(kit.only(0))

    assert kit.end == "the rest is too small for an order"
    assert kit.kept == {MAKER: Decimal(3)}
    assert kit.residual == {}


def test_a_rest_that_the_maker_does_not_take_ends_it() -> None:
    instruments = [
        instrument(MAKER, **(RULES | {"min_quantity": 4})),
        instrument(TAKER, **RULES),
    ]
    kit = Kit(XemmExecutor, plan(), instruments)
    kit.quote(MAKER, "99.50", "100.50")
    kit.quote(TAKER, "100.00", "100.02")
    kit.start()
    kit.ack(kit.only(0))
    kit.fill(kit.only(0), 7)
    kit.fill(hedge(kit))

    kit.cancelled(kit.only(0))

    assert kit.end == "the rest is too small for an order"
    assert kit.view.exposure(TAKER) == -7


def test_what_is_hedged_too_much_is_bought_back() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 5)
    first = hedge(kit)
    kit.cancelled(first)
    kit.advance(1)
    kit.fill(hedge(kit))

    kit.fill_late(first, 3)
    kit.advance(1)

    place = hedges(kit)[-1]
    assert (place.side, str(place.quantity)) == (Side.BUY, "3")

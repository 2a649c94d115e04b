"""Where a plan across exchanges quotes, and what may begin."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fairlead.api import Balance
from fairlead.execution.xemm import XemmExecutor
from fairlead.execution.xemm_price import HedgeTerms
from fairlead.model import ZERO, MarketId, OrderState, Purpose, Side, TimeInForce
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.xemm_kit import (
    MAKER,
    RULES,
    TAKER,
    denial,
    hedges,
    plan,
    quoting,
    started,
    waiting,
)

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

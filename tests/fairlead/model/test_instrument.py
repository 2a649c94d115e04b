from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import ConstantStep, Instrument, MarketId, Scale, Side, is_multiple
from fairlead.testing import MARKET, balance_update, instrument, intent

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,7}", fullmatch=True)
ASSETS = st.from_regex(r"[A-Z0-9]{1,6}", fullmatch=True)
QUANTITIES = st.decimals(min_value=-5, max_value=10**6, places=6, allow_nan=False)


@given(NAMES, ASSETS, ASSETS, st.none() | ASSETS)
def test_a_market_is_read_as_it_was_written(
    venue: str, base: str, quote: str, settle: str | None
) -> None:
    symbol = f"{base}/{quote}" + ("" if settle is None else f":{settle}")

    market = MarketId.parse(f"{venue}:{symbol}")

    assert (market.venue, market.symbol) == (venue, symbol)
    assert MarketId.parse(str(market)) == market


@pytest.mark.parametrize(
    "text", ["", "main", "BTC/USDT", "main:", "main:BTC", "main:/USDT", "main:BTC/", ":BTC/USDT"]
)
def test_a_text_without_venue_or_symbol_is_no_market(text: str) -> None:
    with pytest.raises(ValueError, match="venue:BASE/QUOTE"):
        MarketId.parse(text)


def test_a_builders_dex_keeps_its_name_in_the_symbol() -> None:
    market = MarketId.parse("hl:DEX-GOLD/USDC:USDC")

    assert market == MarketId("hl", "DEX-GOLD/USDC:USDC")


@given(QUANTITIES, st.sampled_from(["0.001", "0.1", "1", "25"]))
def test_a_rounded_quantity_never_grows_and_is_whole_lots(quantity: Decimal, lot: str) -> None:
    traded = instrument(lot=lot)

    rounded = traded.round_quantity(quantity)

    assert 0 <= rounded <= max(quantity, Decimal(0))
    assert is_multiple(rounded, traded.lot)
    assert traded.round_quantity(rounded) == rounded
    assert quantity < 0 or quantity - rounded < traded.lot


@given(st.decimals(min_value=Decimal("0.01"), max_value=1000, places=6), st.sampled_from(Side))
def test_a_rounded_price_may_stand_in_an_order(price: Decimal, side: Side) -> None:
    traded = instrument(tick="0.01")

    rounded = traded.round_price(price, side)

    assert traded.on_grid(rounded)


def test_a_price_off_the_grid_or_of_nothing_may_not_stand_in_an_order() -> None:
    traded = instrument(tick="0.01")

    assert not traded.on_grid(Decimal("1.005"))
    assert not traded.on_grid(Decimal(0))
    assert not traded.on_grid(Decimal("-0.01"))


@pytest.mark.parametrize(
    ("quantity", "missed"),
    [
        ("0", "quantity 0 below the minimum 0.5"),
        ("0.4", "quantity 0.4 below the minimum 0.5"),
        ("0.9", "notional 9.0 USDT below the minimum 10"),
        ("1", None),
    ],
)
def test_an_order_below_a_minimum_is_told_so_with_both_figures(
    quantity: str, missed: str | None
) -> None:
    traded = instrument(min_quantity="0.5", min_notional=10)

    assert traded.below_minimum(Decimal(10), Decimal(quantity)) == missed


def test_without_a_minimum_the_lot_is_the_smallest_order() -> None:
    assert instrument(lot="0.1").below_minimum(Decimal(10), Decimal(0)) == (
        "quantity 0 below the minimum 0.1"
    )


def test_a_contract_is_worth_its_multiplier() -> None:
    traded = instrument(MarketId("main", "BTC/USDT:USDT"), multiplier=Decimal("0.01"))

    assert traded.notional(Decimal(50_000), Decimal(3)) == 1500
    assert intent(traded=traded, price=50_000, quantity=3).notional == 1500
    assert traded.symbol == "BTC/USDT:USDT"
    assert traded.quote == "USDT"


@pytest.mark.parametrize(
    "wrong",
    [
        {"lot": Decimal(0)},
        {"multiplier": Decimal(0)},
        {"min_quantity": Decimal(-1)},
        {"min_notional": Decimal(-1)},
    ],
)
def test_an_instrument_that_makes_no_sense_is_refused(wrong: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match=r"not above zero|below zero"):
        Instrument(
            **({"market": MARKET, "base": "ALT", "quote": "USDT", "lot": Decimal(1)} | wrong),  # type: ignore[arg-type]  # one of them is wrong on purpose
            grid=ConstantStep(Decimal(1)),
        )


@given(st.integers(0, 10**15), st.integers(0, 10), st.integers(0, 10))
def test_a_feeds_integers_and_decimals_say_the_same(
    units: int, price_decimals: int, quantity_decimals: int
) -> None:
    scale = Scale(price_decimals, quantity_decimals)

    assert scale.price_units(scale.price(units)) == units
    assert scale.quantity_units(scale.quantity(units)) == units


def test_digits_finer_than_the_feeds_are_cut_off() -> None:
    scale = Scale(2, 1)

    assert scale.price_units(Decimal("1.239")) == 123
    assert scale.quantity_units(Decimal("0.19")) == 1


def test_a_balance_is_free_plus_locked() -> None:
    assert balance_update("USDT", "7.5", "2.5").total == 10

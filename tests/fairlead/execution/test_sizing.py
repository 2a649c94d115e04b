"""Money to quantity and back: at the right price, on the lot, never past the budget."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Amount, Denied
from fairlead.execution import Sized, size_for, taking_price, value_of
from fairlead.model import Instrument, InstrumentKind, MarketId, Side
from fairlead.testing import book_view, instrument

SPOT = instrument(lot="0.1", min_quantity="0.5", min_notional="10")
CONTRACT = instrument(
    MarketId("main", "BTC/USDT:USDT"),
    lot=1,
    kind=InstrumentKind.PERPETUAL,
    multiplier=Decimal("0.001"),
    settle="USDT",
)
RATES = {"USDT": Decimal(1), "EUR": Decimal("1.25"), "BTC": Decimal(50_000)}


def sized(amount: str, traded: Instrument = SPOT, price: str = "100", fee: str = "0") -> Sized:
    found = size_for(Amount.parse(amount), traded, Decimal(price), RATES.get, fee=Decimal(fee))
    assert isinstance(found, Sized)
    return found


def denied(amount: str, traded: Instrument = SPOT, price: str = "100") -> Denied:
    found = size_for(Amount.parse(amount), traded, Decimal(price), RATES.get)
    assert isinstance(found, Denied)
    return found


def test_a_buy_is_sized_at_the_ask_and_a_sell_at_the_bid() -> None:
    shown = book_view([("99.9", "1")], [("100.1", "1")])

    assert taking_price(shown, Side.BUY) == Decimal("100.1")
    assert taking_price(shown, Side.SELL) == Decimal("99.9")


@pytest.mark.parametrize(
    ("amount", "quantity"),
    [
        ("250 USDT", "2.5"),
        ("259 USDT", "2.5"),
        ("2.59 ALT", "2.5"),
        ("200 EUR", "2.5"),
        ("0.01 BTC", "5"),
    ],
)
def test_money_becomes_a_quantity_on_the_lot(amount: str, quantity: str) -> None:
    assert sized(amount).quantity == Decimal(quantity)


def test_the_cost_counts_the_fee_but_no_rebate() -> None:
    assert sized("250 USDT", fee="0.001").quantity == Decimal("2.4")
    assert sized("250 USDT", fee="0.001").cost == Decimal("240.24")
    assert sized("250 USDT", fee="-0.001").quantity == Decimal("2.5")


def test_a_contract_is_counted_in_contracts() -> None:
    assert sized("1000 USDT", CONTRACT, "50000").quantity == 20
    assert sized("0.0209 BTC", CONTRACT, "50000").quantity == 20


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("40 USDT", "below the minimum 0.5"),
        ("9 USDT", "quantity 0.0 below the minimum 0.5"),
        ("100 XAU", "no mark path between them"),
    ],
)
def test_what_cannot_be_had_is_denied(amount: str, why: str) -> None:
    assert why in denied(amount).detail


def test_a_small_notional_is_denied_and_not_rounded_up() -> None:
    assert denied("0.9 ALT", price="11").detail.startswith("notional 9.9 USDT below")


def test_no_price_is_no_size() -> None:
    assert denied("100 USDT", price="0").rule == "price"


@pytest.mark.parametrize(
    ("asset", "value"), [("ALT", "2"), ("USDT", "200"), ("EUR", "160"), ("BTC", "0.004")]
)
def test_a_quantity_has_a_value_in_any_asset_with_a_mark(asset: str, value: str) -> None:
    found = value_of(Decimal(2), asset, SPOT, Decimal(100), RATES.get)

    assert found == Decimal(value)


def test_a_value_without_a_mark_path_is_unavailable() -> None:
    assert value_of(Decimal(2), "XAU", SPOT, Decimal(100), RATES.get) is None


@given(
    money=st.integers(1, 10**9).map(lambda n: Decimal(n) / 1000),
    price=st.integers(1, 10**7).map(lambda n: Decimal(n) / 10**4),
    lot=st.sampled_from(["0.001", "0.1", "1", "7"]),
    size=st.sampled_from(["1", "0.001", "10"]),
    asset=st.sampled_from(["USDT", "EUR", "BTC", "ALT"]),
    fee=st.sampled_from(["0", "0.0007", "-0.0002"]),
    minimum=st.sampled_from(["0", "3"]),
)
def test_a_size_is_the_largest_within_the_budget(
    money: Decimal, price: Decimal, lot: str, size: str, asset: str, fee: str, minimum: str
) -> None:
    traded = instrument(lot=lot, min_quantity=minimum, multiplier=Decimal(size))
    budget = Amount(money, asset)

    found = size_for(budget, traded, price, RATES.get, fee=Decimal(fee))

    def cost(quantity: Decimal) -> Decimal:
        if asset == "ALT":
            return quantity * traded.multiplier
        paid = traded.notional(price, quantity) * (1 + max(Decimal(fee), Decimal(0)))
        return paid / RATES[asset]

    if isinstance(found, Denied):
        smallest = max(traded.lot, traded.min_quantity)
        assert cost(smallest + traded.lot) > money  # not even one order fits
        return
    assert found.quantity % traded.lot == 0
    assert found.quantity >= traded.min_quantity
    assert cost(found.quantity) <= money
    assert cost(found.quantity + traded.lot) > money

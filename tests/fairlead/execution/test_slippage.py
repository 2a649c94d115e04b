"""What an execution cost against the mid: signed, maker fills too."""

from decimal import Decimal

import pytest

from fairlead.api import Progress
from fairlead.execution import Slippage, actual_slippage, expected_slippage, model_error
from fairlead.model import InstrumentKind, MarketId, Side
from fairlead.testing import book_view, instrument

MARKET = instrument()
CONTRACT = instrument(
    MarketId("main", "BTC/USDT:USDT"),
    kind=InstrumentKind.PERPETUAL,
    multiplier=Decimal("0.01"),
    settle="USDT",
)


def done(price: str, quantity: str, multiplier: str = "1") -> Progress:
    weighted = Decimal(price) * Decimal(quantity)
    return Progress(Decimal(quantity), weighted * Decimal(multiplier), weighted)


@pytest.mark.parametrize(
    ("side", "price", "bps"),
    [
        (Side.BUY, "100.05", "5"),
        (Side.BUY, "99.95", "-5"),
        (Side.SELL, "99.95", "5"),
        (Side.SELL, "100.05", "-5"),
    ],
    ids=["buying dear", "buying cheap", "selling cheap", "selling dear"],
)
def test_slippage_is_positive_when_it_is_worse(side: Side, price: str, bps: str) -> None:
    found = actual_slippage(side, done(price, "4"), Decimal(100), MARKET)

    assert found is not None
    assert found.bps == Decimal(bps)
    assert found.quote == Decimal(bps) * Decimal("0.04")


def test_slippage_in_quote_counts_the_contract_size() -> None:
    found = actual_slippage(Side.BUY, done("100.05", "4", "0.01"), Decimal(100), CONTRACT)

    assert found == Slippage(Decimal("0.0020"), Decimal("0.0005"))


def test_without_a_fill_or_a_mid_there_is_no_slippage() -> None:
    assert actual_slippage(Side.BUY, Progress(), Decimal(100), MARKET) is None
    assert actual_slippage(Side.BUY, done("100", "1"), None, MARKET) is None


def test_the_expected_slippage_is_that_of_the_walked_book() -> None:
    book = book_view([("99.9", "5")], [("100.1", "1"), ("100.3", "1")])

    assert expected_slippage(Side.BUY, Decimal(2), book, MARKET) == Slippage(
        Decimal("0.4"), Decimal("0.002")
    )
    assert expected_slippage(Side.BUY, Decimal(3), book, MARKET) is None
    assert expected_slippage(Side.BUY, Decimal(0), book, MARKET) is None


def test_the_model_error_is_what_the_book_did_not_say() -> None:
    actual, expected = (
        Slippage(Decimal(3), Decimal("0.003")),
        Slippage(Decimal(1), Decimal("0.001")),
    )

    assert model_error(actual, expected) == Decimal("0.002")

"""Where a maker order is put: as asked, on the grid, never crossing, never past its bound."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api.plans import MakerPrice
from fairlead.execution import at_distance, has_drifted, maker_price
from fairlead.model import ConstantStep, PriceBands, Side, SignificantDigits
from fairlead.testing import book_view, instrument
from tests.fairlead.execution.factory import order

WIDE = book_view([("99.90", "5")], [("100.10", "5")])
TIGHT = book_view([("100.00", "5")], [("100.01", "5")])
MARKET = instrument(tick="0.01")
FAR = {Side.BUY: Decimal(200), Side.SELL: Decimal(1)}


@pytest.mark.parametrize(
    ("choice", "side", "price"),
    [
        (MakerPrice.JOIN, Side.BUY, "99.90"),
        (MakerPrice.JOIN, Side.SELL, "100.10"),
        (MakerPrice.IMPROVE, Side.BUY, "99.91"),
        (MakerPrice.IMPROVE, Side.SELL, "100.09"),
        (MakerPrice.INSIDE, Side.BUY, "100.09"),
        (MakerPrice.INSIDE, Side.SELL, "99.91"),
    ],
)
def test_the_choice_decides_the_price(choice: MakerPrice, side: Side, price: str) -> None:
    assert maker_price(choice, side, WIDE, MARKET, FAR[side]) == Decimal(price)


@pytest.mark.parametrize("choice", MakerPrice)
def test_where_there_is_no_room_it_joins(choice: MakerPrice) -> None:
    assert maker_price(choice, Side.BUY, TIGHT, MARKET, FAR[Side.BUY]) == Decimal("100.00")
    assert maker_price(choice, Side.SELL, TIGHT, MARKET, FAR[Side.SELL]) == Decimal("100.01")


def test_a_bound_holds_it_back() -> None:
    assert maker_price(MakerPrice.JOIN, Side.BUY, WIDE, MARKET, Decimal("99.876")) == Decimal(
        "99.87"
    )
    assert maker_price(MakerPrice.JOIN, Side.SELL, WIDE, MARKET, Decimal("100.123")) == Decimal(
        "100.13"
    )
    assert maker_price(MakerPrice.JOIN, Side.BUY, WIDE, MARKET, Decimal("0.001")) is None


def test_a_distance_is_kept_from_the_mid() -> None:
    ten_bps = Decimal("0.0010")

    assert at_distance(ten_bps, Side.BUY, WIDE, MARKET, Decimal(200)) == Decimal("99.90")
    assert at_distance(ten_bps, Side.SELL, WIDE, MARKET, Decimal(1)) == Decimal("100.10")
    assert at_distance(Decimal(0), Side.BUY, TIGHT, MARKET, Decimal(200)) == Decimal("100.00")


def test_an_order_drifts_by_a_share_of_the_price() -> None:
    mine = order(Side.BUY, "100.10")

    assert not has_drifted(mine, Decimal(100), Decimal("0.001"))
    assert has_drifted(mine, Decimal(100), Decimal("0.0009"))


@given(
    choice=st.sampled_from(MakerPrice),
    side=st.sampled_from(Side),
    bid=st.integers(100, 20_000),
    spread=st.integers(1, 300),
    bound=st.integers(50, 25_000),
    grid=st.sampled_from(
        [
            ConstantStep(Decimal("0.05")),
            SignificantDigits(4, 2),
            PriceBands(((Decimal(0), Decimal("0.01")), (Decimal(100), Decimal("0.1")))),
        ]
    ),
    distance=st.integers(0, 90),
)
def test_no_maker_order_crosses_or_passes_its_bound(
    choice: MakerPrice,
    side: Side,
    bid: int,
    spread: int,
    bound: int,
    grid: ConstantStep | SignificantDigits | PriceBands,
    distance: int,
) -> None:
    shown = book_view([(Decimal(bid) / 100, 1)], [(Decimal(bid + spread) / 100, 1)])
    market, limit = instrument(grid=grid), Decimal(bound) / 100

    prices = (
        maker_price(choice, side, shown, market, limit),
        at_distance(Decimal(distance) / 10_000, side, shown, market, limit),
    )

    other = shown.best_ask.price if side is Side.BUY else shown.best_bid.price
    for price in prices:
        if price is None:
            continue
        assert market.on_grid(price)
        assert side.sign * price < side.sign * other
        assert side.sign * price <= side.sign * limit

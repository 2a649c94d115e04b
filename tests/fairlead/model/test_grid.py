from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import (
    ConstantStep,
    PriceBands,
    PriceGrid,
    Side,
    SignificantDigits,
    is_multiple,
    round_price,
)

BANDS = PriceBands(
    (
        (Decimal(0), Decimal("0.0001")),
        (Decimal(1), Decimal("0.01")),
        (Decimal(100), Decimal("0.5")),
        (Decimal(1000), Decimal(5)),
    )
)
GRIDS = st.sampled_from(
    [
        ConstantStep(Decimal("0.01")),
        ConstantStep(Decimal("0.25")),
        ConstantStep(Decimal(5)),
        SignificantDigits(5, 6),
        SignificantDigits(5, 2),
        SignificantDigits(1, 0),
        BANDS,
    ]
)
PRICES = st.decimals(
    min_value=Decimal("0.00000001"), max_value=Decimal(200_000), places=8, allow_nan=False
)
SIDES = st.sampled_from(Side)


def on_grid(price: Decimal, grid: PriceGrid) -> bool:
    return is_multiple(price, grid.step_at(price))


@given(PRICES, SIDES, GRIDS)
def test_rounding_never_makes_an_order_more_aggressive(
    price: Decimal, side: Side, grid: PriceGrid
) -> None:
    rounded = round_price(price, side, grid)

    assert side.sign * (price - rounded) >= 0


@given(PRICES, SIDES, GRIDS)
def test_a_rounded_price_is_on_the_grid_and_stays_where_it_is(
    price: Decimal, side: Side, grid: PriceGrid
) -> None:
    rounded = round_price(price, side, grid)

    if rounded:
        assert on_grid(rounded, grid)
        assert round_price(rounded, Side.BUY, grid) == rounded
        assert round_price(rounded, Side.SELL, grid) == rounded


@given(PRICES, SIDES, GRIDS)
def test_rounding_moves_a_price_by_less_than_one_step(
    price: Decimal, side: Side, grid: PriceGrid
) -> None:
    rounded = round_price(price, side, grid)

    assert abs(rounded - price) < max(grid.step_at(price), grid.step_at(max(rounded, price)))


@given(PRICES, PRICES, SIDES, GRIDS)
def test_rounding_keeps_the_order_of_prices(
    one: Decimal, other: Decimal, side: Side, grid: PriceGrid
) -> None:
    low, high = sorted((one, other))

    assert round_price(low, side, grid) <= round_price(high, side, grid)


@pytest.mark.parametrize(
    ("price", "digits", "decimals", "buy", "sell"),
    [
        ("123456.7", 5, 6, "123456", "123457"),  # integers are always allowed
        ("1234.56", 5, 6, "1234.5", "1234.6"),
        ("0.00123456", 5, 6, "0.001234", "0.001235"),
        ("99999.5", 5, 6, "99999", "100000"),
        ("0.0000001", 5, 6, "0", "0.000001"),
    ],
)
def test_significant_digits_follow_the_venues_examples(
    price: str, digits: int, decimals: int, buy: str, sell: str
) -> None:
    grid = SignificantDigits(digits, decimals)

    assert round_price(Decimal(price), Side.BUY, grid) == Decimal(buy)
    assert round_price(Decimal(price), Side.SELL, grid) == Decimal(sell)


@pytest.mark.parametrize(
    ("price", "buy", "sell"),
    [
        ("0.99995", "0.9999", "1"),
        ("99.995", "99.99", "100"),
        ("998.1", "998.0", "998.5"),
        ("999.9", "999.5", "1000"),
        ("1001", "1000", "1005"),
    ],
)
def test_a_price_at_the_edge_of_a_band_lands_on_the_edge(price: str, buy: str, sell: str) -> None:
    assert round_price(Decimal(price), Side.BUY, BANDS) == Decimal(buy)
    assert round_price(Decimal(price), Side.SELL, BANDS) == Decimal(sell)


@given(GRIDS, SIDES, st.decimals(max_value=0, places=2, min_value=-100))
def test_a_price_of_zero_or_less_gives_no_price(
    grid: PriceGrid, side: Side, price: Decimal
) -> None:
    assert round_price(price, side, grid) == 0


def test_significant_digits_have_a_step_at_zero() -> None:
    assert SignificantDigits(5, 6).step_at(Decimal(0)) == Decimal("0.000001")


@pytest.mark.parametrize(
    "make",
    [
        lambda: ConstantStep(Decimal(0)),
        lambda: ConstantStep(Decimal(-1)),
        lambda: SignificantDigits(0, 2),
        lambda: SignificantDigits(5, -1),
        lambda: PriceBands(()),
        lambda: PriceBands(((Decimal(1), Decimal(1)),)),
        lambda: PriceBands(((Decimal(0), Decimal(1)), (Decimal(0), Decimal(2)))),
        lambda: PriceBands(((Decimal(0), Decimal(1)), (Decimal(5), Decimal(0)))),
        lambda: PriceBands(((Decimal(0), Decimal(1)), (Decimal(5), Decimal(2)))),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"not above zero|no grid|must start|its own tick"):
        make()

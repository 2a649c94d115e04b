"""What a limit of size makes of a quantity: orders that the venue takes, all of them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Balance, MarketLook
from fairlead.execution import portion
from fairlead.model import ZERO, ConstantStep, Instrument, MarketId

INSTRUMENT = Instrument(
    MarketId("main", "ALT/USDT"),
    "ALT",
    "USDT",
    ConstantStep(Decimal("0.01")),
    lot=Decimal(1),
    min_quantity=Decimal(1),
    min_notional=Decimal(5),
)
EMPTY = Balance(ZERO, ZERO, ZERO)


def look(mark: str | None = "2") -> MarketLook:
    return MarketLook(INSTRUMENT, None, None if mark is None else Decimal(mark), EMPTY, EMPTY, ZERO)


def test_what_is_within_the_limit_goes_whole() -> None:
    assert portion(Decimal(151), None, look()) == 151
    assert portion(Decimal(151), Decimal(151), look()) == 151


def test_a_rest_that_could_stand_alone_is_left_for_the_next_order() -> None:
    assert portion(Decimal(300), Decimal(150), look()) == 150


def test_a_rest_below_the_minimum_is_shared_instead() -> None:
    assert portion(Decimal(151), Decimal(150), look()) == 75


def test_without_a_price_the_limit_decides() -> None:
    assert portion(Decimal(151), Decimal(150), look(mark=None)) == 150


@given(left=st.integers(6, 2_000), most=st.integers(6, 2_000))
def test_no_rest_stays_that_no_venue_takes(left: int, most: int) -> None:
    rest, orders = Decimal(left), []
    while rest > 0 and INSTRUMENT.below_minimum(Decimal(2), rest) is None:
        orders.append(portion(rest, Decimal(most), look()))
        rest -= orders[-1]

    assert rest == 0
    assert all(ZERO < order <= most for order in orders)
    assert [one for one in orders if INSTRUMENT.below_minimum(Decimal(2), one) is not None] == []

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import PnlBook, PnlParts, exactly
from fairlead.model import Side
from tests.fairlead.ledger.factories import D

marks = st.lists(st.decimals("0.00000001", "999999", places=8), min_size=2, max_size=30)
numbers = st.decimals("-9999", "9999", places=8)


@given(marks, numbers, numbers)
def test_marks_between_events_cost_nothing_and_lose_nothing(
    path: list[Decimal], quantity: Decimal, target: Decimal
) -> None:
    # given one book that looks at every mark, and one that looks at the last only
    often = PnlBook(quantity=quantity, target=target, multiplier=D("0.01"))
    once = PnlBook(quantity=quantity, target=target, multiplier=D("0.01"))

    for mark in path:
        often.on_mark(mark)
        assert often.parts is not None
        once.on_mark(mark)

    assert often.parts == once.parts
    with exactly():
        assert often.parts.inventory == (quantity - target) * D("0.01") * (path[-1] - path[0])
        assert often.parts.holding == target * D("0.01") * (path[-1] - path[0])


def test_the_multiplier_scales_the_spread() -> None:
    book = PnlBook(multiplier=D("0.001"))
    book.on_mark(D(50000))

    booked = book.on_fill(Side.SELL, D(3), D(50010))

    assert booked.spread == D("0.03")
    assert book.value == D(-150)


def test_trading_is_the_total_without_holding() -> None:
    parts = PnlParts(D(1), D(2), D(4), D(8), D(16), D(32))

    assert parts.total == 63
    assert parts.trading == 59


def test_funding_and_other_are_booked_as_they_come() -> None:
    book = PnlBook()

    book.on_funding(D("-0.5"))
    book.on_other(D(2))

    assert book.parts == PnlParts(funding=D("-0.5"), other=D(2))
    assert book.value is None


def test_a_base_fee_shrinks_the_position() -> None:
    book = PnlBook(quantity=D(10))
    book.on_mark(D(2))

    value = book.on_fee(D("0.5"), D(2), in_base=True)

    assert value == 1
    assert book.quantity == D("9.5")
    assert book.parts.total == -1

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import TradeBook
from fairlead.model import Side

BUY, SELL = Side.BUY, Side.SELL
ZERO = Decimal(0)


def fill(
    book: TradeBook, order: str, side: Side, quantity: str, price: str, fee: str = "0"
) -> Decimal | None:
    book.on_fill(order, side, Decimal(quantity), Decimal(price), Decimal(fee))
    return book.on_final(order)


def test_an_order_that_only_grows_the_gap_is_no_trade() -> None:
    assert fill(TradeBook(), "one", BUY, "2", "100") is None


def test_a_trade_is_realised_at_average_cost_less_both_fees() -> None:
    book = TradeBook()
    fill(book, "one", BUY, "1", "100", "0.1")
    fill(book, "two", BUY, "1", "102", "0.3")

    half = fill(book, "three", SELL, "1", "103", "0.2")
    rest = fill(book, "four", SELL, "1", "100")

    assert half == Decimal(103) - 101 - Decimal("0.2") - Decimal("0.2")
    assert rest == Decimal(100) - 101 - Decimal("0.2")


def test_a_trade_is_the_whole_order_however_many_fills_it_had() -> None:
    book = TradeBook()
    fill(book, "one", SELL, "2", "100")
    book.on_fill("two", BUY, Decimal(1), Decimal(99), ZERO)
    book.on_fill("two", BUY, Decimal(1), Decimal(102), ZERO)

    assert book.on_final("two") == -1
    assert book.on_final("two") is None


def test_a_flip_counts_its_closing_part_and_opens_the_rest() -> None:
    book = TradeBook()
    fill(book, "one", BUY, "1", "100")

    assert fill(book, "two", SELL, "3", "101", "0.3") == 1 - Decimal("0.1")
    assert book.gap == -2
    assert fill(book, "three", BUY, "2", "101") == -Decimal("0.2")


def test_a_target_that_moves_opens_at_the_mark() -> None:
    book = TradeBook()

    book.aim(Decimal(5), Decimal(100))

    assert fill(book, "one", SELL, "5", "101") == 5


def test_a_target_that_comes_closer_takes_its_share_of_the_fees_along() -> None:
    book = TradeBook()
    fill(book, "one", BUY, "4", "100", "1")

    book.aim(Decimal(1), Decimal(90))

    assert fill(book, "two", SELL, "1", "100") == -Decimal("0.25")


def test_a_target_on_the_other_side_begins_anew() -> None:
    book = TradeBook()
    fill(book, "one", BUY, "4", "100", "1")

    book.aim(Decimal(-1), Decimal(90))

    assert fill(book, "two", BUY, "1", "80") == 10


@pytest.mark.parametrize("multiplier", ["1", "10"])
def test_contracts_count_by_their_size(multiplier: str) -> None:
    book = TradeBook(multiplier=Decimal(multiplier))
    fill(book, "one", BUY, "1", "100")

    assert fill(book, "two", SELL, "1", "101") == Decimal(multiplier)


FILLS = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(90, 110), st.integers(-2, 2)),
    max_size=20,
)


@given(FILLS)
def test_closed_trades_add_up_to_what_came_in_once_all_is_closed(
    fills: list[tuple[Side, int, int, int]],
) -> None:
    book, cash, held = TradeBook(), ZERO, 0
    results = ZERO
    for number, (side, quantity, price, fee) in enumerate(fills):
        found = fill(book, str(number), side, str(quantity), str(price), str(fee))
        results += found or ZERO
        cash -= side.sign * quantity * price + fee
        held += side.sign * quantity

    if held:
        side = SELL if held > 0 else BUY
        results += fill(book, "last", side, str(abs(held)), "100") or ZERO
        cash += held * 100

    assert round(results - cash, 20) == 0

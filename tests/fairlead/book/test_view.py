from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import BookView
from fairlead.book import CONTIGUOUS, Book, Depth
from fairlead.model import BookSnapshot, Level, MarketId, Scale, Side

MARKET = MarketId("main", "ALT/USDT")
SCALE = Scale(price_decimals=2, quantity_decimals=1)
BIDS = ((99_99, 10), (99_98, 30), (99_90, 500))
ASKS = ((100_02, 30), (100_03, 20), (100_10, 500))


def book(bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> Book:
    made = Book(MARKET, CONTIGUOUS)
    made.on_snapshot(BookSnapshot(MARKET, 1, 2, 3, bids, asks, SCALE))
    return made


def view(made: Book, own: dict[tuple[Side, int], int] | None = None) -> BookView:
    shown = made.view(own)
    assert shown is not None
    return shown


def depth(price: str, quantity: str) -> Depth:
    return Depth(Decimal(price), Decimal(quantity))


def test_a_view_shows_the_best_levels_in_decimals() -> None:
    shown = view(book())

    assert shown.best_bid == depth("99.99", "1.0")
    assert shown.best_ask == depth("100.02", "3.0")
    assert shown.depth(Side.BUY, 2) == (depth("99.99", "1.0"), depth("99.98", "3.0"))
    assert shown.depth(Side.SELL, 9)[2] == depth("100.10", "50.0")
    assert shown.depth(Side.SELL, 0) == ()


def test_the_mid_is_exact() -> None:
    assert str(view(book()).mid) == "100.005"


def test_the_microprice_leans_to_the_side_with_less() -> None:
    # (99.99 × 3 + 100.02 × 1) / 4: three times as much is offered as is bid
    assert view(book()).microprice == Decimal("99.9975")


def test_the_imbalance_compares_the_first_levels() -> None:
    shown = view(book())

    assert shown.imbalance(1) == -0.5
    assert shown.imbalance(2) == pytest.approx(-1 / 9)
    with pytest.raises(ValueError, match="no meaning"):
        shown.imbalance(0)


def test_a_buyer_walks_the_asks() -> None:
    taken = view(book()).walk(Side.BUY, Decimal(4))

    assert taken is not None
    assert taken.filled == 4
    assert taken.average == Decimal("100.0225")
    assert taken.worst == Decimal("100.03")
    assert taken.complete


def test_a_walk_ends_where_the_known_depth_ends() -> None:
    taken = view(book()).walk(Side.SELL, Decimal(1_000))

    assert taken is not None
    assert (taken.filled, taken.worst, taken.complete) == (Decimal("54.0"), Decimal("99.90"), False)


def test_a_walk_within_one_level_has_its_price_to_the_digit() -> None:
    taken = view(book()).walk(Side.SELL, Decimal("0.3"))

    assert taken is not None
    assert str(taken.average) == "99.99"


def test_a_walk_needs_a_quantity() -> None:
    with pytest.raises(ValueError, match="not above zero"):
        view(book()).walk(Side.BUY, Decimal(0))


def test_own_orders_are_subtracted_only_when_named() -> None:
    own = {(Side.BUY, 99_99): 10, (Side.SELL, 100_02): 5, (Side.SELL, 99_98): 30}

    shown = view(book(), own)

    assert view(book()).best_bid == depth("99.99", "1.0")
    assert shown.best_bid == depth("99.98", "3.0"), "nothing of others is left at 99.99"
    assert shown.best_ask == depth("100.02", "2.5")
    assert shown.depth(Side.BUY, 5) == (depth("99.98", "3.0"), depth("99.90", "50.0"))
    assert shown.walk(Side.BUY, Decimal(3)) is not None


def test_own_orders_larger_than_the_level_make_it_vanish() -> None:
    assert view(book(), {(Side.BUY, 99_99): 999}).best_bid == depth("99.98", "3.0")


def test_a_side_of_own_orders_alone_is_no_market() -> None:
    made = book(bids=((99_99, 10),))

    assert made.view({(Side.BUY, 99_99): 10}) is None
    assert made.view() is not None


def test_there_is_no_view_without_two_sides() -> None:
    assert book(asks=()).view() is None
    assert Book(MARKET, CONTIGUOUS).view() is None


@given(
    asks=st.dictionaries(st.integers(1, 30), st.integers(1, 9), min_size=1),
    own=st.dictionaries(st.integers(1, 30), st.integers(1, 9)),
    quantity=st.decimals("0.01", "30", places=2),
)
def test_a_walk_never_takes_more_or_pays_worse_than_the_others_offer(
    asks: dict[int, int], own: dict[int, int], quantity: Decimal
) -> None:
    made = book(bids=((0, 1),), asks=tuple(asks.items()))
    shown = made.view({(Side.SELL, price): size for price, size in own.items()})
    left = {price: size - own.get(price, 0) for price, size in asks.items()}
    offered = Decimal(sum(size for size in left.values() if size > 0)).scaleb(-1)
    if shown is None:
        assert offered == 0
        return

    taken = shown.walk(Side.BUY, quantity)

    assert taken is not None
    assert taken.filled == min(quantity, offered)
    assert taken.complete == (quantity <= offered)
    assert shown.best_ask.price <= taken.average <= taken.worst

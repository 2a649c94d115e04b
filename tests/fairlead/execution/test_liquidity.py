"""Whether a book bears a size: the walk, the score, and what is recommended."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import BookView
from fairlead.execution import LiquidityLimits, Recommendation, analyze, offered
from fairlead.model import Side
from fairlead.testing import book_view, instrument

MARKET = instrument(lot="0.1")


def book(asks: list[tuple[str, str]], bids: list[tuple[str, str]] | None = None) -> BookView:
    return book_view(bids or [("99.98", "100")], asks)


def test_a_size_is_walked_through_the_levels() -> None:
    seen = analyze(book([("100.02", "4"), ("100.10", "10")]), MARKET, Side.BUY, Decimal(8))

    assert seen.sufficient
    assert seen.available == 8
    assert seen.average == Decimal("100.06")
    assert seen.slippage is not None
    assert seen.slippage.quote == Decimal("0.48")
    assert seen.slippage.fraction == Decimal("0.0006")
    assert seen.spread_bps == 4


def test_a_seller_is_judged_by_the_bids() -> None:
    shown = book([("100.02", "4")], [("99.98", "1"), ("99.38", "1")])

    seen = analyze(shown, MARKET, Side.SELL, Decimal(2))

    assert seen.average == Decimal("99.68")
    assert seen.slippage is not None
    assert seen.slippage.bps == 32


@pytest.mark.parametrize(
    ("ask", "recommended"),
    [
        ("100.10", Recommendation.MARKET_ACCEPTABLE),
        ("100.11", Recommendation.USE_LIMIT),
        ("100.50", Recommendation.USE_LIMIT),
        ("100.51", Recommendation.HIGH_SLIPPAGE),
    ],
)
def test_the_slippage_decides_what_is_recommended(ask: str, recommended: Recommendation) -> None:
    shown = book_view([(str(200 - Decimal(ask)), "9")], [(ask, "9")])

    seen = analyze(shown, MARKET, Side.BUY, Decimal(5))

    assert seen.recommendation is recommended


def test_limits_can_be_set() -> None:
    shown = book_view([("99.90", "9")], [("100.10", "9")])

    strict = analyze(
        shown, MARKET, Side.BUY, Decimal(5), LiquidityLimits(Decimal("0.0001"), Decimal("0.0005"))
    )

    assert strict.recommendation is Recommendation.HIGH_SLIPPAGE


def test_where_the_depth_ends_nothing_is_promised() -> None:
    seen = analyze(book([("100.02", "4")]), MARKET, Side.BUY, Decimal(5))

    assert not seen.sufficient
    assert seen.available == 4
    assert seen.average is None
    assert seen.slippage is None
    assert seen.recommendation is Recommendation.INSUFFICIENT_DEPTH


def test_the_score_weighs_depth_slippage_and_spread() -> None:
    # Depth 6 of 3 x 4; slippage 25 of 50 bps; spread 50 of 50 bps: 0.5 x 0.5 + 0.3 x 0.5 + 0.
    shown = book_view([("99.75", "9")], [("100.25", "6"), ("101", "90")])

    seen = analyze(shown, MARKET, Side.BUY, Decimal(4))

    assert seen.score == pytest.approx(0.4)


def test_what_is_offered_is_counted_beyond_the_first_look() -> None:
    asks = [(Decimal(100) + Decimal(n) / 100, "1") for n in range(1, 201)]
    shown = book_view([("99", "1")], asks)

    assert offered(shown, Side.BUY, Decimal("101.50")) == 150
    assert offered(shown, Side.BUY, Decimal(200)) == 200
    assert offered(shown, Side.BUY, Decimal(100)) == 0
    assert offered(shown, Side.SELL, Decimal("99.01")) == 0


@pytest.mark.parametrize(
    "limits",
    [
        {"acceptable": Decimal("0.01")},
        {"acceptable": Decimal(0)},
        {"high": Decimal(1)},
        {"depth_factor": 0},
    ],
)
def test_limits_that_mean_nothing_are_refused(limits: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match=r"must hold|below 1"):
        LiquidityLimits(**limits)  # type: ignore[arg-type]  # one of them is the whole number


def test_a_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not above zero"):
        analyze(book([("100.02", "4")]), MARKET, Side.BUY, Decimal(0))


SIZES = st.integers(1, 400).map(lambda units: Decimal(units) / 10)
ASKS = st.lists(
    st.tuples(st.integers(10_001, 10_400), st.integers(1, 100)),
    min_size=1,
    max_size=8,
    unique_by=lambda level: level[0],
).map(lambda levels: [(Decimal(p) / 100, Decimal(q) / 10) for p, q in sorted(levels)])


@given(asks=ASKS, size=SIZES)
def test_a_larger_size_is_never_judged_better(
    asks: list[tuple[Decimal, Decimal]], size: Decimal
) -> None:
    shown = book_view([("99.99", "5")], asks)

    less, more = (analyze(shown, MARKET, Side.BUY, part) for part in (size, 2 * size))

    assert 0 <= more.score <= less.score <= 1
    if more.slippage is not None:
        assert less.slippage is not None
        assert more.slippage.fraction >= less.slippage.fraction > 0
    order = [
        Recommendation.MARKET_ACCEPTABLE,
        Recommendation.USE_LIMIT,
        Recommendation.HIGH_SLIPPAGE,
        Recommendation.INSUFFICIENT_DEPTH,
    ]
    assert order.index(more.recommendation) >= order.index(less.recommendation)

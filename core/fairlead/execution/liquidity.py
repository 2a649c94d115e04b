"""Judge whether a book bears a size: walk it, score it, and say how to trade there.

Books come net of own orders where they are in them, so nothing here counts its own depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fairlead.api import BookView, Depth
from fairlead.execution.admission import price_bound
from fairlead.execution.slippage import Slippage, expected_slippage
from fairlead.model import ONE, ZERO, Instrument, Side, clamp, statistic

__all__ = [
    "CUSHION",
    "Liquidity",
    "LiquidityLimits",
    "Recommendation",
    "analyze",
    "needed_price",
    "offered",
]

#: How far the price may run away while an order that takes is on its way, as a share of it.
CUSHION = Decimal("0.001")


_DEPTH_PART, _SLIPPAGE_PART, _SPREAD_PART = Decimal("0.5"), Decimal("0.3"), Decimal("0.2")
# How many levels are looked at first; twice as many whenever they do not reach.
_LEVELS = 32


class Recommendation(StrEnum):
    """How a size is best traded on a book."""

    #: Slippage above ``acceptable``, up to ``high``: taking costs, resting saves it.
    USE_LIMIT = "USE_LIMIT"
    #: Slippage up to ``acceptable``: taking at once is cheap.
    MARKET_ACCEPTABLE = "MARKET_ACCEPTABLE"
    #: Slippage above ``high``: do not take it at once.
    HIGH_SLIPPAGE = "HIGH_SLIPPAGE"
    #: The known depth ends before the size.
    INSUFFICIENT_DEPTH = "INSUFFICIENT_DEPTH"


@dataclass(frozen=True, slots=True)
class LiquidityLimits:
    """Where the recommendations part, as shares of the mid; both bounds are inclusive."""

    acceptable: Decimal = Decimal("0.001")
    high: Decimal = Decimal("0.005")
    #: So many times the size within ``high`` of the mid count as full depth.
    depth_factor: int = 3

    def __post_init__(self) -> None:
        if not ZERO < self.acceptable < self.high < ONE:
            raise ValueError("0 < acceptable < high < 1 must hold")
        if self.depth_factor < 1:
            raise ValueError(f"depth_factor {self.depth_factor} is below 1")


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What a book means for one size."""

    #: Whether the known depth holds the whole size.
    sufficient: bool
    #: What the known depth holds of it, base units or contracts.
    available: Decimal
    #: The volume-weighted price of taking all of it; None when it is not all there.
    average: Decimal | None
    slippage: Slippage | None
    spread_bps: Decimal
    #: From 0 to 1, for showing; nothing is decided by it.
    score: float
    recommendation: Recommendation


def analyze(
    book: BookView,
    instrument: Instrument,
    side: Side,
    quantity: Decimal,
    limits: LiquidityLimits | None = None,
) -> Liquidity:
    """Say what taking ``quantity`` (base units or contracts, above zero) would mean now.

    The score is 50 % depth, 30 % slippage, 20 % spread, each from 0 to 1:

    - depth: what is offered within ``high`` of the mid, over ``depth_factor`` times the size;
    - slippage: 1 at none (or better), 0 at ``high`` or more, and where the depth ends;
    - spread: 1 at none, 0 at ``high`` or wider.

    :raises ValueError: when the quantity is not above zero.
    """
    if quantity <= ZERO:
        raise ValueError(f"quantity {quantity} is not above zero")
    limits = limits or LiquidityLimits()
    mid, spread = book.mid, book.best_ask.price - book.best_bid.price
    walk = book.walk(side, quantity)
    slippage = expected_slippage(side, quantity, book, instrument)
    near = offered(book, side, mid * (ONE + side.sign * limits.high))
    parts = (
        (_DEPTH_PART, near / (limits.depth_factor * quantity)),
        (_SLIPPAGE_PART, ZERO if slippage is None else ONE - slippage.fraction / limits.high),
        (_SPREAD_PART, ONE - spread / mid / limits.high),
    )
    score = sum((weight * clamp(part, ZERO, ONE) for weight, part in parts), start=ZERO)
    return Liquidity(
        sufficient=slippage is not None,
        available=ZERO if walk is None else walk.filled,
        average=None if walk is None or slippage is None else walk.average,
        slippage=slippage,
        spread_bps=(spread / mid).scaleb(4),
        score=statistic(score),
        recommendation=_recommended(slippage, limits),
    )


def offered(book: BookView, side: Side, bound: Decimal) -> Decimal:
    """Give how much a taker of ``side`` finds at ``bound`` or better."""
    total = ZERO
    for level in _outwards(book, side.opposite):
        if side.sign * level.price > side.sign * bound:
            break
        total += level.quantity
    return total


def needed_price(
    book: BookView | None,
    side: Side,
    quantity: Decimal,
    bound: Decimal,
    cushion: Decimal = CUSHION,
) -> Decimal:
    """Give the price at which an order takes ``quantity`` now; never beyond ``bound``.

    It is the deepest price that walking the book reaches, and ``cushion`` (a share of it) beyond.
    Where the known depth ends before the size, it is the end of that depth: what it leaves is for
    the next look. Without a book it is the bound.
    """
    walk = None if book is None or quantity <= ZERO else book.walk(side, quantity)
    return bound if walk is None else price_bound(side, walk.worst, cushion, bound)


def _recommended(slippage: Slippage | None, limits: LiquidityLimits) -> Recommendation:
    if slippage is None:
        return Recommendation.INSUFFICIENT_DEPTH
    if slippage.fraction <= limits.acceptable:
        return Recommendation.MARKET_ACCEPTABLE
    if slippage.fraction <= limits.high:
        return Recommendation.USE_LIMIT
    return Recommendation.HIGH_SLIPPAGE


def _outwards(book: BookView, side: Side) -> Iterator[Depth]:
    seen, wanted = 0, _LEVELS
    while True:
        levels = book.depth(side, wanted)
        yield from levels[seen:]
        if len(levels) < wanted:
            return
        seen, wanted = wanted, 2 * wanted

"""Value assets in one currency: direct, inverse, or over one other asset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal

from fairlead.model import ONE, MarketId

__all__ = ["Marks", "Rate"]

# A rate that had to be divided or multiplied is rounded once, here; everything after is exact.
_DERIVED = Context(prec=18)


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of an asset is worth, since when that is known, and over which markets."""

    value: Decimal
    #: When the older of the marks on the way was in force; None for the currency itself.
    known_ns: int | None
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mark:
    base: str
    quote: str
    mid: Decimal
    known_ns: int


class Marks:
    """The last valid mid of every market, and the ways from an asset to a currency.

    A path is the market itself (direct), the market read backwards (inverse), or two of these
    over one other asset. A shorter path wins; of equals the freshest.
    """

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._marks: dict[MarketId, _Mark] = {}

    def update(self, market: MarketId, base: str, quote: str, mid: Decimal, at_ns: int) -> None:
        """Note that ``mid`` of a valid book is in force at ``at_ns``, changed or not."""
        self._marks[market] = _Mark(base, quote, mid, at_ns)

    def mid(self, market: MarketId) -> Decimal | None:
        """Give the last valid mid of one market; None before the first."""
        mark = self._marks.get(market)
        return None if mark is None else mark.mid

    def known_ns(self, market: MarketId) -> int | None:
        """Say when the mark of one market was last in force."""
        mark = self._marks.get(market)
        return None if mark is None else mark.known_ns

    def rate(self, asset: str) -> Rate | None:
        """Give the currency per unit of ``asset``; None = no mark path, never zero.

        The caller bounds the age: `Rate.known_ns`.
        """
        if asset == self._currency:
            return Rate(ONE, None)
        short = list(self._steps(asset, self._currency))
        if short:
            return max(short, key=_freshness)
        middles = {m.quote if m.base == asset else m.base for m in self._marks.values()}
        long = [
            _joined(first, second)
            for middle in sorted(middles - {asset, self._currency})
            for first in self._steps(asset, middle)
            for second in self._steps(middle, self._currency)
        ]
        return max(long, key=_freshness) if long else None

    def _steps(self, asset: str, into: str) -> Iterator[Rate]:
        for market, mark in self._marks.items():
            if (mark.base, mark.quote) == (asset, into):
                yield Rate(mark.mid, mark.known_ns, (str(market),))
            elif (mark.quote, mark.base) == (asset, into) and mark.mid > 0:
                yield Rate(_DERIVED.divide(ONE, mark.mid), mark.known_ns, (f"1/{market}",))


def _joined(first: Rate, second: Rate) -> Rate:
    known = min(first.known_ns or 0, second.known_ns or 0)
    value = _DERIVED.multiply(first.value, second.value)
    return Rate(value, known, first.path + second.path)


def _freshness(rate: Rate) -> int:
    return rate.known_ns or 0

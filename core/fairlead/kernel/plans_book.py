"""Count what the orders of one plan filled: each fill once, those of before a restart included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from fairlead.api import Progress
from fairlead.model import ZERO, Fill, Instrument, Liquidity, MarketId, Purpose, Side
from fairlead.store import ExecutionFill

__all__ = ["PlanBook"]


@dataclass(slots=True)
class _Sum:
    # What fills of one kind add up to.
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    weighted: Decimal = ZERO
    maker: Decimal = ZERO
    fills: int = 0
    fees: dict[str, Decimal] = field(default_factory=dict)
    first_ns: int | None = None
    last_ns: int | None = None
    #: Sum of quantity x mid at the orders' own decision, and of the quantity that had one.
    mids: Decimal = ZERO
    with_mid: Decimal = ZERO

    def add(self, other: _Sum) -> None:
        self.quantity += other.quantity
        self.value += other.value
        self.weighted += other.weighted
        self.maker += other.maker
        self.fills += other.fills
        self.mids += other.mids
        self.with_mid += other.with_mid
        for asset, fee in other.fees.items():
            self.fees[asset] = self.fees.get(asset, ZERO) + fee
        known = [at for at in (self.first_ns, other.first_ns) if at is not None]
        self.first_ns = min(known, default=None)
        known = [at for at in (self.last_ns, other.last_ns) if at is not None]
        self.last_ns = max(known, default=None)


#: Market, side and slot level of an order, and whether it was new risk.
_Key = tuple[MarketId, Side, int, bool]


class PlanBook:
    """The fills of one plan, by market, side and level."""

    def __init__(self, instruments: Mapping[MarketId, Instrument]) -> None:
        self._instruments = instruments
        self._sums: dict[_Key, _Sum] = {}

    @property
    def traded(self) -> tuple[tuple[MarketId, Side], ...]:
        """Name the markets and sides with a fill, in the order of the first of each."""
        return tuple(dict.fromkeys((market, side) for market, side, _, _ in self._sums))

    def add(self, fill: Fill, level: int, purpose: Purpose, mid: Decimal | None) -> None:
        """Count a fill; ``mid`` is that of its order's decision."""
        part = ExecutionFill(
            market=str(fill.market),
            side=fill.side,
            level=level,
            purpose=purpose,
            price=fill.price,
            quantity=fill.quantity,
            fee=fill.fee,
            fee_asset=fill.fee_asset,
            liquidity=fill.liquidity,
            booked_ns=fill.local_ns,
            mid=mid,
        )
        self.recall(part)

    def recall(self, fill: ExecutionFill) -> None:
        """Count a fill as it was stored."""
        market = MarketId.parse(fill.market)
        instrument, quantity = self._instruments[market], fill.quantity
        key = (market, fill.side, fill.level, fill.purpose is Purpose.ENTRY)
        self._sums.setdefault(key, _Sum()).add(
            _Sum(
                quantity=quantity,
                value=instrument.notional(fill.price, quantity),
                weighted=fill.price * quantity,
                maker=quantity if fill.liquidity is Liquidity.MAKER else ZERO,
                fills=1,
                fees={fill.fee_asset: fill.fee},
                first_ns=fill.booked_ns,
                last_ns=fill.booked_ns,
                mids=ZERO if fill.mid is None else fill.mid * quantity,
                with_mid=ZERO if fill.mid is None else quantity,
            )
        )

    def progress(
        self,
        market: MarketId | None = None,
        side: Side | None = None,
        level: int | None = None,
        *,
        entry: bool | None = None,
    ) -> Progress:
        """Add up the fills that are asked for; ``entry``: only new risk, or only the rest."""
        total = self._total(market, side, level, entry=entry)
        return Progress(
            quantity=total.quantity,
            value=total.value,
            weighted=total.weighted,
            maker=total.maker,
            fills=total.fills,
            fees=tuple(sorted(total.fees.items())),
            first_ns=total.first_ns,
            last_ns=total.last_ns,
        )

    def exposure(self, market: MarketId) -> Decimal:
        """Give bought less sold there; base units or contracts."""
        return sum(
            (key[1].sign * one.quantity for key, one in self._sums.items() if key[0] == market),
            start=ZERO,
        )

    def mid(self, market: MarketId, side: Side, *, entry: bool | None = None) -> Decimal | None:
        """Give the mid at the orders' own decisions, weighted by what they filled; None = unknown.

        Unknown is also what only a part of the fills has.
        """
        total = self._total(market, side, None, entry=entry)
        if not total.quantity or total.with_mid != total.quantity:
            return None
        return total.mids / total.quantity

    def _total(
        self,
        market: MarketId | None,
        side: Side | None,
        level: int | None,
        *,
        entry: bool | None,
    ) -> _Sum:
        total = _Sum()
        for one in self._chosen(market, side, level, entry):
            total.add(one)
        return total

    def _chosen(
        self, market: MarketId | None, side: Side | None, level: int | None, entry: bool | None
    ) -> Iterator[_Sum]:
        for (its_market, its_side, its_level, its_entry), one in self._sums.items():
            if (
                (market is None or its_market == market)
                and (side is None or its_side is side)
                and (level is None or its_level == level)
                and (entry is None or its_entry is entry)
            ):
                yield one

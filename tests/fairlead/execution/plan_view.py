"""What a plan sees of the kit that works it, and its fills added up as the kernel does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from fairlead.api import Balance, MarketLook, OrderView, Progress
from fairlead.model import ZERO, Fill, Instrument, Liquidity, MarketId, Side

if TYPE_CHECKING:
    from tests.fairlead.execution.plan_kernel import PlanKernel

_PLENTY = Balance(Decimal(1_000_000), ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class KitView:
    """What the executor sees: the kit at this instant."""

    kit: PlanKernel

    @property
    def now_ns(self) -> int:
        return self.kit.now_ns

    @property
    def tick_ns(self) -> int:
        return self.kit.tick_ns

    @property
    def orders(self) -> Sequence[OrderView]:
        return tuple(self.kit.live.values())

    def market(self, market: MarketId) -> MarketLook:
        instrument, book = self.kit.instruments[market], self.kit.books.get(market)
        balances = self.kit.balances
        return MarketLook(
            instrument=instrument,
            book=book,
            mark=self.kit.marks.get(market),
            base=balances.get((market.venue, instrument.base), _PLENTY),
            quote=balances.get((market.venue, instrument.quote), _PLENTY),
            position=self.exposure(market),
        )

    def done(
        self, market: MarketId | None = None, side: Side | None = None, level: int | None = None
    ) -> Progress:
        return progress(
            [
                (fill, self.kit.instruments[slot.market])
                for fill, slot in self.kit.fills
                if (market is None or slot.market == market)
                and (side is None or slot.side is side)
                and (level is None or slot.level == level)
            ]
        )

    def exposure(self, market: MarketId) -> Decimal:
        bought = self.done(market, Side.BUY).quantity
        return bought - self.done(market, Side.SELL).quantity

    def rate(self, asset: str) -> Decimal | None:
        return self.kit.rates.get(asset)


def progress(fills: Sequence[tuple[Fill, Instrument]]) -> Progress:
    """Add fills up as the kernel does."""
    fees: dict[str, Decimal] = {}
    for fill, _ in fills:
        fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) + fill.fee
    return Progress(
        quantity=sum((fill.quantity for fill, _ in fills), start=ZERO),
        value=sum((traded.notional(fill.price, fill.quantity) for fill, traded in fills), ZERO),
        weighted=sum((fill.price * fill.quantity for fill, _ in fills), ZERO),
        maker=sum((f.quantity for f, _ in fills if f.liquidity is Liquidity.MAKER), ZERO),
        fills=len(fills),
        fees=tuple(sorted(fees.items())),
        first_ns=fills[0][0].local_ns if fills else None,
        last_ns=fills[-1][0].local_ns if fills else None,
    )

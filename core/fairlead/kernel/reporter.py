"""Journal what a tick, a fill and a markout were, for traces, reports and explanations."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fairlead.kernel.resting import Levels
from fairlead.kernel.ticker import Tick
from fairlead.ledger import BookedFill, MarkoutResult, StrategyLedger
from fairlead.model import ConstantStep, Fill, Instrument, OrderIntent, trimmed
from fairlead.store import FillBooked, Journal, MarkoutKnown, QuotesSampled, TickPassed
from fairlead.trackers import Feed

__all__ = ["Reporter", "found_rules"]


def found_rules(instruments: Iterable[Instrument]) -> tuple[str, ...]:
    """Say of which markets the trading rules are only what the data shows."""
    return tuple(
        f"{instrument.market}: tick {_step(instrument)} and lot {trimmed(instrument.lot)} were "
        "found in the data, minimums are unknown"
        for instrument in instruments
        if instrument.derived
    )


def _step(instrument: Instrument) -> str:
    grid = instrument.grid
    return trimmed(grid.tick) if isinstance(grid, ConstantStep) else str(grid)


class Reporter:
    """Writes the records that say how things stand; decides nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def tick(self, tick: Tick, feed: Feed) -> None:
        """Write that a tick passed and what of the market it had seen."""
        self._journal.append(
            TickPassed(
                number=tick.number,
                skipped=tick.skipped,
                messages=feed.messages,
                digest=feed.digest,
            )
        )

    def sample(
        self,
        ledger: StrategyLedger,
        *,
        mid: Decimal | None,
        bids: Levels,
        asks: Levels,
        position: Decimal,
        equity: Decimal | None,
    ) -> None:
        """Write where a strategy stands, and the markouts that became known."""
        self.markouts(ledger.markout.take())
        parts = ledger.book.parts
        self._journal.append(
            QuotesSampled(
                strategy=ledger.terms.name,
                mid=mid,
                bid=bids[0][0] if bids else None,
                ask=asks[0][0] if asks else None,
                far_bid=bids[-1][0] if bids else None,
                far_ask=asks[-1][0] if asks else None,
                position=position,
                target=ledger.book.target,
                equity=equity,
                spread=parts.spread,
                inventory=parts.inventory,
                holding=parts.holding,
                fees=parts.fees,
                funding=parts.funding,
                total=parts.total,
            )
        )

    def fill(self, fill: Fill, intent: OrderIntent, booked: BookedFill) -> None:
        """Write a fill as it was booked."""
        slot = intent.slot
        self._journal.append(
            FillBooked(
                trade=fill.trade_id,
                order=fill.client_id,
                strategy=slot.strategy,
                market=str(slot.market),
                side=fill.side,
                level=slot.level,
                price=fill.price,
                quantity=fill.quantity,
                fee=fill.fee,
                fee_asset=fill.fee_asset,
                liquidity=fill.liquidity,
                venue_ns=fill.venue_ns,
                mark=booked.mark,
                reference=intent.reference,
                spread=booked.spread,
            )
        )

    def markouts(self, results: Iterable[MarkoutResult]) -> None:
        """Write the markouts of fills whose horizons have passed."""
        for result in results:
            self._journal.append(
                MarkoutKnown(
                    trade=result.trade,
                    strategy=result.strategy,
                    side=result.side,
                    level=result.level,
                    notional=result.notional,
                    bps=dict(result.bps),
                )
            )

"""Open the market of a paper venue: its source, its trading rules, and the exchange on it."""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.api import ConnectorContext, DataSource, MarketHint
from fairlead.book import SequenceRule
from fairlead.errors import ConfigError, Finding
from fairlead.market import SpotExchange
from fairlead.model import ConstantStep, Fees, Instrument, InstrumentKind, MarketId
from fairlead_paper.config import InstrumentTable, PaperConfig

__all__ = ["PaperMarket", "open_market"]


@dataclass(frozen=True, slots=True)
class PaperMarket:
    """A source, the exchange that follows it, and how its diffs follow one another."""

    source: DataSource
    exchange: SpotExchange
    rule: SequenceRule


def open_market(config: PaperConfig, context: ConnectorContext) -> PaperMarket:
    """Open what a venue table describes.

    :raises ConfigError: when there is no such source, or its market cannot be traded on paper.
    :raises FeedError: when the source cannot be read.
    """

    def finding(key: str, value: str, expected: str) -> ConfigError:
        return ConfigError((Finding(f"venues.{context.venue}", key, value, expected),))

    try:
        source = context.source(config.source, config.seed)
    except ValueError as error:
        raise finding("source", f'"{config.source}"', str(error)) from error
    hint = source.market()
    if hint.inverse or hint.kind is not InstrumentKind.SPOT:
        what = "an inverse contract" if hint.inverse else "a perpetual contract"
        expected = f"{hint.symbol} is {what}; paper trades spot markets, choose one"
        raise finding("source", f'"{config.source}"', expected)
    for symbol in config.instruments:
        if symbol != hint.symbol:
            expected = f"the source carries {hint.symbol} alone; write its rules or none"
            raise finding("instruments", f'"{symbol}"', expected)
    try:
        exchange = SpotExchange(
            _instrument(hint, config, context.venue),
            hint.scale,
            hint.sequence,
            {asset: amount.value for asset, amount in config.balances.items()},
            model=config.fills,
            report_ns=config.latency.orders.ns,
        )
    except ValueError as error:
        raise finding(f'instruments."{hint.symbol}"', "", str(error)) from error
    return PaperMarket(source, exchange, hint.sequence)


def _instrument(hint: MarketHint, config: PaperConfig, venue: str) -> Instrument:
    rules = config.instruments.get(hint.symbol, InstrumentTable())
    fees = Fees(config.fees.maker.value, config.fees.taker.value)
    multiplier = hint.multiplier if rules.multiplier is None else rules.multiplier.value
    if multiplier != 1:
        raise ValueError("a spot market has multiplier 1")
    return Instrument(
        market=MarketId(venue, hint.symbol),
        base=hint.base,
        quote=hint.quote,
        grid=hint.grid if rules.tick is None else ConstantStep(rules.tick.value),
        lot=hint.lot if rules.lot is None else rules.lot.value,
        min_quantity=(
            hint.min_quantity if rules.min_quantity is None else rules.min_quantity.value
        ),
        min_notional=(
            hint.min_notional if rules.min_notional is None else rules.min_notional.value
        ),
        fees=fees,
        derived=hint.derived and (rules.tick is None or rules.lot is None),
    )

"""Find what single values cannot show: venues, markets and assets that do not fit together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel

from fairlead.api import Amount
from fairlead.config.finding import finding, listed
from fairlead.config.raw import KeyPath, RawConfig, dotted
from fairlead.config.settings import VenueSettings
from fairlead.errors import ConfigError, Finding
from fairlead.model import MarketId

__all__ = ["MarketsOf", "wrong_assets", "wrong_currencies", "wrong_markets"]

#: Venue, connector and the connector's options → the symbols that it has, or why nobody knows.
#: Raises `ConfigError` for what is wrong with the options; its keys are those of the venue's table.
MarketsOf = Callable[[str, str, BaseModel], Collection[str] | str]


def wrong_markets(
    raw: RawConfig,
    markets: Mapping[str, MarketId],
    venues: Mapping[str, VenueSettings | None],
    markets_of: MarketsOf | None,
) -> Iterator[Finding]:
    """Find strategies on unknown venues or markets.

    :param markets: each strategy's market.
    :param venues: None for one that has findings of its own; its markets are not judged.
    """
    known: dict[str, Collection[str]] = {}
    for name, market in markets.items():
        path: KeyPath = ("strategies", name, "market")
        if market.venue not in venues:
            expected = f"unknown venue; {listed(venues, 'there are')}"
            yield finding(raw, path, expected, str(market))
            continue
        venue = venues[market.venue]
        if venue is None or markets_of is None:
            continue
        if market.venue not in known:
            place: KeyPath = ("venues", market.venue)
            symbols: Collection[str] | str = ()
            try:
                symbols = markets_of(market.venue, venue.connector, venue.options)
            except ConfigError as error:
                for found in error.findings:
                    path_of_key = (*place, *found.key.split("."))
                    yield replace(found, place=raw.place(path_of_key), key=dotted(path_of_key))
            if isinstance(symbols, str):
                yield finding(raw, place, f"its markets are unknown: {symbols}")
            known[market.venue] = () if isinstance(symbols, str) else symbols
        if known[market.venue] and market.symbol not in known[market.venue]:
            names = [f"{market.venue}:{symbol}" for symbol in sorted(known[market.venue])]
            expected = f"unknown market; {listed(names, 'the venue has')}"
            yield finding(raw, path, expected, str(market))


def wrong_assets(
    raw: RawConfig, strategy: str, market: MarketId, options: BaseModel
) -> Iterator[Finding]:
    """Find amounts of a strategy in assets that its market does not trade."""
    base, _, rest = market.symbol.partition("/")
    quote = rest.partition(":")[0]
    for path, amount in _amounts(options, ("strategies", strategy)):
        if amount.asset not in {base, quote}:
            yield finding(raw, path, f"write it in {base} or {quote}, as it is traded", str(amount))


def wrong_currencies(
    raw: RawConfig,
    risk: Mapping[str, BaseModel],
    currency: str,
    markets: Mapping[str, MarketId],
) -> Iterator[Finding]:
    """Find limits that are not in the engine's currency.

    Beside its limit a rule may bound a quantity, which is in the base asset of a market.
    """
    bases = [market.symbol.partition("/")[0] for market in markets.values()]
    for name, rule in risk.items():
        for path, amount in _amounts(rule, ("risk", name)):
            assets = [currency] if path[-1] == "limit" else [currency, *bases]
            if amount.asset not in assets:
                right = " or ".join(dict.fromkeys(assets))
                expected = f"write it in {right}; {currency} is the engine's currency"
                yield finding(raw, path, expected, str(amount))


def _amounts(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, Amount]]:
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, Amount):
        yield path, value
    elif isinstance(value, BaseModel):
        items = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        items = ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        items = enumerate(value)
    for key, inner in items:
        # A plugin's own keys stand beside the engine's in the file, not below "options".
        yield from _amounts(inner, path if key == "options" else (*path, key))

"""Say what a simulation runs: an engine's configuration, and the venues that it meets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fairlead.api import Amount, Offers, Registry, Replace
from fairlead.config import RawConfig, Settings, enabled, load, resolve
from fairlead.errors import UsageError
from fairlead.kernel import load_plugins
from fairlead.testing.neutral import offer_neutral
from fairlead.testing.simulated import HINT, VenueSetup

__all__ = ["SHIPPED", "Scenario", "load_scenarios", "scenario_of"]

#: The configuration that is run where none is named.
SHIPPED = Path(__file__).with_name("shipped.toml")

#: How the shipped configuration is varied, seed by seed.
_VARIANTS: Sequence[Sequence[str]] = (
    # So little that what is reserved decides what can be quoted.
    ('venues.main.balances={ ALT = "330", USDT = "660" }', 'risk.max_order_share="60%"'),
    (),
    ('strategies.alt.refresh={ every = "60 s", keep_within = "15 bps" }',),
    ("strategies.alt.replace=together",),
)

# The engine's own connectors to simulated venues.
_CONNECTOR = "neutral"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A configuration, ready to be run against simulated venues."""

    settings: Settings
    offers: Offers
    venues: tuple[VenueSetup, ...]

    def most_in_slot(self) -> Mapping[str, int]:
        """Give how many orders a slot of each strategy may hold at once."""
        return {
            name: 2 if table.replace is Replace.TOGETHER else 1
            for name, table in self.settings.strategies.items()
        }

    def oldest_book_ns(self) -> int:
        """Give how old a book may be on which something new is risked."""
        engine = self.settings.engine
        return engine.stale_after.ns + engine.tick.ns

    def tick_ns(self) -> int:
        """Give the time between two decisions."""
        return self.settings.engine.tick.ns

    def dead_man_ns(self) -> int:
        """Give how long orders may outlive a process that dies."""
        return self.settings.engine.dead_man.ns

    def most_notional(self) -> Mapping[str, Decimal]:
        """Give what may rest at each venue at the most, in quote: levels by size by slots.

        Where a strategy's keys do not tell, the limit on a single order counts for each of them.
        """
        most = {setup.name: Decimal(0) for setup in self.venues}
        for name, table in self.settings.strategies.items():
            levels = getattr(getattr(table.options, "levels", None), "count", 20)
            size = getattr(table.options, "order_size", None)
            quote = HINT.quote
            if not isinstance(size, Amount) or size.asset != quote:
                size = getattr(self.settings.risk.get("max_order"), "limit", None)
            each = size.value if isinstance(size, Amount) else Decimal("Infinity")
            most[table.market.venue] += 2 * levels * each * self.most_in_slot()[name]
        # Prices move between the decision and the venue, and sizes are skewed.
        return {venue: notional * Decimal("1.01") for venue, notional in most.items()}


def load_scenarios(path: Path | None = None, sets: Sequence[str] = ()) -> tuple[Scenario, ...]:
    """Read a configuration and put simulated venues into it; without one the shipped variants.

    :raises ConfigError: with every finding.
    :raises UsageError: when a strategy trades a market that simulated venues do not have.
    """
    if path is not None:
        return (_load(path, sets),)
    return tuple(_load(SHIPPED, (*variant, *sets)) for variant in _VARIANTS)


def scenario_of(scenarios: Sequence[Scenario], seed: int) -> Scenario:
    """Give the scenario that a seed runs."""
    return scenarios[seed % len(scenarios)]


def _load(path: Path, sets: Sequence[str]) -> Scenario:
    raw = load(path, tuple(sets), {})
    offers = _with_connector(load_plugins(enabled(raw)).register_offers())
    balances = {name: _balances(table) for name, table in _venues(raw).items()}
    for table in _venues(raw).values():
        table.clear()
        table["connector"] = _CONNECTOR
    settings = resolve(raw, offers)
    for name, strategy in settings.strategies.items():
        if strategy.market.symbol != HINT.symbol:
            raise UsageError(
                f"strategies.{name}.market",
                str(strategy.market),
                f"simulated venues have {HINT.symbol} only",
            )
    return Scenario(
        # Whatever it is configured for: real connectors, full durability.
        settings=settings.model_copy(
            update={"engine": settings.engine.model_copy(update={"mode": "rehearse"})}
        ),
        offers=offers,
        venues=tuple(_setup(name, balances.get(name)) for name in settings.venues),
    )


def _with_connector(offers: Offers) -> Offers:
    # Simulated venues are reached by their own connector, whatever a configuration enables.
    registry = Registry()
    registry.enter("simulation", "fairlead")
    offer_neutral(registry)
    return replace(offers, connectors={**offers.connectors, **registry.offers().connectors})


def _venues(raw: RawConfig) -> Mapping[str, dict[str, Any]]:
    tables = raw.data.get("venues", {})
    if not isinstance(tables, Mapping):
        return {}
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _balances(table: Mapping[str, Any]) -> Mapping[str, Decimal] | None:
    found = table.get("balances")
    if not isinstance(found, Mapping):
        return None
    return {str(asset): Decimal(str(amount)) for asset, amount in found.items()}


def _setup(name: str, balances: Mapping[str, Decimal] | None) -> VenueSetup:
    return VenueSetup(name) if balances is None else VenueSetup(name, balances)

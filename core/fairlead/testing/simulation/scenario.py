"""Say what a simulation runs: an engine's configuration, and the venues that it meets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fairlead.api import Amount, Offers, Registry, Replace
from fairlead.config import (
    RawConfig,
    Settings,
    StrategySettings,
    VenueSettings,
    enabled,
    load,
    resolve,
)
from fairlead.errors import UsageError
from fairlead.kernel import load_plugins
from fairlead.testing.neutral import NeutralConfig, offer_neutral
from fairlead.testing.simulated import HINT, VenueSetup
from fairlead.testing.simulation.trials import TRIALS, offer_trials

__all__ = ["PLANS", "SHIPPED", "Scenario", "load_scenarios", "scenario_of"]

#: The configuration that is run where none is named.
SHIPPED = Path(__file__).with_name("shipped.toml")

#: The other one: plans of every kind at two venues.
PLANS = Path(__file__).with_name("plans.toml")

#: How the shipped configurations are varied, seed by seed.
_VARIANTS: Sequence[tuple[Path, Sequence[str]]] = (
    # So little that what is reserved decides what can be quoted.
    (SHIPPED, ('venues.main.balances={ ALT = "240", USDT = "480" }', 'risk.max_order_share="60%"')),
    (SHIPPED, ()),
    (SHIPPED, ('strategies.alt.refresh={ every = "60 s", keep_within = "15 bps" }',)),
    (SHIPPED, ("strategies.alt.replace=together",)),
    # Venues that soon ban who asks too often, and limits that are reached.
    (PLANS, ("venues.main.budget=80", "venues.other.budget=60")),
    (PLANS, ("venues.main.batching=false", 'risk.max_order="400 USDT"', "risk.max_open_orders=5")),
    (PLANS, ('risk.max_position="900 USDT"', 'risk.price_band="25 bps"')),
    # More is wished than the venue takes.
    (
        PLANS,
        (
            "venues.main.batching=false",
            "venues.main.budget=50",
            "risk.max_open_orders=6",
            'strategies.alt.refresh={ every = "1 s", keep_within = "0 bps" }',
        ),
    ),
)

# The keys of a simulated venue's own table that are not left out.
_OWN = ("budget", "budget_window", "tells_skew")
# What the account may ask of a venue in ten seconds: enough for a start in good weather, not for
# everything that one would like to know at once.
_BUDGET = 100
_START_NS = 10_000_000_000
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

    def quoted(self) -> tuple[str, ...]:
        """Name the venues at which something should rest as long as all is well."""
        names = [one.market.venue for one in self.settings.strategies.values() if _quotes(one)]
        return tuple(dict.fromkeys(names))

    @property
    def works_plans(self) -> bool:
        """Tell whether a strategy starts plans."""
        return not all(_quotes(one) for one in self.settings.strategies.values())

    def start_ns(self) -> int:
        """Give how long a start may take in good weather until something is quoted.

        Where the account may ask for little, the process before may have used all of it: then it
        may take a window of the budget more.
        """
        short = [one.budget_ns for one in self.venues if 0 < one.budget < _BUDGET]
        return _START_NS + max(short, default=0)

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
        """Give what quotes may rest at each venue at the most, in quote: levels by size by slots.

        Where a strategy's keys do not tell, the limit on a single order counts for each of them.
        """
        most = {setup.name: Decimal(0) for setup in self.venues}
        for name, table in self.settings.strategies.items():
            if not _quotes(table):
                continue
            levels = getattr(getattr(table.options, "levels", None), "count", 20)
            size = getattr(table.options, "order_size", None)
            quote = HINT.quote
            if not isinstance(size, Amount) or size.asset != quote:
                size = getattr(self.settings.risk.get("max_order"), "limit", None)
            each = size.value if isinstance(size, Amount) else Decimal("Infinity")
            most[table.market.venue] += 2 * levels * each * self.most_in_slot()[name]
        # Prices move between the decision and the venue, and sizes are skewed.
        return {venue: notional * Decimal("1.01") for venue, notional in most.items()}


def _quotes(table: StrategySettings) -> bool:
    return table.controller != TRIALS


def load_scenarios(
    path: Path | None = None, sets: Sequence[str] = (), *, plans: bool | None = None
) -> tuple[Scenario, ...]:
    """Read a configuration and put simulated venues into it; without one the shipped variants.

    ``plans`` = only the shipped variants that work plans, or only those that do not.

    :raises ConfigError: with every finding.
    :raises UsageError: when a strategy trades a market that simulated venues do not have.
    """
    if path is not None:
        return (_load(path, sets),)
    return tuple(
        _load(shipped, (*variant, *sets))
        for shipped, variant in _VARIANTS
        if plans is None or plans is (shipped == PLANS)
    )


def scenario_of(scenarios: Sequence[Scenario], seed: int) -> Scenario:
    """Give the scenario that a seed runs."""
    return scenarios[seed % len(scenarios)]


def _load(path: Path, sets: Sequence[str]) -> Scenario:
    raw = load(path, tuple(sets), {})
    offers = _with_own(load_plugins(enabled(raw)).register_offers())
    balances = {name: _balances(table) for name, table in _venues(raw).items()}
    # A halt after each jump of a clock would hide what else it breaks.
    own = {"budget": _BUDGET, "tells_skew": False}
    for table in _venues(raw).values():
        simulated = table.get("connector") == _CONNECTOR
        keys = [*VenueSettings.model_fields, *(_OWN if simulated else ())]
        kept = {key: table[key] for key in keys if key in table}
        table.clear()
        table.update(own | kept, connector=_CONNECTOR)
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
        venues=tuple(_setup(name, balances.get(name), settings) for name in settings.venues),
    )


def _with_own(offers: Offers) -> Offers:
    # What simulations bring along, whatever a configuration enables.
    registry = Registry()
    registry.enter("simulation", "fairlead")
    offer_neutral(registry)
    offer_trials(registry)
    more = registry.offers()
    return replace(
        offers,
        connectors={**offers.connectors, **more.connectors},
        controllers={**offers.controllers, **more.controllers},
    )


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


def _setup(name: str, balances: Mapping[str, Decimal] | None, settings: Settings) -> VenueSetup:
    setup = VenueSetup(name) if balances is None else VenueSetup(name, balances)
    options = settings.venues[name].options
    if not isinstance(options, NeutralConfig):
        raise TypeError(f"no neutral venue: {options!r}")
    return replace(setup, budget=options.budget, budget_ns=options.budget_window.ns)

"""Put an engine together from a configuration: the one composition root.

Seams and settings come in as typed holes; everything else is built here and nowhere else. Tests
override providers before the first call instead of patching.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from dependency_injector import containers, providers
from pydantic import BaseModel

from fairlead.api import (
    UNMETERED,
    Amount,
    Clock,
    Connector,
    ConnectorContext,
    Controller,
    ControllerContext,
    DataSource,
    ExecutorContext,
    Ids,
    Meter,
    Offer,
    Offers,
    PlanExecutor,
    Process,
    RiskRule,
    RuleContext,
    SourceContext,
    Transport,
)
from fairlead.config import Settings, canonical_text, config_hash
from fairlead.errors import ConfigError, Finding
from fairlead.kernel.desk import Desk, DeskParts
from fairlead.kernel.engine import Engine
from fairlead.kernel.ids import SeededIds
from fairlead.kernel.observing import ObserverQueue
from fairlead.kernel.outcome import RunSetup
from fairlead.kernel.parts import EngineParts
from fairlead.kernel.peak import RiskMemory, risk_memory
from fairlead.kernel.plan import StrategyPlan
from fairlead.kernel.plans_run import markets_in
from fairlead.kernel.protection import Protection, ProtectionParts
from fairlead.kernel.terms import Venues, venue_terms
from fairlead.kernel.ticker import Ticker, instance_offset_ns
from fairlead.kernel.transport import SystemTransport
from fairlead.ledger import Obligation, StrategyTerms
from fairlead.model import ClientId, Instrument
from fairlead.pipeline import Throttle
from fairlead.store import Journal, QueuedStore, RunIdentity, TraceHash

__all__ = [
    "EngineContainer",
    "Surroundings",
    "build_connector",
    "compose",
    "settings_seed",
    "strategy_plan",
]


def _ticker(settings: Settings, clock: Clock) -> Ticker:
    tick_ns = settings.engine.tick.ns
    return Ticker(clock, tick_ns, instance_offset_ns(settings.engine.instance, tick_ns))


def _identity(store: QueuedStore, settings: Settings, clock: Clock, ids: Ids) -> RunIdentity:
    return store.begin_run(
        settings.engine.instance,
        mode=settings.engine.mode,
        seed=settings_seed(settings),
        config_hash=config_hash(settings),
        config_text=canonical_text(settings),
        now_ns=clock.now_ns(),
        new_tag=ids.instance_tag,
    )


def _setup(identity: RunIdentity, settings: Settings) -> RunSetup:
    return RunSetup(
        instance=settings.engine.instance,
        mode=settings.engine.mode,
        seed=settings_seed(settings),
        config_hash=config_hash(settings),
        currency=settings.engine.currency,
        tag=identity.tag,
        epoch=identity.epoch,
        clean_before=identity.previous is None or identity.previous.ended,
    )


def _run_name(identity: RunIdentity) -> str:
    return f"{identity.instance}-{identity.epoch}"


def _trace(traces: Callable[[str], TraceHash], run_name: str) -> TraceHash:
    # A trace lies in the run's own folder, and only the store knows the run's name.
    return traces(run_name)


def _new_id(identity: RunIdentity) -> Callable[[], str]:
    numbers = count(1)
    return lambda: str(ClientId(identity.tag, identity.epoch, next(numbers)))


def _protection(
    settings: Settings,
    setup: RunSetup,
    clock: Clock,
    process: Process,
    journal: Journal,
    connectors: Mapping[str, Connector],
    watchdog: tuple[str, ...],
) -> Protection | None:
    if settings.engine.mode == "paper":
        return None
    return Protection(
        ProtectionParts(
            setup=setup,
            clock=clock,
            process=process,
            journal=journal,
            connectors=connectors,
            timeout_ns=settings.engine.dead_man.ns,
            watchdog=watchdog if settings.engine.watchdog else (),
        )
    )


@dataclass(frozen=True, slots=True)
class _Players:
    rules: list[RiskRule]
    strategies: list[StrategyPlan]
    executors: Mapping[str, Offer[ExecutorContext, PlanExecutor[Any]]]


def _desk(
    settings: Settings,
    clock: Clock,
    journal: Journal,
    venues: Venues,
    players: _Players,
    memory: RiskMemory,
    new_id: Callable[[], str],
    failed: Callable[[BaseException, str], None],
) -> Desk:
    return Desk(
        DeskParts(
            currency=settings.engine.currency,
            tick_ns=settings.engine.tick.ns,
            stale_ns=settings.engine.stale_after.ns,
            clock=clock,
            journal=journal,
            connectors=venues.connectors,
            rules=tuple(players.rules),
            strategies=tuple(players.strategies),
            new_id=new_id,
            soon=asyncio.get_running_loop().call_soon,
            failed=failed,
            executors=players.executors,
            terms=venues.terms,
            memory=memory,
        )
    )


class EngineContainer(containers.DeclarativeContainer):
    """An engine's parts. What has no provider of its own is a hole that `compose` fills."""

    settings = providers.Dependency(instance_of=Settings)
    clock = providers.Dependency(instance_of=object)
    ids = providers.Dependency(instance_of=object)
    process = providers.Dependency(instance_of=object)
    store = providers.Dependency(instance_of=object)
    traces = providers.Dependency(instance_of=object)
    observers = providers.Dependency(instance_of=object)
    transport = providers.Singleton(SystemTransport)
    #: What works plans, by its name.
    executors = providers.Dependency(instance_of=object)
    #: The arguments of the command that watches this run.
    watchdog = providers.Object(())

    connectors = providers.Dict()
    #: How each venue is dealt with, its budget among it.
    terms = providers.Dict()
    venues = providers.Factory(Venues, connectors=connectors, terms=terms)
    rules = providers.List()
    strategies = providers.List()
    players = providers.Factory(_Players, rules=rules, strategies=strategies, executors=executors)

    identity = providers.Singleton(_identity, store=store, settings=settings, clock=clock, ids=ids)
    run_name = providers.Singleton(_run_name, identity=identity)
    trace = providers.Singleton(_trace, traces=traces, run_name=run_name)
    setup = providers.Singleton(_setup, identity=identity, settings=settings)
    new_id = providers.Singleton(_new_id, identity=identity)
    journal = providers.Singleton(Journal, store=store, clock=clock, trace=trace)
    ticker = providers.Singleton(_ticker, settings=settings, clock=clock)
    watching = providers.Singleton(ObserverQueue, observers=observers, journal=journal, clock=clock)
    memory = providers.Singleton(risk_memory, settings=settings, identity=identity, process=process)
    desk = providers.Factory(
        _desk,
        settings=settings,
        clock=clock,
        journal=journal,
        venues=venues,
        players=players,
        memory=memory,
        new_id=new_id,
    )
    protection = providers.Singleton(
        _protection,
        settings=settings,
        setup=setup,
        clock=clock,
        process=process,
        journal=journal,
        connectors=connectors,
        watchdog=watchdog,
    )
    parts = providers.Singleton(
        EngineParts,
        setup=setup,
        identity=identity,
        clock=clock,
        process=process,
        journal=journal,
        connectors=connectors,
        ticker=ticker,
        desk=desk.provider,
        observers=watching,
        protection=protection,
    )
    engine = providers.Singleton(Engine, parts=parts)


def compose(settings: Settings, offers: Offers, holes: Mapping[str, object]) -> EngineContainer:
    """Fill a container for a configuration without findings.

    ``holes`` = clock, ids, process, store, traces and observers, by name.
    """
    container = EngineContainer(settings=settings, executors=offers.executors, **holes)
    surroundings = providers.Singleton(
        Surroundings,
        offers=offers,
        clock=container.clock,
        ids=container.ids,
        transport=container.transport,
        folder=settings.folder,
    )
    for venue, table in settings.venues.items():
        throttle = providers.Singleton(Throttle, container.clock, table.share.value)
        connector = providers.Singleton(
            build_connector, venue, table.connector, table.options, surroundings, throttle
        )
        container.connectors.add_kwargs({venue: connector})
        terms = providers.Singleton(venue_terms, venue, table, connector, throttle)
        container.terms.add_kwargs({venue: terms})
    for name, config in settings.risk.items():
        rule = offers.rules[name]
        context = RuleContext(currency=settings.engine.currency)
        container.rules.add_args(providers.Singleton(rule.build, config, context))
    for name in settings.strategies:
        container.strategies.add_args(
            providers.Singleton(strategy_plan, settings, name, offers=offers)
        )
    return container


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What connectors are built with, whatever they are."""

    offers: Offers
    clock: Clock
    ids: Ids
    transport: Transport
    folder: Path


def build_connector(
    venue: str,
    connector: str,
    options: BaseModel,
    surroundings: Surroundings,
    meter: Meter = UNMETERED,
) -> Connector:
    """Build one venue's connector of its parsed options; opens nothing yet."""
    offers = surroundings.offers
    context = ConnectorContext(
        venue=venue,
        clock=surroundings.clock,
        ids=surroundings.ids,
        transport=surroundings.transport,
        source=partial(
            _source, offers, venue, surroundings.folder, getattr(options, "instruments", {})
        ),
        folder=surroundings.folder,
        meter=meter,
    )
    return offers.connectors[connector].build(options, context)


def _source(
    offers: Offers,
    venue: str,
    folder: Path,
    instruments: Mapping[str, Any],
    text: str,
    seed: int,
) -> DataSource:
    scheme, colon, argument = text.partition(":")
    offer = offers.sources.get(scheme)
    if not colon or offer is None:
        known = ", ".join(f'"{name}:…"' for name in sorted(offers.sources))
        raise ValueError(f"no such source {text!r}; write one of {known}")
    context = SourceContext(
        venue=venue, random=SeededIds(seed).random, folder=folder, instruments=instruments
    )
    return offer.build(argument, context)


def strategy_plan(settings: Settings, name: str, offers: Offers) -> StrategyPlan:
    """Carry one strategy of a configuration without findings to where it can be built."""
    table = settings.strategies[name]
    offer = offers.controllers[table.controller]

    def build(instrument: Instrument) -> Controller[Any]:
        return offer.build(
            table.options, ControllerContext(name, instrument, partial(_refuse, name))
        )

    def terms(instrument: Instrument) -> StrategyTerms:
        obligation = Obligation()
        if table.obligation is not None:
            obligation = Obligation(
                table.obligation.max_spread.value, table.obligation.min_size.value
            )
        return StrategyTerms(name, instrument, obligation, _limit(settings))

    return StrategyPlan(
        name=name,
        market=table.market,
        also=tuple(one for one in markets_in(table.options) if one != table.market),
        every=settings.every_ticks(name),
        replace=table.replace,
        build=build,
        terms=terms,
    )


def _limit(settings: Settings) -> Decimal | None:
    limit = getattr(settings.risk.get("max_position"), "limit", None)
    return limit.value if isinstance(limit, Amount) else None


def _refuse(strategy: str, key: str, value: str, expected: str) -> None:
    raise ConfigError((Finding(f"strategies.{strategy}", key, value, expected),))


def settings_seed(settings: Settings) -> int | None:
    """Give the seed of the first venue that has one."""
    for venue in settings.venues.values():
        seed = getattr(venue.options, "seed", None)
        recorded = str(getattr(venue.options, "source", "")).startswith("file:")
        if isinstance(seed, int) and not recorded:
            return seed
    return None

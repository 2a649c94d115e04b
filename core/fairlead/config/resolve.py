"""Resolve a configuration against what plugins offer: settings, or every mistake at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from fairlead.api import Duration, Offer, Offers
from fairlead.config.check import MarketsOf, wrong_assets, wrong_currencies, wrong_markets
from fairlead.config.finding import finding, meant, refusals
from fairlead.config.raw import KeyPath, RawConfig
from fairlead.config.settings import (
    EngineSettings,
    Name,
    PluginsSettings,
    Settings,
    StrategySettings,
    VenueSettings,
)
from fairlead.errors import ConfigError, Finding, PluginError
from fairlead.model import MarketId

__all__ = ["enabled", "resolve", "resolve_venues"]

ModelT = TypeVar("ModelT", bound=BaseModel)

#: The tables without which no venue can be reached.
_NEEDED = ("engine", "venues")
_TABLES = ("engine", "plugins", "venues", "strategies", "risk", "alerts")
_NAMES: TypeAdapter[str] = TypeAdapter(Name)
_VENUE_KEYS = tuple(
    key for key in VenueSettings.model_fields if key not in ("connector", "options")
)
_STRATEGY_KEYS = tuple(key for key in StrategySettings.model_fields if key != "options")


class _Unknown(BaseModel):
    """Stands for options that cannot be judged; a finding says why."""


def enabled(raw: RawConfig) -> tuple[str, ...] | None:
    """Say which plugins to load, None for all built-in ones; `resolve` judges the rest.

    :raises ConfigError: when the list itself cannot be read.
    """
    work = _Resolution(raw)
    plugins = work.model(PluginsSettings, raw.data.get("plugins", {}), ("plugins",))
    if plugins is None:
        raise ConfigError(work.in_order())
    return plugins.enable


def resolve(
    raw: RawConfig,
    offers: Offers,
    *,
    markets_of: MarketsOf | None = None,
    broken: Sequence[PluginError] = (),
) -> Settings:
    """Make settings of a configuration.

    :param markets_of: tells a venue's markets; without it they are not checked.
    :param broken: plugins that could not be used: each becomes a finding, and as it is unknown
        what they would have offered, names that nobody offers are then passed over.
    :raises ConfigError: with every finding, in the order of the file.
    """
    work = _Resolution(raw, offers, tuple(broken))
    settings = work.settings(markets_of)
    if settings is None or work.findings:
        raise ConfigError(work.in_order())
    return settings


def resolve_venues(
    raw: RawConfig, offers: Offers, *, broken: Sequence[PluginError] = ()
) -> tuple[Settings, tuple[Finding, ...]]:
    """Make settings that reach the venues, whatever is wrong elsewhere.

    Whoever wants to cancel orders must not be kept from it by a strategy's mistake. With findings
    the rest of the settings is incomplete.

    :raises ConfigError: with every finding when a venue or the engine's own table has one.
    """
    work = _Resolution(raw, offers, tuple(broken))
    settings = work.settings(None)
    needed = [found for found in work.findings if found.key.split(".")[0] in _NEEDED]
    if settings is None or needed or set(settings.venues) != set(raw.table("venues")):
        raise ConfigError(work.in_order())
    return settings, work.in_order()


class _Resolution:
    """One pass over a configuration, gathering what is wrong with it."""

    def __init__(
        self,
        raw: RawConfig,
        offers: Offers | None = None,
        broken: tuple[PluginError, ...] = (),
    ) -> None:
        self.raw = raw
        self.offers = offers or Offers({}, {}, {}, {})
        self.broken = broken
        self.findings: list[Finding] = []
        self._markets: dict[str, MarketId] = {}

    def in_order(self) -> tuple[Finding, ...]:
        """Give the findings by the line of the file; overrides come last."""
        numbered = [
            (int(line) if (line := found.place.rpartition(":")[2]).isdigit() else 1 << 30, found)
            for found in self.findings
        ]
        return tuple(found for _, found in sorted(numbered, key=lambda pair: pair[0]))

    def settings(self, markets_of: MarketsOf | None) -> Settings | None:
        """Go through all tables; None when one of the needed models could not be made."""
        for key in self.raw.data:
            if key not in _TABLES:
                self.add((key,), f"unknown table; {meant(key, _TABLES)}")
        engine = self.model(EngineSettings, self.raw.data.get("engine", {}), ("engine",))
        plugins = self._plugins()
        venues = {name: self._venue(name, table) for name, table in self._named("venues")}
        strategies = {
            name: self._strategy(name, table) for name, table in self._named("strategies")
        }
        risk = self._risk()
        alerts = self._alerts()
        self.findings += wrong_markets(self.raw, self._markets, venues, markets_of)
        currency = self._engine("currency")
        if isinstance(currency, str):
            self.findings += wrong_currencies(self.raw, risk, currency, self._markets)
        if engine is None or plugins is None:
            return None
        return Settings(
            engine=engine,
            plugins=plugins,
            # By name, so that two files of one hash run alike whatever their order.
            venues={name: venue for name, venue in sorted(venues.items()) if venue},
            strategies={name: found for name, found in sorted(strategies.items()) if found},
            risk=risk,
            alerts=alerts,
            folder=self.raw.folder,
        )

    def add(self, path: KeyPath, expected: str, value: object = None) -> None:
        """Note a finding."""
        self.findings.append(finding(self.raw, path, expected, value))

    def model(self, model: type[ModelT], data: object, path: KeyPath) -> ModelT | None:
        """Make a model of the data at ``path``; None with findings when it refuses."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.findings += refusals(error, model, self.raw, path, data)
            return None

    def _plugins(self) -> PluginsSettings | None:
        path = ("plugins", "enable")
        plugins = self.model(PluginsSettings, self.raw.data.get("plugins", {}), ("plugins",))
        enable = list((plugins and plugins.enable) or ())
        for name in sorted({name for name in enable if enable.count(name) > 1}):
            self.add(path, "is named twice; keep one", name)
        for error in self.broken:
            origin = f" ({error.distribution})" if error.distribution else ""
            self.add(path, f"plugin {error.plugin!r}{origin}: {error.reason}", error.plugin)
        return plugins

    def _named(self, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        tables = self.raw.data.get(key, {})
        if not isinstance(tables, Mapping):
            self.add((key,), f"write tables [{key}.NAME]", tables)
            return
        if not tables:
            self.add((key,), f"there is none; write a table [{key}.NAME]")
        for name, table in tables.items():
            try:
                _NAMES.validate_python(name)
            except ValidationError as error:
                self.add((key, name), str(error.errors()[0].get("ctx", {}).get("error")))
            if isinstance(table, Mapping):
                yield name, table
            else:
                self.add((key, name), f"write a table [{key}.{name}]", table)

    def _venue(self, name: str, table: Mapping[str, Any]) -> VenueSettings | None:
        path = ("venues", name)
        own = {key: table[key] for key in _VENUE_KEYS if key in table}
        rest = {key: value for key, value in table.items() if key not in own and key != "connector"}
        offer = self._offer(self.offers.connectors, "connector", table, path)
        # Without its connector a venue's own keys cannot be judged, the engine's can.
        options = _Unknown() if offer is None else self._options(offer, rest, path)
        own["connector"] = "" if offer is None else offer.name
        venue = self.model(VenueSettings, {**own, "options": options or _Unknown()}, path)
        return None if offer is None or options is None else venue

    def _strategy(self, name: str, table: Mapping[str, Any]) -> StrategySettings | None:
        path = ("strategies", name)
        own = {key: table[key] for key in _STRATEGY_KEYS if key in table}
        rest = {key: value for key, value in table.items() if key not in own}
        tick = self._tick()
        if tick is not None:
            own.setdefault("every", tick)
        offer = self._offer(self.offers.controllers, "controller", table, path)
        # Without its controller a strategy's own keys cannot be judged, the engine's can.
        options = _Unknown() if offer is None else self._options(offer, rest, path)
        own["controller"] = "" if offer is None else offer.name
        strategy = self.model(StrategySettings, {**own, "options": options or _Unknown()}, path)
        with suppress(ValueError):
            market = self._markets[name] = MarketId.parse(str(table.get("market")))
            judged = options if strategy is None else strategy
            self.findings += wrong_assets(self.raw, name, market, judged or _Unknown())
        if strategy is not None and tick is not None:
            every = strategy.every
            if not every.ns or (tick.ns and every.ns % tick.ns):
                self.add((*path, "every"), f"must be a multiple of the tick, {tick}", str(every))
        return strategy

    def _tick(self) -> Duration | None:
        tick = self._engine("tick")
        try:
            return tick if isinstance(tick, Duration) else Duration.parse(tick)
        except ValueError:
            return None

    def _engine(self, key: str) -> object:
        # The value in force also where other keys of the table are wrong.
        default = EngineSettings.model_fields[key].get_default()
        return self.raw.table("engine").get(key, default)

    def _risk(self) -> dict[str, BaseModel]:
        tables = self.raw.data.get("risk", {})
        if not isinstance(tables, Mapping):
            self.add(("risk",), "write a table [risk]", tables)
            return {}
        for key in tables:
            if key not in self.offers.rules and not self.broken:
                self.add(("risk", key), f"unknown rule; {meant(key, self.offers.rules)}")
        rules = {}
        for name, offer in self.offers.rules.items():
            value = tables.get(name, {})
            path: KeyPath = ("risk", name)
            if not isinstance(value, Mapping) and offer.config and "limit" in _fields(offer):
                value = {"limit": value}
            rule = self._options(offer, value, path)
            if rule is not None:
                rules[name] = rule
        return rules

    def _alerts(self) -> dict[str, BaseModel]:
        tables = self.raw.data.get("alerts", {})
        if not isinstance(tables, Mapping):
            self.add(("alerts",), "write tables [alerts.NAME]", tables)
            return {}
        notifiers = {}
        for name, value in sorted(tables.items()):
            offer = self.offers.notifiers.get(name)
            if offer is not None:
                notifier = self._options(offer, value, ("alerts", name))
                if notifier is not None:
                    notifiers[name] = notifier
            elif not self.broken:
                known = meant(name, self.offers.notifiers, "installed are")
                self.add(("alerts", name), f"unknown notifier; {known}")
        return notifiers

    def _offer(
        self,
        offers: Mapping[str, Offer[Any, Any]],
        key: str,
        table: Mapping[str, Any],
        path: KeyPath,
    ) -> Offer[Any, Any] | None:
        name = table.get(key)
        if isinstance(name, str) and name in offers:
            return offers[name]
        if name is None:
            self.add((*path, key), f"is missing; {meant('', offers, 'installed are')}")
        elif not self.broken:
            expected = f"unknown {key}; {meant(str(name), offers, 'installed are')}"
            self.add((*path, key), expected, name)
        return None

    def _options(self, offer: Offer[Any, Any], data: object, path: KeyPath) -> BaseModel | None:
        return None if offer.config is None else self.model(offer.config, data, path)


def _fields(offer: Offer[Any, Any]) -> Collection[str]:
    return () if offer.config is None else offer.config.model_fields

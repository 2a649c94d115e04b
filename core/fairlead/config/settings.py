"""Describe what can be configured: the engine's own tables, and how plugins' models hang in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    WithJsonSchema,
)

from fairlead.api import Amount, ClockTime, Duration, Market, Ratio, Replace, Share

__all__ = [
    "BreakerSettings",
    "EngineSettings",
    "Name",
    "ObligationSettings",
    "PluginsSettings",
    "Settings",
    "StrategySettings",
    "VenueSettings",
]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHORTEST_TICK_NS, _LONGEST_TICK_NS = 10_000_000, 60_000_000_000
# Orders of an engine that died are gone 30 s later at the latest: 5 s of that are for cancelling.
_SHORTEST_DEAD_MAN_NS, _LONGEST_DEAD_MAN_NS = 1_000_000_000, 25_000_000_000
_SQLITE = "sqlite:///"


def _named(name: str) -> str:
    if not _NAME.fullmatch(name) or "__" in name:
        raise ValueError('write a name of a-z, 0-9 and "_" that begins with a letter, without "__"')
    return name


def _asset(name: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]+", name):
        raise ValueError('write an asset in capitals, e.g. "USDT"')
    return name


def _tick(tick: Duration) -> Duration:
    if not _SHORTEST_TICK_NS <= tick.ns <= _LONGEST_TICK_NS:
        raise ValueError('write a tick from "10 ms" to "60 s"')
    return tick


def _silence(span: Duration) -> Duration:
    if span.ns < 1_000_000_000:
        raise ValueError('write "1 s" or more')
    return span


def _available(mode: str) -> str:
    if mode == "live":
        raise ValueError('"live" is not available in this version; write "paper" or "rehearse"')
    return mode


def _dead_man(span: Duration) -> Duration:
    if not _SHORTEST_DEAD_MAN_NS <= span.ns <= _LONGEST_DEAD_MAN_NS:
        raise ValueError('write "1 s" to "25 s"')
    return span


def _store(url: str) -> str:
    if not url.startswith(_SQLITE) or url == _SQLITE:
        raise ValueError('write a SQLite file, e.g. "sqlite:///fairlead.db"')
    return url


def _positive(ratio: Ratio) -> Ratio:
    if ratio.value <= 0:
        raise ValueError("must be above zero")
    return ratio


def _some(share: Share) -> Share:
    if not share.value:
        raise ValueError("must be above zero")
    return share


#: The name of an instance, venue or strategy.
Name = Annotated[
    str, AfterValidator(_named), WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})
]


class _Table(BaseModel):
    """A table that is never changed and takes no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineSettings(_Table):
    """The ``[engine]`` table: what this engine is called and how it keeps time."""

    instance: Name = Field(
        description="the engine's name: run folders and order ids hang on it", examples=["demo"]
    )
    mode: Annotated[Literal["paper", "rehearse", "live"], AfterValidator(_available)] = Field(
        "paper", description="play money, a rehearsal against a local venue, or real money"
    )
    tick: Annotated[Duration, AfterValidator(_tick)] = Field(
        Duration.parse("1 s"), description="how often it decides, from 10 ms to 60 s"
    )
    stale_after: Annotated[Duration, AfterValidator(_silence)] = Field(
        Duration.parse("10 s"),
        description="a market of which nothing is heard for this long is fetched anew, from 1 s",
    )
    currency: Annotated[str, AfterValidator(_asset)] = Field(
        description="the unit of every PnL figure, limit and report", examples=["USDT"]
    )
    day_starts: ClockTime = Field(
        ClockTime.parse("00:00 UTC"),
        description="when a trading day begins, for daily limits",
    )
    store: Annotated[str, AfterValidator(_store)] = Field(
        "sqlite:///fairlead.db",
        description="where what happened is kept; a relative file lies beside this one",
    )
    dead_man: Annotated[Duration, AfterValidator(_dead_man)] = Field(
        Duration.parse("15 s"),
        description="after this much silence from the engine its orders are cancelled, by the "
        "venue's own timer or by the watchdog; from 1 s to 25 s, never on paper",
    )
    watchdog: bool = Field(
        default=True,
        description="whether a watchdog process is started for venues without a timer of their own",
    )


class PluginsSettings(_Table):
    """The ``[plugins]`` table: what may be imported."""

    enable: tuple[str, ...] | None = Field(
        None, description="the plugins to load, in this order; by default all built-in ones"
    )


class BreakerSettings(_Table):
    """The ``breaker`` table of a venue: when nothing new is risked there for a while."""

    failures: int = Field(
        5, ge=1, description="so many requests of one kind in a row without a proper answer"
    )
    pause: Duration = Field(
        Duration.parse("30 s"), description="how long until one order may try it again"
    )
    rejects: int = Field(
        10, ge=1, description="so many orders of one market in a row that the venue refused"
    )
    rejects_pause: Duration = Field(
        Duration.parse("60 s"), description="how long until one order may try that market again"
    )


class VenueSettings(_Table):
    """A ``[venues.NAME]`` table: one account at one venue; NAME is its role."""

    connector: str = Field(description="which connector speaks to it", examples=["paper"])
    batching: bool = Field(
        default=True,
        description="whether orders and cancels share requests where the venue can; the "
        "environment variable USING_BATCH_ORDER (true or false) overrides it for every venue",
    )
    batch_size: int = Field(
        5, ge=1, description="how many share one at the most; what the venue takes is the limit"
    )
    batch_timeout: Duration = Field(
        Duration.parse("1 s"),
        description="how long a resting quote or entry that was decided between two ticks may "
        "wait for company; cancels, hedges, exits and whoever takes never wait, and a tick sends "
        "everything",
    )
    share: Annotated[Share, AfterValidator(_some)] = Field(
        Share.parse("100%"),
        description="this process's part of the venue's limits, where several use one account",
    )
    breaker: BreakerSettings = Field(
        BreakerSettings(), description="when nothing new is risked there for a while"
    )
    options: SerializeAsAny[BaseModel] = Field(description="the connector's own keys")


class ObligationSettings(_Table):
    """What counts as being in the market, for the quote uptime."""

    max_spread: Annotated[Ratio, AfterValidator(_positive)] = Field(
        description="the widest distance between bid and ask, as a share of the mid"
    )
    min_size: Amount = Field(description="the least quantity on each side")


class StrategySettings(_Table):
    """A ``[strategies.NAME]`` table: one controller on one market."""

    controller: str = Field(description="which controller decides", examples=["pmm"])
    market: Market = Field(description="where it trades, as venue:SYMBOL")
    every: Duration = Field(
        Duration.parse("1 s"),
        description="how often it decides: a multiple of the tick",
    )
    replace: Replace | None = Field(
        None,
        description="how a live order gives way to its successor; by default as the controller "
        "plans it",
    )
    obligation: ObligationSettings | None = Field(
        None, description="what counts as quoting, for the uptime"
    )
    options: SerializeAsAny[BaseModel] = Field(description="the controller's own keys")


class Settings(_Table):
    """A configuration without findings."""

    engine: EngineSettings
    plugins: PluginsSettings = PluginsSettings()
    #: Both in the order of their names.
    venues: Mapping[str, VenueSettings]
    strategies: Mapping[str, StrategySettings]
    #: Every offered rule, in the order of the offers, with its defaults where nothing is written.
    risk: Mapping[str, SerializeAsAny[BaseModel]]
    #: The notifiers that are written down, by name.
    alerts: Mapping[str, SerializeAsAny[BaseModel]] = Field(default_factory=dict)
    #: Relative paths in the configuration are relative to this folder.
    folder: Path = Field(default=Path(), exclude=True)

    @property
    def store_path(self) -> Path:
        """Give the SQLite file; a relative one lies beside the configuration."""
        return self.folder / self.engine.store.removeprefix(_SQLITE)

    def every_ticks(self, strategy: str) -> int:
        """Say on each how-many-th tick the strategy decides; at least 1."""
        return max(1, self.strategies[strategy].every.ns // self.engine.tick.ns)

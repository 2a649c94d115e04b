"""Read plugins.toml into settings, and say at once everything that is wrong with it."""

from fairlead.config.canonical import Shown, canonical_text, config_hash, from_canonical, shown
from fairlead.config.check import MarketsOf
from fairlead.config.guard import REQUIRED, Loosened, loosened, unwritten
from fairlead.config.raw import KeyPath, RawConfig, dotted, load
from fairlead.config.resolve import enabled, resolve, resolve_venues
from fairlead.config.settings import (
    BreakerSettings,
    EngineSettings,
    Name,
    ObligationSettings,
    PluginsSettings,
    Settings,
    StrategySettings,
    VenueSettings,
)

__all__ = [
    "REQUIRED",
    "BreakerSettings",
    "EngineSettings",
    "KeyPath",
    "Loosened",
    "MarketsOf",
    "Name",
    "ObligationSettings",
    "PluginsSettings",
    "RawConfig",
    "Settings",
    "Shown",
    "StrategySettings",
    "VenueSettings",
    "canonical_text",
    "config_hash",
    "dotted",
    "enabled",
    "from_canonical",
    "load",
    "loosened",
    "resolve",
    "resolve_venues",
    "shown",
    "unwritten",
]

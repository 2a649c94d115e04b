"""A venue whose price is a sine wave, and a strategy that quotes around its mid."""

from fairlead import hookimpl
from fairlead.api import Registry
from fairlead_sine.strategy import SymmetricConfig, build
from fairlead_sine.venue import SineConfig, SineConnector

__all__ = ["fairlead_register"]


@hookimpl
def fairlead_register(registry: Registry) -> None:
    """Offer the connector ``sine`` and the controller ``symmetric``."""
    registry.connector("sine", SineConfig, SineConnector, summary="a price that comes and goes")
    registry.controller("symmetric", SymmetricConfig, build, summary="one quote on each side")

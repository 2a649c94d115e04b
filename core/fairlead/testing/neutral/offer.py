"""Offer the neutral connector, without being a plugin."""

from __future__ import annotations

from fairlead.api import Registry
from fairlead.testing.neutral.config import NeutralConfig
from fairlead.testing.neutral.connector import NeutralConnector

__all__ = ["offer_neutral"]


def offer_neutral(registry: Registry) -> None:
    """Offer the connector ``neutral``, as a plugin's ``fairlead_register`` would."""
    registry.connector(
        "neutral",
        NeutralConfig,
        NeutralConnector,
        summary="a simulated venue, reached by the code that real venues are reached by",
    )

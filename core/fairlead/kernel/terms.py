"""Say how each venue is dealt with, by its table and by what it can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.api import Connector
from fairlead.config import VenueSettings
from fairlead.pipeline import BatchPolicy, BreakerPolicy, GatewayTerms, Throttle

__all__ = ["Venues", "venue_terms"]


@dataclass(frozen=True, slots=True)
class Venues:
    """Every venue's connector, and how it is dealt with, by the venue's name."""

    connectors: Mapping[str, Connector]
    terms: Mapping[str, GatewayTerms]


def venue_terms(
    venue: str, table: VenueSettings, connector: Connector, throttle: Throttle
) -> GatewayTerms:
    """Make one venue's terms; its ``throttle`` keeps the connector's limits from now on."""
    throttle.bind(connector.capabilities.limits)
    breaker = table.breaker
    return GatewayTerms(
        batching=BatchPolicy(table.batch_size, table.batch_timeout.ns, on=table.batching),
        breaker=BreakerPolicy(
            breaker.failures, breaker.pause.ns, breaker.rejects, breaker.rejects_pause.ns
        ),
        venue=venue,
        throttle=throttle,
    )

"""Say what requests of the neutral protocol weigh, for a venue and for its connector alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fairlead.api import RateLimit, RequestKind, Weight
from fairlead.testing.neutral.config import NeutralConfig

__all__ = ["USED_HEADER", "WEIGHTS", "neutral_limits"]

#: The header of every answer of a venue with a budget: the weight used in its window.
USED_HEADER = "X-Used-Weight"

#: What each request weighs: a batch weighs little more than one order.
WEIGHTS: Mapping[str, Weight] = MappingProxyType(
    {
        RequestKind.CREATE: Weight(1, every=5),
        RequestKind.CANCEL: Weight(1, every=5),
        RequestKind.QUERY: Weight(1),
    }
)


def neutral_limits(config: NeutralConfig) -> tuple[RateLimit, ...]:
    """Give the limits of a neutral venue; none when it has no budget."""
    if not config.budget:
        return ()
    return (RateLimit("weight", config.budget, config.budget_window.ns, WEIGHTS, USED_HEADER),)

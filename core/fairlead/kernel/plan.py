"""Carry one strategy from the configuration to its desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fairlead.api import Controller, QuotesConfig, Replace
from fairlead.ledger import StrategyTerms
from fairlead.model import Instrument, MarketId

__all__ = ["StrategyPlan"]


@dataclass(frozen=True, slots=True)
class StrategyPlan:
    """One strategy of the configuration, ready to be put on its market."""

    name: str
    market: MarketId
    every: int
    #: How live orders give way; None = as the controller's own plan says.
    replace: Replace | None
    build: Callable[[Instrument], Controller[Any]]
    #: What the ledger must know, once the instrument is.
    terms: Callable[[Instrument], StrategyTerms]
    #: More markets that its options name: its plans may trade there.
    also: tuple[MarketId, ...] = ()

    def quoting(self, controller: Controller[Any]) -> QuotesConfig:
        """Give how its quotes are worked: the controller's plan, the configuration's word first."""
        plan = controller.plan
        return plan if self.replace is None else replace(plan, replace=self.replace)

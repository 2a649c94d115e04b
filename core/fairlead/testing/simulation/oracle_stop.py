"""Hold every stop to its proof, and every halt to its word."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from typing_extensions import override

from fairlead.kernel import RunResult, StopReason
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["StopOracle"]


class StopOracle(Oracle):
    """A run that says that nothing is left, leaves nothing, now and later."""

    def __init__(
        self, add: Callable[[str, str], None], venues: Mapping[str, SimulatedVenue]
    ) -> None:
        self._add = add
        self._venues = venues
        self._proven = False

    @override
    def begun(self, life: Life) -> None:
        self._proven = False

    @override
    def ended(self, life: Life, result: RunResult) -> None:
        if result.reason is StopReason.FAILED:
            self._add("no part of the engine fails", result.detail)
        left = [
            order.client_id[-8:]
            for venue in self._venues.values()
            for order in venue.truth.open_orders(Origin.ENGINE)
        ]
        if result.proven and left:
            self._add("a proven stop leaves no order", ", ".join(left))
        if not result.proven and not result.left:
            self._add("a stop without proof names what may be left", result.detail)
        self._proven = result.proven

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        if self._proven and effect.kind is EffectKind.CREATED and effect.origin is Origin.ENGINE:
            self._add("a proven stop leaves no order", f"{effect.client_id[-8:]} landed after it")

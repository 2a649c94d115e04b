"""Hold every stop to its proof, and every halt to its word."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from typing_extensions import override

from fairlead.kernel import RunResult, StopReason
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["ProtectionOracle", "StopOracle"]

_SECOND = 1_000_000_000
# What a request to arm the timer may take on its way, and the resolution of our looks.
_GRACE_NS = 2 * _SECOND


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


class ProtectionOracle(Oracle):
    """The orders of a dead process do not outlive it by more than the dead man's time."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        now_ns: Callable[[], int],
        timeout_ns: int,
    ) -> None:
        self._add = add
        self._venues = venues
        self._now_ns = now_ns
        self._timeout_ns = timeout_ns
        self._dead_since_ns: int | None = None

    @override
    def begun(self, life: Life) -> None:
        self._dead_since_ns = None

    @override
    def killed(self, life: Life) -> None:
        self._dead_since_ns = self._now_ns()

    @override
    def second(self) -> None:
        if self._dead_since_ns is None:
            return
        dead_ns = self._now_ns() - self._dead_since_ns
        left = [
            order.client_id[-8:]
            for venue in self._venues.values()
            for order in venue.truth.open_orders(Origin.ENGINE)
        ]
        if left and dead_ns > self._timeout_ns + _GRACE_NS:
            self._add(
                "quotes of the dead are cancelled",
                f"{', '.join(left)} live {dead_ns // _SECOND} s after the kill",
            )

"""Let fills race requests: a print through an order while its create or cancel is on its way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from fairlead.api import Clock
from fairlead.testing.neutral import CancelBatch, PlaceBatch
from fairlead.testing.simulated import SimulatedVenue
from fairlead.testing.simulation.fault import FaultKind
from fairlead.testing.simulation.weather import Weather

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["FillRace"]

# Within this a fill races the request that it was drawn for.
_RACE_NS = 150_000_000


class FillRace:
    """Draws whether a fill comes somewhere between a request and the news of it."""

    def __init__(
        self, clock: Clock, venues: Mapping[str, SimulatedVenue], weather: Weather, draw: Random
    ) -> None:
        self._clock = clock
        self._venues = venues
        self._weather = weather
        self._draw = draw

    def leaves(self, venue: str, batch: PlaceBatch | CancelBatch) -> None:
        """Hear that a request leaves now."""
        rate = self._weather.rate(FaultKind.FILL_RACE)
        if not rate:
            return
        for order in batch.orders:
            if self._draw.random() < rate:
                at_ns = self._clock.now_ns() + self._draw.randrange(_RACE_NS)
                share = self._draw.choice((0.2, 0.6, 1.0))
                call = partial(self._hit, self._venues[venue], order.client_id, share)
                self._clock.call_at_ns(at_ns, call)

    def _hit(self, venue: SimulatedVenue, client_id: str, share: float) -> None:
        if venue.deeds.hit(client_id, share):
            self._weather.struck[FaultKind.FILL_RACE.value] += 1

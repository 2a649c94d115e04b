"""Let fills race requests, and kill processes by fills: at the moments that hurt most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from fairlead.api import Clock
from fairlead.testing.neutral import CancelBatch, PlaceBatch
from fairlead.testing.simulated import Effect, EffectKind, Knobs, Origin, SimulatedVenue
from fairlead.testing.simulation.fault import FaultKind
from fairlead.testing.simulation.weather import Weather

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["FatalFill", "FillRace"]

_MILLISECOND = 1_000_000

# Within this a fill races the request that it was drawn for.
_RACE_NS = 150_000_000
# How soon after a fill a process dies that is to: before, while and after it hears of it.
_FILL_NS = 300 * _MILLISECOND
# How soon after the end of an order of whose fills the venue has not learnt yet: most often when
# the process has heard of that end, and its disk too.
_END_NS = (200 * _MILLISECOND, 1_200 * _MILLISECOND)
# How late the venue learns of such a fill: within what is late for any, and seldom before the kill.
_LATE_NS = (1_500 * _MILLISECOND, 3_000 * _MILLISECOND)
_ENDS = (EffectKind.CANCELLED, EffectKind.EXPIRED)
# Where balances lag, they do so for whoever starts again after the fill that killed; by how much,
# and until when the next process has read them.
_LAG_NS = (2_500 * _MILLISECOND, 4_500 * _MILLISECOND)
_READ_NS = 6_000 * _MILLISECOND


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


class FatalFill:
    """Kills a process by a fill: by the next one, or by one that is told after its order's end."""

    def __init__(
        self,
        clock: Clock,
        venues: Mapping[str, SimulatedVenue],
        rate: Callable[[FaultKind], float],
        draws: tuple[Random, Random],
        kill: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._venues = venues
        self._rate = rate
        self._draw, self._late = draws
        self._kill = kill
        self._armed = self._by_end = False

    def arm(self) -> None:
        """Let one kill."""
        self._armed = True
        # Where no fill is late, an order's end tells all of it.
        self._by_end = self._rate(FaultKind.LATE_FILL) > 0 and self._late.random() < 0.5

    def disarm(self) -> None:
        """Let all live."""
        self._armed = False

    def cancelling(self, venue: str, batch: CancelBatch) -> None:
        """Hear that cancels leave now: one of them comes just after a fill nobody knows of."""
        if not self._armed or not self._by_end or not batch.orders:
            return
        name = self._late.choice(batch.orders).client_id
        one = self._venues[venue]
        # By itself that is so rare that years would pass.
        knobs = one.knobs
        before = knobs.late_fill, knobs.late_fill_ns
        knobs.late_fill, knobs.late_fill_ns = 1.0, _LATE_NS
        one.deeds.hit(name, self._late.choice((0.2, 0.6)))
        knobs.late_fill, knobs.late_fill_ns = before

    def effect(self, venue: str, effect: Effect) -> None:
        """Hear what happened at a venue."""
        if not self._armed or effect.origin is not Origin.ENGINE:
            return
        if not self._by_end:
            if effect.kind is EffectKind.FILLED:
                self._strike(self._draw.randrange(_FILL_NS))
        elif effect.kind in _ENDS and self._venues[venue].account.untold(effect.client_id):
            self._strike(self._late.randrange(*_END_NS))

    def _strike(self, wait_ns: int) -> None:
        self._armed = False
        self._clock.call_at_ns(self._clock.now_ns() + wait_ns, self._die)

    def _die(self) -> None:
        self._kill()
        if self._rate(FaultKind.LAGGING_BALANCE) and self._late.random() < 0.5:
            for venue in self._venues.values():
                venue.knobs.balance_lag, venue.knobs.balance_lag_ns = 1.0, _LAG_NS
            self._clock.call_at_ns(self._clock.now_ns() + _READ_NS, self._lag_as_before)

    def _lag_as_before(self) -> None:
        for venue in self._venues.values():
            venue.knobs.balance_lag = self._rate(FaultKind.LAGGING_BALANCE)
            venue.knobs.balance_lag_ns = Knobs().balance_lag_ns

"""Let a schedule's faults strike, and heal them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from fairlead.api import Timer
from fairlead.kernel import SeededIds, VirtualClock
from fairlead.testing.simulated import Origin, SimulatedVenue, StreamKind
from fairlead.testing.simulation.fault import FAULTS, Fault, FaultKind
from fairlead.testing.simulation.seam import Wall

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["Weather"]

_SECOND = 1_000_000_000

# How long a stream that broke stays away, where it does: seconds.
_AWAY_S = (5.0, 40.0)

# Venues ask for whole seconds of patience.
_PATIENCE_NS = 3 * _SECOND

#: The knob of each weather that a venue makes.
_KNOBS: Mapping[FaultKind, str] = {
    FaultKind.REFUSED: "refused",
    FaultKind.LOST_REQUEST: "request_lost",
    FaultKind.LOST_ANSWER: "answer_lost",
    FaultKind.LATE_LANDING: "late",
    FaultKind.SLOW_ANSWER: "slow_answer",
    FaultKind.SERVER_ERROR: "error_before",
    FaultKind.LYING_ERROR: "error_after",
    FaultKind.RATE_LIMIT: "busy",
    FaultKind.VISIBILITY_LAG: "hidden",
    FaultKind.UNLISTED_FILL: "unlisted",
    FaultKind.LATE_FILL: "late_fill",
    FaultKind.DUPLICATE: "duplicate",
    FaultKind.REORDER: "reorder",
    FaultKind.LOST_NEWS: "news_lost",
    FaultKind.LAGGING_BALANCE: "balance_lag",
    FaultKind.SEQUENCE_GAP: "gap",
    FaultKind.PARTIAL_FILLS: "partial",
}
#: By how much a venue's clock, and ours, is set: seconds, either way.
_VENUE_JUMP_S = (0.3, 10.0)
_JUMP_S = (0.3, 20.0)
# So long after a create has left our clock is set, where that is waited for.
_SOON_NS = _SECOND // 2
# Then it is set ahead, so far that any deadline seems to have passed.
_PAST_NS = 7 * _SECOND


class Weather:
    """Strikes the venues and the machine; what strikes processes is the world's to do.

    ``strike`` gets the faults that concern processes and disks, with a generator for details.
    """

    def __init__(
        self,
        clock: VirtualClock,
        venues: Iterable[SimulatedVenue],
        wall: Wall,
        strike: Callable[[Fault, Random], None],
        note: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._venues = tuple(venues)
        self._wall = wall
        self._strike_process = strike
        self._note = note
        self._timers: list[Timer] = []
        self._rates: dict[FaultKind, list[float]] = {}
        # A jump of our clock that waits for a create to leave: its worst moment.
        self._waiting: int | None = None
        #: Until when a venue refuses everything, and what it asked for in patience is over.
        self.shut_until_ns = 0
        #: What did strike, by kind; weathers are counted by the venues.
        self.struck: Counter[str] = Counter()

    def begin(self, faults: Iterable[Fault], begin_ns: int) -> None:
        """Let each fault strike in its time, counted from ``begin_ns``."""
        for fault in faults:
            at_ns = begin_ns + fault.at_ns
            self._timers.append(self._clock.call_at_ns(at_ns, partial(self._strike, fault)))
            if FAULTS[fault.kind].rate is not None or fault.kind in _SET_BACK:
                end = partial(self._end, fault)
                self._timers.append(self._clock.call_at_ns(at_ns + fault.length_ns, end))

    def heal(self) -> None:
        """End every fault: from now on all is well, but for what has happened."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._rates.clear()
        self._waiting = None
        for venue in self._venues:
            venue.heal()
        self._wall.offset_ns = 0
        self._note("all faults heal")

    def rate(self, kind: FaultKind) -> float:
        """Give the probability of a weather now."""
        return max(self._rates.get(kind, ()), default=0.0)

    def create_leaves(self) -> None:
        """Hear that a create leaves now."""
        if self._waiting is not None:
            at_ns, late = self._clock.now_ns() + _SOON_NS, self._late()
            self._timers.append(self._clock.call_at_ns(at_ns, partial(self._jump_now, late)))

    def _late(self) -> int:
        return sum(venue.counts[_KNOBS[FaultKind.LATE_LANDING]] for venue in self._venues)

    def _jump_now(self, late: int) -> None:
        # The worst moment is while a create is on its way for long, if there are such.
        if self._waiting is None or (self._late() == late and self.rate(FaultKind.LATE_LANDING)):
            return
        offset_ns, self._waiting = self._waiting, None
        self._set_wall(offset_ns)

    def counts(self) -> Counter[str]:
        """Count what has really happened, by kind of fault."""
        counts = Counter(self.struck)
        for venue in self._venues:
            for kind, knob in _KNOBS.items():
                if venue.counts[knob]:
                    counts[kind.value] += venue.counts[knob]
        return counts

    def _strike(self, fault: Fault) -> None:
        self._note(f"fault: {fault.describe()}")
        draw = SeededIds(int(fault.draw * 2**53)).random(fault.kind.value)
        if FAULTS[fault.kind].rate is not None:
            self._rates.setdefault(fault.kind, []).append(fault.draw)
            self._set(fault.kind)
            return
        self.struck[fault.kind.value] += 1
        if fault.kind in (FaultKind.BAN, FaultKind.MAINTENANCE):
            self.shut_until_ns = self._clock.now_ns() + fault.length_ns + _PATIENCE_NS
        for venue in self._venues:
            self._befall(fault, venue, draw)
        if fault.kind is FaultKind.CLOCK_JUMP:
            self._jump(draw)
        self._strike_process(fault, draw)

    def _befall(self, fault: Fault, venue: SimulatedVenue, draw: Random) -> None:
        deeds = venue.deeds
        kind = draw.choice((None, StreamKind.MARKET, StreamKind.USER))
        calls: Mapping[FaultKind, Callable[[], object]] = {
            FaultKind.STALE_BOOK: partial(deeds.freeze, fault.length_ns),
            FaultKind.DROPPED_STREAM: partial(deeds.drop_streams, kind, away_ns=_away_ns(draw)),
            FaultKind.MUTE_STREAM: partial(deeds.mute_streams, kind),
            FaultKind.DAILY_CUT: deeds.cut_all,
            FaultKind.BAN: partial(deeds.ban, fault.length_ns),
            FaultKind.MAINTENANCE: partial(
                deeds.maintain, fault.length_ns, cancels=draw.random() < 0.5, streams=True
            ),
            FaultKind.VENUE_CLOCK: partial(deeds.shift_clock, _jump_ns(draw, _VENUE_JUMP_S)),
            FaultKind.EXTERNAL: partial(_by_hand, venue, draw),
            FaultKind.FOREIGN_ENGINE: deeds.foreign_order,
        }
        if fault.kind in calls:
            calls[fault.kind]()

    def _jump(self, draw: Random) -> None:
        offset_ns = _jump_ns(draw, _JUMP_S)
        if draw.random() < 0.3:
            self._set_wall(offset_ns)
        else:
            self._waiting = abs(offset_ns) + _PAST_NS

    def _set_wall(self, offset_ns: int) -> None:
        self._wall.offset_ns = offset_ns

    def _end(self, fault: Fault) -> None:
        if FAULTS[fault.kind].rate is not None:
            self._rates[fault.kind].remove(fault.draw)
            self._set(fault.kind)
        elif fault.kind is FaultKind.CLOCK_JUMP:
            self._waiting = None
            self._set_wall(0)
        else:
            for venue in self._venues:
                venue.deeds.shift_clock(0)

    def _set(self, kind: FaultKind) -> None:
        if kind in _KNOBS:
            for venue in self._venues:
                setattr(venue.knobs, _KNOBS[kind], self.rate(kind))


#: Faults whose end is ours to bring; a venue ends the others itself.
_SET_BACK = (FaultKind.CLOCK_JUMP, FaultKind.VENUE_CLOCK)


def _jump_ns(draw: Random, limits: tuple[float, float]) -> int:
    jump_ns = int(draw.uniform(*limits) * _SECOND)
    return jump_ns if draw.random() < 0.5 else -jump_ns


def _away_ns(draw: Random) -> int:
    return int(draw.uniform(*_AWAY_S) * _SECOND) if draw.random() < 0.3 else 0


def _by_hand(venue: SimulatedVenue, draw: Random) -> None:
    chance = draw.random()
    if chance < 0.35:
        venue.deeds.external_order()
    elif chance < 0.5:
        venue.deeds.external_cancel()
    elif chance < 0.7:
        asset = draw.choice((venue.instrument.base, venue.instrument.quote))
        free = venue.truth.balances()[asset][0]
        amount = Decimal(draw.randrange(1, 50))
        if draw.random() < 0.5 and free > 10 * amount:
            amount = -amount
        venue.deeds.transfer(asset, amount)
    else:
        orders = venue.truth.open_orders(Origin.ENGINE)
        if orders:
            # A print through one of ours: a fill at the worst moment.
            order = draw.choice(orders)
            venue.deeds.hit(order.client_id, draw.choice((0.3, 1.0)))

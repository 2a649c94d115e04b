"""Hold the engine to its haste: cancels leave at once, and no fill stays unheard for long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from typing_extensions import override

from fairlead.api import Record
from fairlead.store import CancelAsked, FillBooked, TickPassed
from fairlead.testing.neutral import CancelBatch
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["HasteOracle"]

_SECOND = 1_000_000_000
# What is asked leaves in the same turn; a millisecond is generous.
_LEAVES_NS = 1_000_000
# However its news was lost: a fill is known by then, where the venue answers at all. Where news
# bear no numbers, the next news of a balance shows that one is missing.
_HEARD_NS = 60 * _SECOND
_READ_NS = 75 * _SECOND
# A stream that tells nothing is given up within this.
_MUTE_NS = 30 * _SECOND


class HasteOracle(Oracle):
    """Nothing waits that must not wait, while the venue can be reached.

    ``shut_until_ns`` tells until when the venue turned us away: banned, or closed.
    """

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        now_ns: Callable[[], int],
        shut_until_ns: Callable[[], int],
    ) -> None:
        self._add = add
        self._venues = venues
        self._now_ns = now_ns
        self._shut_until_ns = shut_until_ns
        self._asked: deque[tuple[int, str]] = deque()
        self._left: dict[str, None] = {}
        self._fills: dict[tuple[str, str], int] = {}
        self._begun_ns = 0
        self._mute_ns: int | None = None

    @override
    def begun(self, life: Life) -> None:
        self._mute_ns = None
        self._asked.clear()
        self._left.clear()
        self._begun_ns = self._now_ns()

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        match record:
            case CancelAsked(order=order):
                self._asked.append((self._now_ns(), order))
            case FillBooked(market=market, trade=trade):
                self._fills.pop((market, trade), None)
            case TickPassed():
                self._look()
            case _:
                pass

    @override
    def second(self) -> None:
        muted = sum(venue.muted for venue in self._venues.values())
        now_ns = self._now_ns()
        if not muted:
            self._mute_ns = None
        elif self._mute_ns is None:
            self._mute_ns = now_ns
        elif now_ns - self._mute_ns > _MUTE_NS:
            self._add("a stream is judged by what it says", f"{muted} are mute and still open")

    @override
    def cancelling(self, life: Life, venue: str, batch: CancelBatch) -> None:
        for cancel in batch.orders:
            self._left[cancel.client_id] = None
        self._check_cancels(self._now_ns())

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        if effect.kind is EffectKind.FILLED and effect.origin is Origin.ENGINE:
            fill = self._venues[venue].truth.fills[-1]
            self._fills[str(fill.market), fill.trade_id] = self._now_ns()

    def _look(self) -> None:
        now_ns = self._now_ns()
        self._check_cancels(now_ns)
        oldest = next(iter(self._fills.items()), None)
        if oldest is None:
            return
        (market, trade), filled_ns = oldest
        venue = self._venues[market.partition(":")[0]]
        waited_ns = now_ns - max(filled_ns, self._begun_ns, self._shut_until_ns())
        if waited_ns > (_HEARD_NS if venue.knobs.numbered else _READ_NS):
            self._add("no fill stays unknown", f"trade {trade} is after {waited_ns // _SECOND} s")

    def _check_cancels(self, now_ns: int) -> None:
        while self._asked and (
            self._asked[0][1] in self._left or now_ns - self._asked[0][0] > _LEAVES_NS
        ):
            asked_ns, order = self._asked.popleft()
            if self._left.pop(order, order) is None:
                continue
            if asked_ns > self._shut_until_ns():
                self._add("a cancel waits for nothing", f"{order[-8:]} has not left")

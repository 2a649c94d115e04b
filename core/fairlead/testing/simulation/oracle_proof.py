"""Hold a stop's proof to what was really read, and the venue's timer to what it protects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from typing_extensions import override

from fairlead.api import Request, Response
from fairlead.kernel import RunResult, StopReason
from fairlead.model import ClientId
from fairlead.testing.neutral import PlaceBatch
from fairlead.testing.neutral.wire import DeadMan, OrderPage
from fairlead.testing.simulated import Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["ProofOracle", "ShieldOracle"]

_SECOND = 1_000_000_000
_APART_NS = 1 * _SECOND
_STOPPED_FOR_GOOD = (StopReason.HALTED, StopReason.STORE)


class ProofOracle(Oracle):
    """A proven stop has read the open orders twice, a second apart, and found none of ours."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        now_ns: Callable[[], int],
    ) -> None:
        self._add = add
        self._now_ns = now_ns
        self._venues = venues
        # Reads under way; held, so that no other request gets the place of one without an answer.
        self._asked: dict[int, tuple[Request, int]] = {}
        #: When the clean reads in a row were begun, since the last create.
        self._clean_ns: dict[str, list[int]] = {}
        self._placed = False

    @override
    def begun(self, life: Life) -> None:
        self._asked.clear()
        self._clean_ns.clear()
        self._placed = False

    @override
    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        self._clean_ns.pop(venue, None)
        self._placed = True

    @override
    def asking(self, life: Life, venue: str, request: Request) -> None:
        if "/open?" in request.url:
            self._asked[id(request)] = (request, self._now_ns())

    @override
    def answered(self, life: Life, venue: str, request: Request, response: Response) -> None:
        asked = self._asked.pop(id(request), None)
        if asked is None or response.status != 200:
            return
        page = msgspec.json.decode(response.body, type=OrderPage)
        names = (ClientId.parse(order.client_id) for order in page.orders)
        clean = self._clean_ns.setdefault(venue, [])
        if page.more or any(name is not None and name.tag == life.tag for name in names):
            clean.clear()
        else:
            clean.append(asked[1])

    @override
    def ended(self, life: Life, result: RunResult) -> None:
        if result.reason in _STOPPED_FOR_GOOD and life.halt_note() is None:
            fenced = getattr(result.failure, "fenced", False)
            if not fenced:
                self._add("a halt leaves its note", f"{result.reason}: {result.detail}")
        if not result.proven or not self._placed:
            return
        unended = [order.client_id[-8:] for order in life.engine.desk.orders.live()]
        if unended:
            self._add("a proven stop knows the end of every order", ", ".join(unended))
        for venue in self._venues:
            clean = self._clean_ns.get(venue, [])
            if len(clean) < 2 or max(clean) - min(clean) < _APART_NS:
                self._add(
                    "a stop is proven by two reads a second apart", f"{venue}: {len(clean)} reads"
                )


class ShieldOracle(Oracle):
    """What rests at a venue is under its timer, from before it leaves until it is gone."""

    def __init__(
        self, add: Callable[[str, str], None], venues: Mapping[str, SimulatedVenue]
    ) -> None:
        self._add = add
        self._venues = venues

    @override
    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        if not self._venues[venue].protected:
            name = batch.orders[0].client_id[-8:]
            self._add("no order leaves unprotected", f"{name}: the timer of {venue} does not run")

    @override
    def asking(self, life: Life, venue: str, request: Request) -> None:
        if not request.url.endswith("/deadman"):
            return
        left = self._venues[venue].truth.open_orders(Origin.ENGINE)
        if msgspec.json.decode(request.body, type=DeadMan).timeout_ns <= 0 and left:
            names = ", ".join(order.client_id[-8:] for order in left)
            self._add("the timer is disarmed last", f"{names} live at {venue}")

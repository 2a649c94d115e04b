"""What judges of a simulation are told by hand, and what they say to it: no engine runs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import TypeVar, cast

from msgspec.structs import replace

from fairlead.api import Record, Request
from fairlead.kernel import RunResult, SeededIds, StopReason, VirtualClock
from fairlead.model import ClientId, Purpose, Side, TimeInForce
from fairlead.store import OrderRecorded, TickPassed
from fairlead.testing import SimulatedVenue, VenueSetup, run_virtual
from fairlead.testing.neutral import Place, PlaceBatch
from fairlead.testing.simulated import Effect
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

SECOND = 1_000_000_000
MARKET = "main:ALT/USDT"
TAG = 7
OURS = str(ClientId(TAG, 1, 1))
BATCH = PlaceBatch(0, SECOND, (Place(OURS, "ALT/USDT", Side.BUY, Decimal(2), Decimal(10)),))
RecordT = TypeVar("RecordT", bound=Record)


def made(kind: type[RecordT], **values: object) -> RecordT:
    """Make a record of which only some fields count."""
    return kind(**{**dict.fromkeys(kind.__struct_fields__), **values})


TICK = made(TickPassed)


class Watch:
    """A clock that is set by hand, and the rules that were broken."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self.broken: list[str] = []

    def add(self, rule: str, detail: str) -> None:
        assert detail
        self.broken.append(rule)

    def now_ns(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


def life(**more: object) -> Life:
    """Make a process of which judges see only what is named."""
    own = {"tag": TAG, "halt_note": lambda: None, "wall_ns": lambda: 1_000 * SECOND}
    return cast("Life", SimpleNamespace(**own, **more))


def in_venue(story: Callable[[SimulatedVenue, VirtualClock], None]) -> None:
    """Tell a story at a venue at which ALT is worth 2 USDT."""

    async def main(clock: VirtualClock) -> None:
        venue = SimulatedVenue(VenueSetup(), clock, SeededIds(3))
        venue.start()
        story(venue, clock)
        venue.stop()

    run_virtual(main)


def request(path: str) -> Request:
    """Ask the venue for something."""
    return Request("GET", f"https://main.test/{path}")


def result(reason: StopReason = StopReason.ASKED) -> RunResult:
    """End a run that proved that nothing is left."""
    return RunResult(reason, "so", started_ns=0, ended_ns=1, proven=True, left=())


def recorded(**changed: object) -> OrderRecorded:
    """Record a quote that buys 10 ALT at 2 USDT, or what is changed of it."""
    order = OrderRecorded(
        order=OURS,
        strategy="alt",
        market=MARKET,
        side=Side.BUY,
        level=0,
        price=Decimal(2),
        quantity=Decimal(10),
        time_in_force=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        purpose=Purpose.QUOTE,
        decided_ns=0,
        reference=None,
        mid=Decimal(2),
        reasons=(),
    )
    return replace(order, **changed)


class Trade:
    """A process that trades at one venue, and judges who hear its records and all effects."""

    def __init__(
        self, venue: SimulatedVenue, *oracles: Oracle, process: Life | None = None
    ) -> None:
        self._oracles = oracles
        self._venue = venue
        self._orders = 0
        self.seq = 0
        self.life = process or life()
        venue.truth.watch(self._hear)
        self.begin()

    def begin(self) -> None:
        """Let a process begin, or the next."""
        for oracle in self._oracles:
            oracle.begun(self.life)

    def _hear(self, effect: Effect) -> None:
        for oracle in self._oracles:
            oracle.effect("main", effect)

    def record(self, record: Record) -> None:
        """Write to the journal."""
        self.seq += 1
        for oracle in self._oracles:
            oracle.recorded(self.life, self.seq, record)

    def write(self, side: Side, quantity: int, **changed: object) -> str:
        """Record an order a twentieth off the mid, or what is changed of it; gives its id."""
        self._orders += 1
        values: dict[str, object] = {
            "order": str(ClientId(TAG, 1, self._orders)),
            "side": side,
            "price": Decimal("1.9") if side is Side.BUY else Decimal("2.1"),
            "quantity": Decimal(quantity),
        }
        order = recorded(**(values | changed))
        self.record(order)
        return order.order

    def place(self, side: Side, quantity: int, **changed: object) -> str:
        """Record an order and let it arrive at once; gives its id."""
        name = self.write(side, quantity, **changed)
        self.land(name, side, quantity)
        return name

    def land(self, name: str, side: Side, quantity: int) -> None:
        """Let an order arrive at the venue."""
        price = Decimal("1.9") if side is Side.BUY else Decimal("2.1")
        assert not self._venue.place(name, side, price, Decimal(quantity)).code

    def fill(self, name: str, share: float = 1.0) -> None:
        """Let a share of what is left of an order be filled."""
        assert self._venue.deeds.hit(name, share)

    def cancel(self, name: str) -> None:
        """Take an order out of the market."""
        self._venue.account.cancel(name, "", "request")

"""A fill that a venue tells of after its order's end and its process's: the next run books it."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from fairlead.kernel import Engine, Observers, SeededIds, VirtualClock, compose
from fairlead.model import (
    ZERO,
    Accepted,
    ClientId,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Side,
    Slot,
)
from fairlead.store import CancelAsked, Durability, FillBooked, Incident, Journal
from fairlead.testing import (
    MemoryDisk,
    MemoryTrace,
    VirtualProcess,
    VirtualTransport,
    run_virtual,
)
from fairlead.testing.neutral import Place
from fairlead.testing.simulated import HINT, Origin, SimulatedVenue, VenueSetup
from fairlead.testing.simulation import SHIPPED, load_scenarios
from fairlead.testing.simulation.audit import books_differ
from fairlead.trackers import OrderTracker

SECOND = 1_000_000_000
START_NS = 1_767_225_600 * SECOND
(SCENARIO,) = load_scenarios(SHIPPED, ("risk.warm_up=1 s", "venues.main.budget=0"))
INSTANCE = SCENARIO.settings.engine.instance


@dataclass
class Restart:
    """A venue that learns of a fill when its order is gone, and an engine that starts again."""

    clock: VirtualClock
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    name: str = ""

    def __post_init__(self) -> None:
        self.transport = VirtualTransport(self.clock)
        self.venue = SimulatedVenue(VenueSetup(), self.clock, SeededIds(3))
        self.venue.serve(self.transport)
        self.venue.start()
        self.trace = MemoryTrace()

    def leave_order(self, learns_s: int) -> None:
        """Let an earlier run see the end of an order, and die.

        What filled of it before, the venue learns so many seconds later.
        """
        venue, now_ns = self.venue, self.clock.now_ns()
        store = self.disk.open()
        identity = store.begin_run(
            INSTANCE,
            mode="rehearse",
            seed=None,
            config_hash="x",
            config_text="x",
            now_ns=now_ns,
            new_tag=lambda: 77,
        )
        orders = OrderTracker(Journal(store, self.clock))
        market = venue.instrument.market
        price = venue.instrument.round_price(venue.mid * Decimal("0.99"), Side.BUY)
        name = self.name = str(ClientId(identity.tag, identity.epoch, 1))
        slot = Slot("alt", market, Side.BUY, 0)
        orders.record(
            OrderIntent(name, venue.instrument, Side.BUY, price, Decimal(100), slot), now_ns
        )
        result = venue.account.place(
            Place(name, HINT.symbol, Side.BUY, price, Decimal(100)), Origin.ENGINE
        )
        orders.apply_outcome(name, Accepted(result.venue_id), now_ns)
        venue.knobs.late_fill, venue.knobs.late_fill_ns = 1.0, (learns_s * SECOND,) * 2
        assert venue.deeds.hit(name, 0.4)
        venue.heal()
        orders.ask_cancel(name, "replaced", now_ns)
        venue.account.cancel(name, "")
        end = OrderUpdate(market, now_ns, now_ns, name, result.venue_id, OrderState.CANCELLED, ZERO)
        orders.apply_update(end, now_ns)
        assert orders.live() == ()
        store.close()

    async def run(self, for_s: int) -> Engine:
        """Run the engine again, for so many seconds; gives it as it ended."""
        store = self.disk.open(durability=Durability.FULL)
        container = compose(
            SCENARIO.settings,
            SCENARIO.offers,
            {
                "clock": self.clock,
                "ids": SeededIds(1),
                "process": VirtualProcess(),
                "store": store,
                "traces": lambda name: self.trace,
                "observers": Observers({}, self.clock.monotonic_ns, slow_ns=SECOND, patience=3),
            },
        )
        container.transport.override(self.transport)
        engine: Engine = container.engine()
        result = await engine.run(for_ns=for_s * SECOND)
        store.close()
        assert (result.exit_code, result.proven) == (0, True), result
        return engine

    def agrees(self, engine: Engine) -> None:
        """Hold what is stored and booked to what the venue knows."""
        assert list(books_differ(self.disk.reader(), INSTANCE, {"main": self.venue})) == []
        booked = {asset: flow.balance for (_, asset), flow in engine.desk.ledger.flows.items()}
        true = {a: free + locked for a, (free, locked) in self.venue.truth.balances().items()}
        assert booked == true
        assert self.told() == []
        assert [one for one in self.trace.of(CancelAsked) if one.order == self.name] == []

    def told(self) -> list[str]:
        """Name the incidents that speak of money or orders that nobody can explain."""
        wrong = ("foreign_fill", "unexplained_balance", "vanished", "illegal_step", "overfill")
        return [one.name for one in self.trace.of(Incident) if one.name in wrong]

    def late(self) -> list[str]:
        """Name the trades of the order that this run booked."""
        return [one.trade for one in self.trace.of(FillBooked) if one.order == self.name]


def restarted(learns_s: int, away_s: int, *for_s: int) -> Restart:
    """Let a run die, and others follow; each must agree with the venue in the end."""

    async def main(clock: VirtualClock) -> Restart:
        restart = Restart(clock)
        restart.leave_order(learns_s)
        await clock.sleep_ns(away_s * SECOND)
        for seconds in for_s:
            engine = await restart.run(seconds)
            restart.agrees(engine)
        restart.venue.stop()
        return restart

    return run_virtual(main, start_ns=START_NS)


@pytest.mark.parametrize(
    ("learns_s", "away_s"),
    [(12, 1), (3, 6), (3, 1_800)],
    ids=["after the start", "before the start", "before a start much later"],
)
def test_a_fill_that_is_told_after_the_end_of_its_order_and_its_process_is_booked(
    learns_s: int, away_s: int
) -> None:
    restart = restarted(learns_s, away_s, 20)

    assert len(restart.late()) == 1
    assert [one.name for one in restart.trace.of(Incident)].count("late_fill") == 1


def test_a_late_fill_that_one_run_has_booked_is_not_booked_by_the_next() -> None:
    restart = restarted(3, 6, 5, 5)

    assert len(restart.late()) == 1


def test_what_the_opening_balances_lacked_of_a_late_fill_is_told_as_that_and_no_transfer() -> None:
    async def main(clock: VirtualClock) -> Restart:
        restart = Restart(clock)
        restart.leave_order(12)
        knobs = restart.venue.knobs
        knobs.balance_lag, knobs.balance_lag_ns = 1.0, (4 * SECOND, 4 * SECOND)
        clock.call_at_ns(clock.now_ns() + 6 * SECOND, restart.venue.heal)
        restart.agrees(await restart.run(40))
        restart.venue.stop()
        return restart

    restart = run_virtual(main, start_ns=START_NS)

    told = [one.detail for one in restart.trace.of(Incident) if one.name == "opening_balance_old"]
    assert sorted(text.split(":")[0] for text in told) == ["main ALT", "main USDT"]
    assert len(restart.late()) == 1

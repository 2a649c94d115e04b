"""A restart with a thousand orders at the venue is quick: ten seconds, reading by hundreds."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from fairlead.kernel import Observers, SeededIds, VirtualClock, compose
from fairlead.model import Accepted, ClientId, OrderIntent, Side, Slot
from fairlead.store import Durability, Journal, TraceHash
from fairlead.testing import MemoryDisk, VirtualProcess, VirtualTransport, run_virtual
from fairlead.testing.neutral import Place
from fairlead.testing.simulated import HINT, Effect, EffectKind, Origin, SimulatedVenue, VenueSetup
from fairlead.testing.simulation import SHIPPED, load_scenarios
from fairlead.trackers import OrderTracker

SECOND = 1_000_000_000
START_NS = 1_767_225_600 * SECOND
ORDERS = 1_000
(SCENARIO,) = load_scenarios(SHIPPED, ("risk.warm_up=1 s", "venues.main.budget=0"))
INSTANCE = SCENARIO.settings.engine.instance
BALANCES = {"ALT": Decimal(2_000_000), "USDT": Decimal(4_000_000)}


@dataclass
class Restart:
    """A venue that holds orders of an engine that was killed."""

    clock: VirtualClock
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    quoted_ns: int = 0

    def __post_init__(self) -> None:
        self.transport = VirtualTransport(self.clock)
        self.venue = SimulatedVenue(VenueSetup(balances=BALANCES), self.clock, SeededIds(3))
        self.venue.serve(self.transport)
        self.venue.start()
        self.venue.truth.watch(self._effect)

    def _effect(self, effect: Effect) -> None:
        name = ClientId.parse(effect.client_id)
        if effect.kind is EffectKind.CREATED and name is not None and name.epoch == 2:
            self.quoted_ns = self.quoted_ns or effect.t_ns

    def leave_orders(self, recorded: int, leaving: int) -> None:
        """Let an earlier run place a thousand orders and die.

        So many of them it had recorded, and of so many the cancels were about to leave.
        """
        store = self.disk.open()
        identity = store.begin_run(
            INSTANCE,
            mode="rehearse",
            seed=None,
            config_hash="x",
            config_text="x",
            now_ns=self.clock.now_ns(),
            new_tag=lambda: 77,
        )
        orders = OrderTracker(Journal(store, self.clock))
        for number in range(ORDERS):
            side = Side.BUY if number % 2 else Side.SELL
            price = self._price(side, number)
            name = str(ClientId(identity.tag, identity.epoch, number + 1))
            slot = Slot("alt", self.venue.instrument.market, side, number)
            intent = OrderIntent(name, self.venue.instrument, side, price, Decimal(100), slot)
            if number < recorded:
                orders.record(intent, self.clock.now_ns())
            place = Place(name, HINT.symbol, side, price, Decimal(100))
            result = self.venue.account.place(place, Origin.ENGINE)
            assert not result.code, result
            if number < recorded:
                orders.apply_outcome(name, Accepted(result.venue_id), self.clock.now_ns())
            if number < leaving:
                orders.ask_cancel(name, "replaced", self.clock.now_ns())
        store.close()

    def _price(self, side: Side, number: int) -> Decimal:
        away = Decimal(1) - side.sign * Decimal("0.02") * (1 + number // 100)
        return self.venue.instrument.round_price(self.venue.mid * away, side)

    async def run(self, for_ns: int) -> None:
        """Run the engine again, and stop it when it has quoted for a while."""
        container = compose(
            SCENARIO.settings,
            SCENARIO.offers,
            {
                "clock": self.clock,
                "ids": SeededIds(1),
                "process": VirtualProcess(),
                "store": self.disk.open(durability=Durability.FULL),
                "traces": lambda name: TraceHash(),
                "observers": Observers({}, self.clock.monotonic_ns, slow_ns=SECOND, patience=3),
            },
        )
        container.transport.override(self.transport)
        result = await container.engine().run(for_ns=for_ns)
        assert (result.exit_code, result.proven) == (0, True), result


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("recorded", "leaving"),
    [(ORDERS, 0), (900, 0), (0, 0), (ORDERS, 500)],
    ids=["all recorded", "most recorded", "none recorded", "half leaving"],
)
def test_a_restart_with_a_thousand_open_orders_quotes_within_ten_seconds(
    recorded: int, leaving: int
) -> None:
    async def main(clock: VirtualClock) -> Restart:
        restart = Restart(clock)
        await asyncio.sleep(0)
        restart.leave_orders(recorded, leaving)
        assert len(restart.venue.truth.open_orders()) == ORDERS
        await clock.sleep_ns(2 * SECOND)
        begun_ns = clock.now_ns()
        await restart.run(5 * SECOND)
        restart.quoted_ns -= begun_ns
        restart.venue.stop()
        return restart

    restart = run_virtual(main, start_ns=START_NS)

    assert 0 < restart.quoted_ns <= 10 * SECOND
    assert restart.venue.truth.open_orders() == ()

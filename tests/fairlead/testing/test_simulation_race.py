"""How a simulation kills by a fill: before the news of it, or before the news after the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from fairlead.kernel import SeededIds, VirtualClock
from fairlead.model import ZERO, Side
from fairlead.testing import run_virtual
from fairlead.testing.neutral import CancelBatch, Place
from fairlead.testing.neutral.wire import Cancel
from fairlead.testing.simulated import HINT, Origin, SimulatedVenue, VenueSetup
from fairlead.testing.simulation.fault import FaultKind
from fairlead.testing.simulation.race import FatalFill

SECOND = 1_000_000_000
NAME = "one"
SEEDS = range(12)


@dataclass
class World:
    """One order at a venue, and a fill that is to kill."""

    clock: VirtualClock
    seed: int
    #: The rates of faults; none for those that are not named.
    rates: Mapping[FaultKind, float] = field(default_factory=dict)
    #: What of the order the venue did not know at each kill.
    killed: list[Decimal] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids = SeededIds(self.seed)
        venue = self.venue = SimulatedVenue(VenueSetup(), self.clock, ids)
        venue.start()
        self.fatal = FatalFill(
            self.clock,
            {"main": venue},
            lambda kind: self.rates.get(kind, 0.0),
            (ids.random("race"), ids.random("late")),
            self._kill,
        )
        venue.truth.watch(lambda effect: self.fatal.effect("main", effect))
        price = venue.instrument.round_price(venue.mid * Decimal("0.99"), Side.BUY)
        place = Place(NAME, HINT.symbol, Side.BUY, price, Decimal(100))
        assert not venue.account.place(place, Origin.ENGINE).code

    def _kill(self) -> None:
        self.killed.append(self.venue.account.untold(NAME))

    async def cancel(self) -> Decimal:
        """Let a cancel leave and take effect; gives what the venue did not know of by then."""
        batch = CancelBatch(self.clock.now_ns(), SECOND, (Cancel(NAME),))
        self.fatal.cancelling("main", batch)
        await self.clock.sleep_ns(SECOND // 100)
        untold = self.venue.account.untold(NAME)
        self.venue.account.cancel(NAME, "")
        await self.clock.sleep_ns(5 * SECOND)
        return untold


def told(seed: int, late: float, *, armed: bool = True) -> tuple[Decimal, list[Decimal], float]:
    """Give what was untold at the cancel, what was at each kill, and the rate afterwards."""

    async def main(clock: VirtualClock) -> tuple[Decimal, list[Decimal], float]:
        world = World(clock, seed, {FaultKind.LATE_FILL: late})
        world.fatal.arm()
        if not armed:
            world.fatal.disarm()
        untold = await world.cancel()
        world.venue.stop()
        return untold, world.killed, world.venue.knobs.late_fill

    return run_virtual(main)


def test_where_fills_are_late_one_in_two_kills_between_the_end_of_its_order_and_its_news() -> None:
    stories = [told(seed, 0.1) for seed in SEEDS]
    deadly = [(untold, killed) for untold, killed, _ in stories if untold]

    assert 0 < len(deadly) < len(stories)
    assert all(killed == [untold] for untold, killed in deadly)
    assert [killed for untold, killed, _ in stories if not untold and killed] == []
    assert {rate for _, _, rate in stories} == {0.0}


def test_where_no_fill_is_late_or_nobody_is_to_die_cancels_are_left_alone() -> None:
    nothing: tuple[Decimal, list[Decimal], float] = (ZERO, [], 0.0)

    assert [told(seed, 0.0) for seed in SEEDS] == [nothing] * len(SEEDS)
    assert [told(seed, 1.0, armed=False) for seed in SEEDS] == [nothing] * len(SEEDS)


def test_another_fill_kills_once_and_soon() -> None:
    async def main(clock: VirtualClock) -> list[Decimal]:
        world = World(clock, 1)
        world.fatal.arm()
        assert world.venue.deeds.hit(NAME, 0.2)
        await clock.sleep_ns(SECOND // 2)
        assert world.venue.deeds.hit(NAME, 0.2)
        await clock.sleep_ns(SECOND // 2)
        world.venue.stop()
        return world.killed

    assert run_virtual(main) == [ZERO]


def test_where_balances_lag_they_do_so_for_who_starts_after_one_in_two_kills() -> None:
    async def main(clock: VirtualClock, seed: int) -> tuple[float, float]:
        world = World(clock, seed, {FaultKind.LAGGING_BALANCE: 0.2})
        world.venue.knobs.balance_lag = 0.2
        world.fatal.arm()
        assert world.venue.deeds.hit(NAME, 0.2)
        await clock.sleep_ns(SECOND // 2)
        soon = world.venue.knobs.balance_lag
        await clock.sleep_ns(8 * SECOND)
        world.venue.stop()
        return soon, world.venue.knobs.balance_lag

    rates = [run_virtual(partial(main, seed=seed)) for seed in SEEDS]

    assert {soon for soon, _ in rates} == {0.2, 1.0}
    assert {later for _, later in rates} == {0.2}

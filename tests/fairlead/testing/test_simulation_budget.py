"""What the judge of the venues' budgets lets pass, and what it does not."""

from typing import cast

from fairlead.api import RequestKind
from fairlead.kernel import SeededIds, VirtualClock
from fairlead.testing import SimulatedVenue, VenueSetup, run_virtual
from fairlead.testing.simulated import Budget
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle_budget import BudgetOracle

SECOND = 1_000_000_000


class World:
    def __init__(self, clock: VirtualClock, budget: int) -> None:
        setup = VenueSetup(budget=budget, budget_ns=10 * SECOND)
        self.clock = clock
        self.venue = SimulatedVenue(setup, clock, SeededIds(1))
        self.broken: list[tuple[str, str]] = []
        self.oracle = BudgetOracle(
            lambda rule, detail: self.broken.append((rule, detail)),
            {"main": self.venue},
            clock.now_ns,
        )

    def ask(self, times: int) -> None:
        budget = self.venue.budget
        assert isinstance(budget, Budget)
        for _ in range(times):
            budget.wait_ns(RequestKind.QUERY, 1, self.clock.now_ns())
        self.oracle.second()


def test_weight_beyond_the_budget_is_seen_once_and_within_it_is_not() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, str]]:
        world = World(clock, 5)
        await clock.sleep_ns(11 * SECOND)
        world.ask(5)
        assert world.broken == []
        world.ask(1)
        world.ask(0)
        return world.broken

    assert run_virtual(main) == [
        ("weight never exceeds the venue's budget", "main: 6 where 5 are allowed")
    ]


def test_a_new_process_has_a_window_to_learn_what_the_one_before_it_used() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, str]]:
        world = World(clock, 5)
        await clock.sleep_ns(60 * SECOND)
        world.oracle.begun(cast(Life, None))
        world.ask(6)
        assert world.broken == []
        await clock.sleep_ns(10 * SECOND + 1)
        world.ask(6)
        return world.broken

    assert len(run_virtual(main)) == 1


def test_a_venue_without_a_budget_takes_anything() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, str]]:
        world = World(clock, 0)
        assert world.venue.budget is None
        world.oracle.second()
        return world.broken

    assert run_virtual(main) == []

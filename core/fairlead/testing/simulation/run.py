"""Run one seed from its first tick to its proof: strike, heal, compare, stop, and compare again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fairlead.kernel import SeededIds, VirtualClock, VirtualLoop
from fairlead.testing.simulated import Origin
from fairlead.testing.simulation.fault import Fault, FaultKind
from fairlead.testing.simulation.flight import Flights
from fairlead.testing.simulation.gate import Killed, install_task_factory
from fairlead.testing.simulation.oracle_budget import BudgetOracle
from fairlead.testing.simulation.oracle_limit import LimitOracle, Limits, ReduceOracle
from fairlead.testing.simulation.oracle_market import BookOracle
from fairlead.testing.simulation.oracle_money import MoneyOracle, NotionalOracle
from fairlead.testing.simulation.oracle_orders import OrderOracle
from fairlead.testing.simulation.oracle_plan import PlanOracle
from fairlead.testing.simulation.oracle_proof import ProofOracle, ShieldOracle
from fairlead.testing.simulation.oracle_risk import AdmissionOracle, PullOracle
from fairlead.testing.simulation.oracle_stop import ProtectionOracle, StopOracle
from fairlead.testing.simulation.oracle_time import HasteOracle
from fairlead.testing.simulation.oracle_told import ToldOracle
from fairlead.testing.simulation.oracle_transfer import TransferOracle
from fairlead.testing.simulation.oracle_venue import PatienceOracle
from fairlead.testing.simulation.plants import Plant, planted
from fairlead.testing.simulation.scenario import Scenario
from fairlead.testing.simulation.schedule import draw_schedule
from fairlead.testing.simulation.violation import Violation
from fairlead.testing.simulation.world import World

__all__ = ["SeedResult", "SeedRun", "run_seed"]

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
# Where virtual time begins: 2026-01-01 00:00 UTC.
_EPOCH_NS = 1_767_225_600_000_000_000
# Every run begins and ends in good weather, and so does each part of a long one.
_CALM_NS = 15 * _SECOND
_CYCLE_NS = 45 * _MINUTE
# How long both sides may need to agree once everything has healed.
_CONVERGE_NS = 200 * _SECOND
# How long both sides may need to agree once a start has quoted.
_AGREED_NS = 20 * _SECOND
# What a cycle keeps for a stop and a kill in good weather, and the starts after them.
_TRIALS_NS = 90 * _SECOND
# How long the last stop may take, restarts that are under way included.
_STOP_NS = 120 * _SECOND
_LOOK_NS = 1 * _SECOND
# After the end nothing may land any more.
_AFTER_NS = 12 * _SECOND


@dataclass(frozen=True, slots=True)
class SeedRun:
    """What to run: the faults that the seed draws from ``kinds``, or ``only`` some of those."""

    seed: int
    length_ns: int
    kinds: Collection[FaultKind] = tuple(FaultKind)
    #: The places of faults in the schedule that the seed draws; None = all of them.
    only: tuple[int, ...] | None = None
    plant: Plant | None = None


@dataclass(slots=True)
class SeedResult:
    """What came of a seed."""

    seed: int
    elapsed_ns: int = 0
    orders: int = 0
    #: Plans that have ended.
    plans: int = 0
    lives: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    #: How often each kind of point was passed at which a process can die.
    points: Mapping[str, int] = field(default_factory=dict)
    trace_hash: str = ""
    violations: tuple[Violation, ...] = ()
    #: What happened before the first violation.
    history: tuple[str, ...] = ()
    #: What could have struck, by its place in the seed's schedule.
    faults: Mapping[int, Fault] = field(default_factory=dict)


def run_seed(scenario: Scenario, run: SeedRun) -> SeedResult:
    """Run a seed in a loop of its own; the same run gives the same result."""
    loop = VirtualLoop(_EPOCH_NS)
    install_task_factory(loop)
    with asyncio.Runner(loop_factory=lambda: loop) as runner, planted(run.plant):
        work = _Work(scenario, run, VirtualClock(loop))
        loop.set_exception_handler(work.unhandled)
        return runner.run(work.main())


class _Work:
    """One seed under way."""

    def __init__(self, scenario: Scenario, run: SeedRun, clock: VirtualClock) -> None:
        self._run = run
        self._clock = clock
        self._cycles = _cycles(run.length_ns)
        drawn = self._drawn()
        kept = range(len(drawn)) if run.only is None else run.only
        self._faults = {place: drawn[place] for place in kept if 0 <= place < len(drawn)}
        self._world = world = World(scenario, run.seed, clock)
        add = world.violations.add
        self._orders = OrderOracle(add, world.venues, scenario.most_in_slot())
        flights = Flights(world.venues)
        self._plans = PlanOracle(add, world.venues)
        world.watch(
            (
                flights,
                self._orders,
                self._plans,
                LimitOracle(add, world.venues, flights, Limits.of(scenario.settings)),
                ReduceOracle(add, flights),
                MoneyOracle(add, world.venues),
                TransferOracle(add, world.venues, clock.now_ns),
                NotionalOracle(add, world.venues, scenario.most_notional()),
                StopOracle(add, world.venues),
                ProtectionOracle(add, world.venues, clock.now_ns, scenario.dead_man_ns()),
                BookOracle(add, world.venues, clock.now_ns, scenario.oldest_book_ns()),
                HasteOracle(add, world.venues, clock.now_ns, world.shut_until_ns),
                PatienceOracle(add, clock.now_ns),
                BudgetOracle(add, world.venues, clock.now_ns),
                ProofOracle(add, world.venues, clock.now_ns),
                ShieldOracle(add, world.venues),
                AdmissionOracle(add, world.venues, clock.now_ns, scenario.tick_ns()),
                PullOracle(add, clock.now_ns, clock.call_at_ns),
                ToldOracle(add, clock.now_ns),
            )
        )

    def unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take an error that nobody has caught; only the dead may leave such."""
        del loop
        error = context.get("exception")
        if not isinstance(error, Killed):
            self._world.violations.add("no error goes unheard", f"{context['message']}: {error!r}")

    async def main(self) -> SeedResult:
        """Run until the end, or until the first violation."""
        world = self._world
        for venue in world.venues.values():
            venue.start()
        loop = asyncio.get_running_loop()
        alive = loop.create_task(world.keep_alive(), name="keep alive")
        story = loop.create_task(self._story(), name="story")
        beat = loop.create_task(world.beat(), name="beat")
        broken = loop.create_task(world.violations.any.wait(), name="violations")
        await asyncio.wait((story, broken), return_when=asyncio.FIRST_COMPLETED)
        if story.done():
            story.result()
        world.kill()
        for task in (story, broken, alive, beat):
            task.cancel()
        await asyncio.gather(story, broken, alive, beat, return_exceptions=True)
        for venue in world.venues.values():
            venue.stop()
        return self._result()

    async def _story(self) -> None:
        world = self._world
        for begin_ns, end_ns in self._cycles:
            struck = [one for one in self._faults.values() if begin_ns <= one.at_ns < end_ns]
            world.begin(struck)
            await self._until(end_ns)
            world.heal()
            await self._converge("after the faults heal", _CONVERGE_NS)
            world.stop()
            await self._quotes_again("after a stop in good weather")
            world.kill()
            await self._quotes_again("after a kill in good weather")
        await self._until(self._run.length_ns - _AFTER_NS)
        await self._converge("at the end", _CONVERGE_NS)
        await self._end()

    async def _until(self, at_ns: int) -> None:
        await self._clock.sleep_until_ns(self._world.began_ns + at_ns)

    async def _converge(self, when: str, limit_ns: int) -> None:
        world = self._world
        limit_ns += self._clock.now_ns()
        while why := world.unsettled():
            if self._clock.now_ns() >= limit_ns:
                world.violations.add("both sides agree in the end", f"{when}: {why}")
                return
            await self._clock.sleep_ns(_LOOK_NS)

    async def _quotes_again(self, when: str) -> None:
        # From the next process's begin: reconciled, warm, and quoting.
        world = self._world
        number = world.lives
        while world.lives == number:
            await self._clock.sleep_ns(_LOOK_NS)
        began_ns = self._clock.now_ns()
        while not any(
            order.since_ns >= began_ns
            for venue in world.venues.values()
            for order in venue.truth.open_orders(Origin.ENGINE)
        ):
            if self._clock.now_ns() - began_ns > world.scenario.start_ns():
                why = world.unsettled()
                world.violations.add("a start quotes soon", f"{when}: {why}")
                return
            await self._clock.sleep_ns(_LOOK_NS)
        await self._converge(when, _AGREED_NS)

    async def _end(self) -> None:
        world = self._world
        result = await world.close(_STOP_NS)
        if result is None or not result.proven:
            why = "no end" if result is None else f"left {result.left}"
            world.violations.add("a stop in good weather is proven", why)
            return
        await self._clock.sleep_ns(_AFTER_NS)
        reader, instance = world.machine.disk.reader(), world.instance
        for text in (*world.audit(), *self._plans.audit(reader, instance)):
            world.violations.add("what is stored is what happened", text)

    def _drawn(self) -> tuple[Fault, ...]:
        ids = SeededIds(self._run.seed)
        return tuple(
            fault
            for number, (begin_ns, end_ns) in enumerate(self._cycles)
            for fault in draw_schedule(
                ids, f"faults.{number}", self._run.kinds, begin_ns + _CALM_NS, end_ns
            )
        )

    def _result(self) -> SeedResult:
        world = self._world
        return SeedResult(
            seed=self._run.seed,
            elapsed_ns=world.elapsed_ns(),
            orders=self._orders.created,
            plans=self._plans.count,
            lives=world.lives,
            counts=dict(sorted(world.weather.counts().items())),
            points=dict(sorted(world.points.items())),
            trace_hash=world.trace_hash,
            violations=tuple(world.violations.found),
            history=world.history.lines() if world.violations.found else (),
            faults=self._faults,
        )


def _cycles(length_ns: int) -> Sequence[tuple[int, int]]:
    # Spells of faults, each with the time to heal behind it.
    count = max(round(length_ns / _CYCLE_NS), 1)
    each = length_ns // count
    healing = min(_CONVERGE_NS + _TRIALS_NS, each // 3)
    return [(number * each, (number + 1) * each - healing) for number in range(count)]

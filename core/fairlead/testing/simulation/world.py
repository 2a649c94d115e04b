"""Hold everything that one seed is made of, and let it happen in virtual time."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from fairlead.api import Record, Request, Response
from fairlead.errors import StoreError
from fairlead.kernel import RunResult, SeededIds, StopReason, VirtualClock
from fairlead.kernel.halt import lift_halt
from fairlead.testing.disk import MemoryDisk
from fairlead.testing.neutral import CancelBatch, PlaceBatch
from fairlead.testing.simulated import Effect, Origin, SimulatedVenue
from fairlead.testing.simulation.audit import books_differ, unsettled
from fairlead.testing.simulation.fault import Fault, FaultKind
from fairlead.testing.simulation.life import Life, Machine
from fairlead.testing.simulation.oracle import Oracle, hooks_of
from fairlead.testing.simulation.person import Person
from fairlead.testing.simulation.race import FatalFill, FillRace
from fairlead.testing.simulation.scenario import Scenario
from fairlead.testing.simulation.seam import Wall
from fairlead.testing.simulation.violation import History, Violations
from fairlead.testing.simulation.weather import Weather
from fairlead.testing.transport import VirtualTransport

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["World"]

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
# What a commit takes, in good times and on a slow disk.
_COMMIT_NS = (1 * _MILLISECOND, 12 * _MILLISECOND)
_SLOW_COMMIT_NS = (100 * _MILLISECOND, 3 * _SECOND)
# How long a process is away before it starts again.
_DOWN_NS = (200 * _MILLISECOND, 60 * _SECOND)
# How slow a venue's network is: the longest time one way, drawn for each seed.
_LATENCIES_NS = (40 * _MILLISECOND, 40 * _MILLISECOND, 120 * _MILLISECOND, 300 * _MILLISECOND)
# After how many points of its way at most a process dies that is to be killed.
_POINTS = 200
# Where it may die: anywhere, or where orders and the disk are concerned.
_PLACES = (
    "",
    "request leaves",
    "request left",
    "answer came",
    "commit begins",
    "commit under way",
    "commit is done",
    "run b",
    "stream open",
    "message came",
)
_RARE = 12
_BY_FILL = "a fill"


@dataclass(slots=True)
class _Plan:
    """What befalls the processes to come."""

    slow_until_ns: int = 0
    #: Points after which the next process dies too.
    again: list[int] = field(default_factory=list)
    #: Strangers on the account of whom a person knows.
    strangers: int = 0
    closing: bool = False


class World:
    """One seed: venues, a machine, the processes that live on it, and those who watch."""

    def __init__(self, scenario: Scenario, seed: int, clock: VirtualClock) -> None:
        self.scenario = scenario
        self.clock = clock
        self.began_ns = clock.now_ns()
        self._ids = SeededIds(seed)
        self._draw = self._ids.random("world")
        self.violations = Violations(self.elapsed_ns)
        self.history = History(self.elapsed_ns)
        transport = self.transport = VirtualTransport(clock)
        self.venues: Mapping[str, SimulatedVenue] = {
            setup.name: SimulatedVenue(setup, clock, self._ids) for setup in scenario.venues
        }
        for name, venue in self.venues.items():
            venue.serve(transport)
            venue.truth.watch(partial(self._effect, name))
        self.machine = Machine(
            settings=scenario.settings,
            offers=scenario.offers,
            clock=clock,
            transport=transport,
            seed=seed,
            wall=Wall(),
            disk=MemoryDisk(),
            latency_ns=self._commit_ns,
            markers={},
            locks={},
            addresses={setup.address: setup.name for setup in scenario.venues},
        )
        self.weather = Weather(
            clock,
            self.venues.values(),
            self.machine.wall,
            self._strike,
            partial(self.note, "world"),
        )
        racing = self._ids.random("fill race")
        self._race = FillRace(clock, self.venues, self.weather, racing)
        draws = racing, self._ids.random("late fill")
        kill = partial(self.kill, _BY_FILL)
        self._fatal = FatalFill(clock, self.venues, self.weather.rate, draws, kill)
        self._policies = {name: self._drawn_policies() for name in self.venues}
        self._keep_policies()
        self.life: Life | None = None
        self.lives = 0
        self._plan = _Plan()
        self._person = (
            Person(self._ids.random("person"), clock.now_ns, partial(self.note, "person"))
            if scenario.works_plans
            else None
        )
        self._hash = hashlib.sha256()
        self._hooks: Mapping[str, tuple[Callable[..., Any], ...]] = hooks_of(())
        self._result: RunResult | None = None
        #: How often each kind of point was passed at which a process can die.
        self.points: Counter[str] = Counter()

    @property
    def instance(self) -> str:
        """Give the engine's name."""
        return self.scenario.settings.engine.instance

    def watch(self, oracles: Iterable[Oracle]) -> None:
        """Let oracles judge what happens from now on."""
        self._hooks = hooks_of(oracles)

    def elapsed_ns(self) -> int:
        """Give the time since the run's begin."""
        return self.clock.now_ns() - self.began_ns

    def note(self, who: str, text: str) -> None:
        """Write down for the history what happened outside of the engine."""
        self.history.note(who, text)

    @property
    def trace_hash(self) -> str:
        """Give a hash over the traces of all processes so far, and what happened at the venues."""
        return self._hash.hexdigest()

    # --- the processes

    async def keep_alive(self) -> None:
        """Start a process, and another after each that ends, until `close`."""
        lifts = False
        while not self._plan.closing:
            life = self._begin()
            task = life.start()
            await asyncio.wait([task])
            self._hash.update(life.trace.hexdigest.encode())
            self.points.update(life.gate.passed)
            if not life.gate.alive:
                await self._buried(life)
                at_once = life.gate.killed_at == _BY_FILL  # balances may be of before it
                wait_ns = _DOWN_NS[0] if at_once else self._down_ns()
            else:
                wait_ns = self._ended(life, task)
                if await life.transport.hang_up():
                    self.violations.add("who ends closes his streams", f"process {life.number}")
                if life.halt_note() is not None:
                    # A person looks only after a restart has shown that the halt holds.
                    if lifts:
                        note = lift_halt(life.process, life.instance)
                        self.note("person", f"resumes after {note}")
                    lifts = not lifts
            if not self._plan.closing:
                await self.clock.sleep_ns(wait_ns)

    def shut_until_ns(self) -> int:
        """Say until when the venues turned us away for all that we sent."""
        return self.weather.shut_until_ns

    async def beat(self) -> None:
        """Tell the oracles of every second, until cancelled."""
        while True:
            self._tell("second")
            if self._person is not None and self.life is not None:
                self._person.second(self.life)
            await self.clock.sleep_ns(_SECOND)

    def stop(self) -> None:
        """Ask the process to stop, as SIGTERM does."""
        if self.life is not None and self.life.gate.alive:
            self.life.process.stop()

    def begin(self, faults: Sequence[Fault]) -> None:
        """Let a spell of faults begin."""
        if self._person is not None:
            self._person.go_on()
        self.weather.begin(faults, self.began_ns)

    def kill(self, point: str = "between two points") -> None:
        """Kill the process now."""
        if self.life is not None:
            self.life.gate.kill(point)

    def heal(self) -> None:
        """End every fault and mend what only a person can: the disk, and orders of strangers."""
        self.weather.heal()
        if self._person is not None:
            self._person.calm_down()
        self._keep_policies()
        self._plan.again.clear()
        self._fatal.disarm()
        self._plan.slow_until_ns = 0
        self.machine.disk.fail_at_write = None
        if self.life is not None:
            self.life.gate.disarm()
        for venue in self.venues.values():
            for order in venue.truth.open_orders(Origin.FOREIGN):
                venue.account.cancel(order.client_id, "", "hand")
        strangers = self.weather.struck[FaultKind.FOREIGN_ENGINE.value]
        if strangers > self._plan.strangers:
            # Who saw a stranger on the account stays careful until a person has looked.
            self._plan.strangers = strangers
            self.stop()

    async def close(self, limit_ns: int) -> RunResult | None:
        """Stop clean for good; gives the last process's result, None when it would not end."""
        self._plan.closing = True
        self._result = None
        self.stop()
        limit_ns += self.clock.now_ns()
        while self._result is None and self.clock.now_ns() < limit_ns:
            await self.clock.sleep_ns(_SECOND)
        return self._result

    def _begin(self) -> Life:
        self.lives += 1
        life = self.life = Life(self.machine, self.lives, self)
        self.note("world", f"process {life.number} starts")
        if self._plan.again:
            life.gate.arm(self._plan.again.pop())
        self._tell("begun", life)
        return life

    async def _buried(self, life: Life) -> None:
        machine = self.machine
        keep = self._draw.randint(0, machine.disk.unsynced)
        lost = machine.disk.unsynced - keep
        self.note(
            "world",
            f"process {life.number} was killed at {life.gate.killed_at!r}, {lost} commits lost",
        )
        machine.disk = machine.disk.crash(keep_unsynced=keep)
        left = await life.gate.bury()
        if left:
            self.violations.add("a killed process ends", f"{left} tasks go on")
        await life.transport.hang_up()
        self._tell("killed", life)

    def _ended(self, life: Life, task: asyncio.Task[RunResult]) -> int:
        # How long until it is started again.
        if task.cancelled():
            self.violations.add("a run ends with a result", "it was called off")
            return _SECOND
        error = task.exception()
        self.machine.disk.fail_at_write = None  # a person has made room
        if isinstance(error, StoreError):
            self.note("world", f"process {life.number} ended: {error}")
            return self._down_ns()
        if error is not None:
            self.violations.add("a run ends with a result", repr(error))
            return _SECOND
        result = self._result = task.result()
        self.note(
            "world",
            f"process {life.number} ended: {result.reason} {result.detail}, "
            f"{'proven' if result.proven else result.left}",
        )
        self._tell("ended", life, result)
        return self._down_ns() if result.reason is not StopReason.ASKED else _SECOND

    def _drawn_policies(self) -> Mapping[str, object]:
        # What kind of venue it is; no fault, so it stays when faults heal.
        slowest_ns = self._draw.choice(_LATENCIES_NS)
        return {
            "reuse_ids": self._draw.random() < 0.5,
            "numbered": self._draw.random() < 0.5,
            "latency_ns": (slowest_ns // 8, slowest_ns),
        }

    def _keep_policies(self) -> None:
        for name, venue in self.venues.items():
            for knob, value in self._policies[name].items():
                setattr(venue.knobs, knob, value)

    def _down_ns(self) -> int:
        low, high = _DOWN_NS
        return int(low * (high / low) ** self._draw.random())

    def _commit_ns(self) -> int:
        slow = self.clock.now_ns() < self._plan.slow_until_ns
        return self._draw.randint(*(_SLOW_COMMIT_NS if slow else _COMMIT_NS))

    def _strike(self, fault: Fault, random: Random) -> None:
        life = self.life
        match fault.kind:
            case FaultKind.SLOW_DISK:
                self._plan.slow_until_ns = self.clock.now_ns() + fault.length_ns
            case FaultKind.DISK_ERROR:
                disk = self.machine.disk
                disk.fail_at_write = disk.writes + random.randint(1, 20)
            case FaultKind.CRASH if life is not None:
                self._fatal.disarm()
                if random.random() < 0.5:
                    self._fatal.arm()
                else:
                    self._arm(life, random)
            case FaultKind.CRASH_AGAIN if life is not None:
                self._arm(life, random)
                self._plan.again = [int(_POINTS ** random.random())] * random.choice((1, 1, 2))
            case FaultKind.RESTART:
                self.stop()
            case _:
                pass

    @staticmethod
    def _arm(life: Life, random: Random) -> None:
        place = random.choice(_PLACES)
        life.gate.arm(int((_RARE if place else _POINTS) ** random.random()), place)

    # --- what the oracles hear

    def recorded(self, life: Life, seq: int, record: Record) -> None:
        """Take a record of a process's journal."""
        if record.stored:
            self.history.record(f"#{life.number}", record)
        self._tell("recorded", life, seq, record)

    def durable(self, life: Life, seq: int) -> None:
        """Take that a process's journal is safe up to ``seq``."""
        self._tell("durable", life, seq)

    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        """Take creates that are about to leave."""
        self._tell("placing", life, venue, batch)
        self.weather.create_leaves()
        self._race.leaves(venue, batch)

    def cancelling(self, life: Life, venue: str, batch: CancelBatch) -> None:
        """Take cancels that are about to leave."""
        self._tell("cancelling", life, venue, batch)
        self._race.leaves(venue, batch)
        self._fatal.cancelling(venue, batch)

    def asking(self, life: Life, venue: str, request: Request) -> None:
        """Take any request that is about to leave."""
        self._tell("asking", life, venue, request)

    def answered(self, life: Life, venue: str, request: Request, response: Response) -> None:
        """Take an answer that has come."""
        self._tell("answered", life, venue, request, response)

    def opening(self, life: Life, venue: str, url: str) -> None:
        """Take that a stream is about to be opened."""
        self._tell("opening", life, venue, url)

    def told(self, life: Life, venue: str, message: str | bytes) -> None:
        """Take what the account's stream tells."""
        self._tell("told", life, venue, message)

    def _effect(self, venue: str, effect: Effect) -> None:
        line = f"{effect.kind} {effect.client_id[-8:]} by {effect.cause}"
        self._hash.update(f"{effect.t_ns} {line}\n".encode())
        self.note(venue, line if effect.origin is Origin.ENGINE else f"{line} ({effect.origin})")
        self._tell("effect", venue, effect)
        self._fatal.effect(venue, effect)

    def audit(self) -> Sequence[str]:
        """Give what is stored of all runs and differs from what happened."""
        return tuple(books_differ(self.machine.disk.reader(), self.instance, self.venues))

    def unsettled(self) -> str:
        """Say what keeps the running engine from agreeing with its venues; "" = nothing."""
        if self.life is None:
            return "no process runs"
        return unsettled(self.life, self.venues, self.scenario.quoted())

    def _tell(self, hook: str, *what: object) -> None:
        for hear in self._hooks[hook]:
            hear(*what)

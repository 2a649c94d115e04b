"""Run one process of the engine: its seams, its journal, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import msgspec
from typing_extensions import override

from fairlead.api import Offers, Record, Request, Response, Transport
from fairlead.config import Settings
from fairlead.kernel import (
    Engine,
    EngineContainer,
    Observers,
    RunResult,
    SeededIds,
    VirtualClock,
    compose,
    strategy_plan,
)
from fairlead.kernel.control import Control, ControlParts
from fairlead.kernel.halt import Halt, read_halt
from fairlead.kernel.roster import Roster
from fairlead.store import Durability, TraceHash
from fairlead.testing.disk import MemoryDisk
from fairlead.testing.neutral import CancelBatch, PlaceBatch
from fairlead.testing.simulation.gate import Gate
from fairlead.testing.simulation.seam import (
    Ears,
    GatedClock,
    GatedProcess,
    GatedStore,
    GatedTransport,
    Wall,
)

__all__ = ["Life", "Machine", "Telling"]

_SECOND = 1_000_000_000

_decode_places = msgspec.json.Decoder(PlaceBatch).decode
_decode_cancels = msgspec.json.Decoder(CancelBatch).decode


class Telling(Protocol):
    """Whom a process's deeds are told: the oracles."""

    def recorded(self, life: Life, seq: int, record: Record) -> None:
        """Take a record of its journal."""

    def durable(self, life: Life, seq: int) -> None:
        """Take that its journal is safe up to ``seq``."""

    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        """Take creates that are about to leave."""

    def cancelling(self, life: Life, venue: str, batch: CancelBatch) -> None:
        """Take cancels that are about to leave."""

    def asking(self, life: Life, venue: str, request: Request) -> None:
        """Take any request that is about to leave, creates and cancels included."""

    def answered(self, life: Life, venue: str, request: Request, response: Response) -> None:
        """Take an answer that has come."""

    def opening(self, life: Life, venue: str, url: str) -> None:
        """Take that a stream is about to be opened."""

    def told(self, life: Life, venue: str, message: str | bytes) -> None:
        """Take what the account's stream tells, before the engine does."""


@dataclass(slots=True)
class Machine:
    """What outlives a process: the configuration, the disk, the wall clock, notes and locks."""

    settings: Settings
    offers: Offers
    clock: VirtualClock
    transport: Transport
    seed: int
    wall: Wall
    disk: MemoryDisk
    #: Draws how long the next commit takes.
    latency_ns: Callable[[], int]
    markers: dict[str, str]
    locks: dict[str, str]
    #: Which venue answers under which address.
    addresses: Mapping[str, str]


class Life:
    """One process of the engine."""

    def __init__(self, machine: Machine, number: int, telling: Telling) -> None:
        self.number = number
        self.gate = Gate()
        self.trace = TraceHash()
        self._machine = machine
        self._telling = telling
        self._disk = machine.disk
        self.transport = GatedTransport(
            machine.transport,
            self.gate,
            Ears(self._leaves, self._came, self._opens, self._told),
        )
        self.process = GatedProcess(
            self.gate, f"simulated:{number}", machine.markers, machine.locks
        )
        clock = self._clock = GatedClock(machine.clock, self.gate, machine.wall)
        # The disk keeps its own time, which nobody sets.
        store = machine.disk.open(
            durability=Durability.FULL, clock=machine.clock, latency_ns=machine.latency_ns
        )
        self.store = GatedStore(store, self.gate, lambda seq: telling.durable(self, seq))
        self.container: EngineContainer = compose(
            machine.settings,
            machine.offers,
            {
                "clock": clock,
                "ids": _LifeIds(machine.seed, number),
                "process": self.process,
                "store": self.store,
                "traces": lambda run_name: self.trace,
                "observers": Observers({}, clock.monotonic_ns, slow_ns=_SECOND, patience=3),
            },
        )
        self.container.transport.override(self.transport)
        #: What a person may tell it; None before it runs.
        self.control: Control | None = None
        #: From the first record until the result is there.
        self.running = False
        self.tag = 0
        self.run_id = 0
        #: The records of its journal, stored or not.
        self.records = 0

    @property
    def engine(self) -> Engine:
        """Give the engine; only once the process runs."""
        engine: Engine = self.container.engine()
        return engine

    @property
    def instance(self) -> str:
        """Give the instance's name."""
        return self._machine.settings.engine.instance

    def start(self) -> asyncio.Task[RunResult]:
        """Begin; the task ends with the run's result, or is cancelled when the process dies."""
        return self.gate.run(self._main())

    def halt_note(self) -> Halt | None:
        """Give the note that halts this instance, None without one."""
        return read_halt(self.process, self.instance)

    @property
    def engine_ready(self) -> bool:
        """Tell whether there is a desk to look at."""
        return self.running and self.engine.assembled

    def stored_trades(self) -> Mapping[tuple[str, str], None]:
        """Give the trades of this run that the machine's disk has."""
        rows = self._machine.disk.reader().fills(self.run_id)
        return {(row["market"], row["trade_id"]): None for row in rows}

    def _main(self) -> Coroutine[Any, Any, RunResult]:
        async def live() -> RunResult:
            identity = self.container.identity()
            self.tag, self.run_id = identity.tag, identity.run_id
            engine: Engine = self.container.engine()
            end = self.container.journal().observe(self._recorded)
            self.control = self._control()
            self.running = True
            try:
                result = await engine.run()
            finally:
                self.running = False
                end()
            self.store.close()
            return result

        return live()

    def _control(self) -> Control:
        container, settings = self.container, self._machine.settings
        clock, journal = self._clock, container.journal()
        return Control(
            ControlParts(
                engine=container.engine(),
                setup=container.setup(),
                clock=clock,
                ticker=container.ticker(),
                journal=journal,
                roster=Roster(
                    settings=settings,
                    reread=None,
                    plan=partial(strategy_plan, offers=self._machine.offers),
                    journal=journal,
                    now_ns=clock.now_ns,
                ),
            )
        )

    def _recorded(self, seq: int, t_ns: int, record: Record) -> None:
        del t_ns
        self.records += 1
        self._telling.recorded(self, seq, record)

    def wall_ns(self) -> int:
        """Give what its wall clock shows."""
        return self._machine.clock.now_ns() + self._machine.wall.offset_ns

    def _place(self, url: str) -> tuple[str, str]:
        host, _, path = url.partition("://")[2].partition("/")
        return self._machine.addresses[host], path

    def _came(self, request: Request, response: Response) -> None:
        self._telling.answered(self, self._place(request.url)[0], request, response)

    def _opens(self, url: str) -> None:
        self._telling.opening(self, self._place(url)[0], url)

    def _told(self, url: str, message: str | bytes) -> None:
        venue, path = self._place(url)
        if path == "user":
            self._telling.told(self, venue, message)

    def _leaves(self, request: Request) -> None:
        venue, path = self._place(request.url)
        self._telling.asking(self, venue, request)
        if path == "orders":
            self._telling.placing(self, venue, _decode_places(request.body))
        elif path == "cancels":
            self._telling.cancelling(self, venue, _decode_cancels(request.body))


class _LifeIds(SeededIds):
    """The instance tag is the seed's for all processes; other chance is each one's own."""

    def __init__(self, seed: int, number: int) -> None:
        super().__init__(seed * 1_000_003 + number)
        self._tag = SeededIds(seed).instance_tag()

    @override
    def instance_tag(self) -> int:
        return self._tag

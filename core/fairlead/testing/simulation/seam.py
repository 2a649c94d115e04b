"""Give a simulated engine its seams: each passes the gate, so that it can be killed anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from typing_extensions import override

from fairlead.api import Clock, Record, Request, Response, Stream, Timer, Transport
from fairlead.store import QueuedStore, RunIdentity
from fairlead.testing.process import VirtualProcess
from fairlead.testing.simulation.gate import Gate

__all__ = ["Ears", "GatedClock", "GatedProcess", "GatedStore", "GatedTransport", "Wall"]


@dataclass(slots=True)
class Wall:
    """What our machine's wall clock shows against true time; it outlives processes."""

    offset_ns: int = 0


class GatedClock:
    """The machine's clock: its wall may be set, its monotonic clock never is."""

    def __init__(self, clock: Clock, gate: Gate, wall: Wall) -> None:
        self._clock = clock
        self._gate = gate
        self._wall = wall

    def now_ns(self) -> int:
        """Give what the wall shows."""
        self._gate.check()
        return self._clock.now_ns() + self._wall.offset_ns

    def monotonic_ns(self) -> int:
        """Give true virtual time."""
        self._gate.check()
        return self._clock.monotonic_ns()

    async def sleep_ns(self, duration_ns: int) -> None:
        """Wait in virtual time."""
        self._gate.check()
        await self._clock.sleep_ns(duration_ns)
        self._gate.check()

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Wait until the wall shows ``at_ns``; looks again after each wait, as it may be set."""
        await self._clock.sleep_ns(at_ns - self.now_ns())
        while (left_ns := at_ns - self.now_ns()) > 0:
            await self._clock.sleep_ns(left_ns)

    def call_at_ns(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        """Call back when the wall shows ``at_ns``, by what it shows now; never after a kill."""

        def ring() -> None:
            if self._gate.alive:
                callback()

        self._gate.check()
        return self._clock.call_at_ns(at_ns - self._wall.offset_ns, ring)

    def advance_to_ns(self, at_ns: int) -> bool:
        """Tell whether ``at_ns`` has come; this time does not jump for anyone."""
        return at_ns <= self.now_ns()


def _nobody(*what: object) -> None:
    del what


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears what goes over an engine's network; each is called before the engine goes on."""

    #: A request that is about to leave.
    leaves: Callable[[Request], None] = field(default=_nobody)
    #: An answer that has come.
    came: Callable[[Request, Response], None] = field(default=_nobody)
    #: The address of a stream that is about to be opened.
    opens: Callable[[str], None] = field(default=_nobody)
    #: The address of a stream, and a message that it delivers.
    told: Callable[[str, str | bytes], None] = field(default=_nobody)


class GatedTransport:
    """The engine's network; when the engine dies its streams break, its requests go on."""

    def __init__(self, transport: Transport, gate: Gate, ears: Ears) -> None:
        self._transport = transport
        self._gate = gate
        self._ears = ears
        self._open: list[Stream] = []

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        """Send and wait. :raises TransportError: as `fairlead.api.Transport` says."""
        self._gate.passing("request leaves")
        self._ears.leaves(request)
        _soon(self._gate, "request left")
        response = await self._transport.request(request, timeout_ns=timeout_ns)
        self._gate.passing("answer came")
        self._ears.came(request, response)
        return response

    async def connect(self, url: str, *, timeout_ns: int) -> Stream:
        """Open a stream. :raises TransportError: when it does not open in time."""
        self._gate.passing("stream opens")
        self._ears.opens(url)
        stream = await self._transport.connect(url, timeout_ns=timeout_ns)
        self._open.append(stream)
        self._gate.passing("stream opened")
        return _GatedStream(stream, self._gate, self._open.remove, partial(self._ears.told, url))

    async def hang_up(self) -> int:
        """Break every stream that is still open: the process is gone; gives how many were."""
        count = len(self._open)
        while self._open:
            await self._open.pop().close()
        return count


class _GatedStream:
    def __init__(
        self,
        stream: Stream,
        gate: Gate,
        closed: Callable[[Stream], None],
        told: Callable[[str | bytes], None],
    ) -> None:
        self._stream = stream
        self._told = told
        self._gate = gate
        self._closed = closed
        self._is_open = True

    async def send(self, message: str | bytes) -> None:
        self._gate.check()
        await self._stream.send(message)

    async def receive(self) -> str | bytes:
        message = await self._stream.receive()
        self._gate.passing("message came")
        self._told(message)
        return message

    async def close(self) -> None:
        self._gate.check()
        if self._is_open:
            self._is_open = False
            self._closed(self._stream)
        await self._stream.close()


class GatedStore:
    """The engine's store. ``durable`` is told up to which number its own prefix is safe."""

    def __init__(self, store: QueuedStore, gate: Gate, durable: Callable[[int], None]) -> None:
        self._store = store
        self._gate = gate
        self._durable = durable

    @property
    def place(self) -> str:
        """Give the database's name for messages."""
        return self._store.place

    def begin_run(
        self,
        instance: str,
        *,
        mode: str,
        seed: int | None,
        config_hash: str,
        config_text: str,
        now_ns: int,
        new_tag: Callable[[], int],
    ) -> RunIdentity:
        """Record that a run begins. :raises StoreError: when the disk refuses."""
        self._gate.passing("run begins")
        identity = self._store.begin_run(
            instance,
            mode=mode,
            seed=seed,
            config_hash=config_hash,
            config_text=config_text,
            now_ns=now_ns,
            new_tag=new_tag,
        )
        self._gate.passing("run began")
        return identity

    def append(self, t_ns: int, record: Record) -> int:
        """Take a record in memory. :raises StoreError: when the store has failed."""
        self._gate.check()
        return self._store.append(t_ns, record)

    async def durable(self, seq: int) -> None:
        """Wait until a prefix is safe. :raises StoreError: when the disk refuses."""
        self._gate.passing("commit begins")
        _soon(self._gate, "commit under way")
        await self._store.durable(seq)
        self._durable(seq)
        self._gate.passing("commit is done")

    def close(self) -> None:
        """Commit what is queued. :raises StoreError: when the disk refuses."""
        self._gate.passing("store closes")
        self._store.close()


class GatedProcess(VirtualProcess):
    """The engine's process. Its notes lie on the machine and outlive it."""

    def __init__(
        self, gate: Gate, identity: str, markers: dict[str, str], locks: dict[str, str]
    ) -> None:
        super().__init__(identity, markers=markers)
        self.locks = locks
        self._gate = gate
        gate.on_kill(self._let_go)

    def _let_go(self) -> None:
        # The system takes the locks of the dead away.
        for name in [name for name, owner in self.locks.items() if owner == self.identity()]:
            del self.locks[name]

    @override
    def write_marker(self, name: str, text: str) -> None:
        """Keep a note. :raises OSError: when the disk refuses notes too."""
        self._gate.passing("note leaves")
        super().write_marker(name, text)
        self._gate.passing("note is written")


def _soon(gate: Gate, point: str) -> None:
    # After what follows has begun and before anything has come of it.
    asyncio.get_running_loop().call_soon(gate.touch, point)

"""Watch an engine from another process, and cancel its orders when it falls silent.

The watchdog has connections of its own and needs nothing of the engine but its beat. Silence is
what it has seen itself: after a sleep of the whole machine the engine gets its time anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fairlead.api import Clock, Connector, Process
from fairlead.kernel.beat import Beat, clear_beat, read_beat, sign_name
from fairlead.kernel.sweep import Sweep, SweepParts

__all__ = ["WatchEnd", "Watchdog", "WatchdogParts"]

_SECOND = 1_000_000_000
_LIMIT_NS = 60 * _SECOND


class WatchEnd(StrEnum):
    """How a watch ended."""

    #: The run said that it is over, or a later one has begun.
    OVER = "the run is over"
    #: It fell silent, and its orders are proven gone.
    SWEPT = "its orders are proven gone"


@dataclass(frozen=True, slots=True)
class WatchdogParts:
    """Whom to watch, and what to do it with."""

    instance: str
    process: Process
    clock: Clock
    connectors: Mapping[str, Connector]
    #: After this much silence the orders are cancelled.
    timeout_ns: int
    tell: Callable[[str], None]


class Watchdog:
    """Watches one run after the other."""

    def __init__(self, parts: WatchdogParts) -> None:
        self._parts = parts
        self._look_ns = min(_SECOND // 2, parts.timeout_ns // 8)
        self._last: Beat | None = None
        self._silent_ns = 0
        self._signs = 0
        #: What may be left while orders are being swept; empty when nothing is.
        self.left: tuple[str, ...] = ()

    async def wait_for_run(self) -> Beat:
        """Wait until an engine beats."""
        while (beat := read_beat(self._parts.process, self._parts.instance)) is None:
            await self._rest()
        return beat

    async def watch(self) -> WatchEnd:
        """Watch the run that beats now until it is over or its orders are swept."""
        parts = self._parts
        first = self._last = await self.wait_for_run()
        parts.tell(f"watching {parts.instance}, run {first.epoch}, by {first.by}")
        self._silent_ns = 0
        looked_ns = parts.clock.monotonic_ns()
        while True:
            await self._rest()
            now_ns = parts.clock.monotonic_ns()
            # If nobody ran for a while, the engine did not either.
            self._silent_ns += min(now_ns - looked_ns, 2 * self._look_ns)
            looked_ns = now_ns
            beat = read_beat(parts.process, parts.instance)
            if self._is_over(beat, first):
                return WatchEnd.OVER
            if beat != self._last and beat is not None and beat.epoch == first.epoch:
                self._last, self._silent_ns = beat, 0
            elif self._silent_ns >= parts.timeout_ns:
                end = await self._sweep(first)
                if end is not None:
                    return end
                self._silent_ns, looked_ns = 0, parts.clock.monotonic_ns()

    def _is_over(self, beat: Beat | None, first: Beat) -> bool:
        return beat is None or beat.epoch > first.epoch or beat.tag != first.tag

    async def _sweep(self, first: Beat) -> WatchEnd | None:
        # Goes on until all is proven, however long a venue is away; None = the engine is back.
        parts = self._parts
        seconds = self._silent_ns // _SECOND
        parts.tell(f"{parts.instance} has been silent for {seconds} s: cancelling its orders")
        silent_ns = parts.clock.now_ns()
        sweep = Sweep(
            SweepParts(
                connectors=parts.connectors,
                clock=parts.clock,
                ours=lambda name: name.tag == first.tag and name.epoch <= first.epoch,
                silent_ns=lambda: silent_ns,
                tell=parts.tell,
            )
        )
        while True:
            end = await self._one_round(sweep, first)
            self.left = sweep.left
            if end is WatchEnd.OVER:
                parts.tell("a later run has begun, or this one has ended in order")
                return end
            if end is None and not self._is_silent():
                parts.tell(f"{parts.instance} beats again")
                return None
            if not self.left:
                clear_beat(parts.process, parts.instance, first.epoch)
                count = len(sweep.cancelled)
                parts.tell(f"proven: no order of {parts.instance} is left, {count} cancelled")
                return WatchEnd.SWEPT
            parts.tell(f"not proven gone yet: {', '.join(self.left)}")

    async def _one_round(self, sweep: Sweep, first: Beat) -> WatchEnd | None:
        parts = self._parts
        limit_ns = parts.clock.now_ns() + _LIMIT_NS
        sweeping = asyncio.get_running_loop().create_task(sweep.run(limit_ns))
        try:
            while not sweeping.done():
                await self._rest()
                if self._is_over(read_beat(parts.process, parts.instance), first):
                    return WatchEnd.OVER
                if not self._is_silent():
                    return None
            sweeping.result()
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
        return None

    async def _rest(self) -> None:
        # Until the next look, with a sign that there will be one.
        self._signs += 1
        with contextlib.suppress(OSError):  # the engine replaces whom it does not hear: no harm
            sign = f"{self._signs} {self._parts.process.identity()}\n"
            self._parts.process.beat(sign_name(self._parts.instance), sign)
        await self._parts.clock.sleep_ns(self._look_ns)

    def _is_silent(self) -> bool:
        return read_beat(self._parts.process, self._parts.instance) == self._last

"""Beat the time: a fixed tick aligned to the wall, with phases, without drift or catching up.

Ticks lie on whole multiples of the tick since the epoch plus an offset of the instance's own, so
that a fleet does not act at one instant. A tick that overruns is counted and the missed ones are
skipped, never replayed in a burst.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fairlead.api import Clock

__all__ = ["CoreFailure", "Part", "Phase", "Tick", "Ticker", "instance_offset_ns"]

_SECOND = 1_000_000_000


class Phase(StrEnum):
    """The phases of a tick, in their order; none of them waits for anything."""

    INGEST = "ingest"
    RECONCILE = "reconcile"
    GUARD = "guard"
    DECIDE = "decide"
    DISPATCH = "dispatch"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Tick:
    """One beat: its number from 1, the time it stands for, and how many were skipped before."""

    number: int
    at_ns: int
    skipped: int


class CoreFailure(Exception):
    """A part that nothing works without has failed; the engine stops in order."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part} failed")
        self.part = part


@dataclass(slots=True)
class Part:
    """Something that is called in one phase of every tick."""

    phase: Phase
    name: str
    call: Callable[[Tick], None]
    #: True: its failure ends the run. False: it is counted, and the others go on.
    core: bool
    failures: int = 0


def instance_offset_ns(instance: str, tick_ns: int) -> int:
    """Give an instance's place within the second, or within the tick where that is shorter."""
    digest = hashlib.sha256(instance.encode()).digest()
    return int.from_bytes(digest[:8], "big") % min(tick_ns, _SECOND)


class Ticker:
    """Calls the parts of each phase, in the order in which they were added, on every tick."""

    def __init__(self, clock: Clock, tick_ns: int, offset_ns: int = 0) -> None:
        if tick_ns <= 0:
            raise ValueError(f"a tick of {tick_ns} ns is no tick")
        self._clock = clock
        self._tick_ns = tick_ns
        self._offset_ns = offset_ns % tick_ns
        self._parts: dict[Phase, list[Part]] = {phase: [] for phase in Phase}
        self._failed: Callable[[Part, Exception], None] = lambda part, error: None
        self.ticks = 0
        #: Ticks that ran past the begin of the next, and those that were left out for it.
        self.overruns = 0
        self.skipped = 0

    def add(
        self, phase: Phase, name: str, call: Callable[[Tick], None], *, core: bool = True
    ) -> Part:
        """Call ``call`` in ``phase`` of every tick."""
        part = Part(phase, name, call, core)
        self._parts[phase].append(part)
        return part

    def remove(self, part: Part) -> None:
        """Call it no more; not from within its own phase."""
        self._parts[part.phase].remove(part)

    def on_failure(self, listener: Callable[[Part, Exception], None]) -> None:
        """Call ``listener`` when a part raised, before the next part runs."""
        self._failed = listener

    def next_ns(self, after_ns: int) -> int:
        """Give the first tick after an instant."""
        whole = (after_ns - self._offset_ns) // self._tick_ns + 1
        return whole * self._tick_ns + self._offset_ns

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Beat until ``stopped`` says so, asked before each tick.

        :raises CoreFailure: when a core part raised; the rest of that tick is left out.
        """
        due_ns = self.next_ns(self._clock.now_ns())
        skipped = 0
        while True:
            due_ns = await self._reach(due_ns)
            if stopped():
                return
            self.ticks += 1
            self._beat(Tick(self.ticks, due_ns, skipped))
            following_ns = self.next_ns(due_ns)
            now_ns = self._clock.now_ns()
            skipped = 0
            if now_ns >= following_ns:
                self.overruns += 1
                fresh_ns = self.next_ns(now_ns)
                skipped = (fresh_ns - following_ns) // self._tick_ns
                self.skipped += skipped
                following_ns = fresh_ns
            due_ns = following_ns

    async def _reach(self, due_ns: int) -> int:
        # Waits for the tick that is due; gives another one where the wall clock was set back.
        # No wait is longer than a tick: whatever the wall shows, somebody has to stand guard.
        if due_ns <= self._clock.now_ns():
            await self._clock.sleep_ns(0)
        while (left_ns := due_ns - self._clock.now_ns()) > 0:
            if left_ns > 2 * self._tick_ns:
                due_ns = self.next_ns(self._clock.now_ns())
            else:
                await self._clock.sleep_ns(min(left_ns, self._tick_ns))
        return due_ns

    def _beat(self, tick: Tick) -> None:
        for parts in self._parts.values():
            for part in parts:
                try:
                    part.call(tick)
                except Exception as error:  # task supervisor: one part must not stop the others
                    part.failures += 1
                    self._failed(part, error)
                    if part.core:
                        raise CoreFailure(part.name) from error

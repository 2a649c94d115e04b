"""Stop everything of one instance from outside: halt it, cancel its orders, prove them gone.

It works whether its engine runs, hangs or is dead. The note that halts is written first, so that
nothing new begins; a running engine hears of it besides and cancels too. What a process that is
still there might send cannot be proven, so the proof waits for its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairlead.api import Clock, Connector, Process
from fairlead.kernel.halt import Halt, marker_name, write_halt
from fairlead.kernel.sweep import Sweep, SweepParts

__all__ = ["EmergencyStop", "EmergencyStopParts"]

_SECOND = 1_000_000_000
_LIMIT_NS = 60 * _SECOND


@dataclass(frozen=True, slots=True)
class EmergencyStopParts:
    """Whom to stop, and with what."""

    instance: str
    #: The name of the instance's lock, see `fairlead.kernel.single`.
    lock: str
    process: Process
    clock: Clock
    tell: Callable[[str], None]


class EmergencyStop:
    """One panic: `halt` first, then `sweep`, and `let_go` at the end."""

    def __init__(self, parts: EmergencyStopParts) -> None:
        self._parts = parts
        self._let_go: Callable[[], None] | None = None
        self._silent_ns: int | None = None
        #: Why the note that halts could not be left; "" = it stands.
        self.unwritten = ""
        #: The orders that were cancelled from here, with their venues.
        self.cancelled: Mapping[str, str] = {}

    def halt(self, reason: str) -> None:
        """Leave the note that halts, and wake a running engine to read it.

        A disk that refuses even this keeps nobody from cancelling; see `unwritten`.
        """
        parts = self._parts
        note = Halt("panic", reason, parts.clock.now_ns())
        try:
            write_halt(parts.process, parts.instance, note)
        except OSError as error:
            self.unwritten = f"{marker_name(parts.instance)} cannot be written ({error.strerror})"
        halted = "is halted" if not self.unwritten else f"is not halted: {self.unwritten}"
        if self._engine_is_gone():
            parts.tell(f"{parts.instance} {halted}; no engine of it runs")
            return
        holder = parts.process.read_marker(parts.lock) or "another process"
        told = parts.process.interrupt(holder)
        how = "was told" if told else "will read the note at its next tick"
        parts.tell(f"{parts.instance} {halted}; its engine ({holder}) {how}")

    async def sweep(self, connectors: Mapping[str, Connector], tag: int) -> tuple[str, ...]:
        """Cancel every order of the instance; gives what is not proven gone after 60 s."""
        parts = self._parts
        sweep = Sweep(
            SweepParts(
                connectors=connectors,
                clock=parts.clock,
                ours=lambda name: name.tag == tag,
                silent_ns=self._gone_since,
                tell=parts.tell,
            )
        )
        left = await sweep.run(parts.clock.now_ns() + _LIMIT_NS)
        self.cancelled = sweep.cancelled
        if not self._engine_is_gone():
            holder = parts.process.read_marker(parts.lock) or "another process"
            return (*left, f"its engine ({holder}) still runs: end it with kill -9")
        return left

    def let_go(self) -> None:
        """Let an engine start again; the note halts it all the same."""
        if self._let_go is not None:
            self._let_go()
            self._let_go = None

    def _gone_since(self) -> int | None:
        return self._silent_ns if self._engine_is_gone() else None

    def _engine_is_gone(self) -> bool:
        # The system takes the lock from whoever ends, however it ends; then it is ours.
        if self._let_go is None:
            self._let_go = self._parts.process.lock(self._parts.lock)
            if self._let_go is not None:
                self._silent_ns = self._parts.clock.now_ns()
        return self._let_go is not None

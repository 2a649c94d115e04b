"""Choose the time in which a session runs: virtual where the source brings it, else the system's.

Nothing else differs between modes: the same engine, put together the same way, on another clock.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from typing_extensions import override

from fairlead.api import Clock
from fairlead.kernel.clock import SystemClock
from fairlead.kernel.virtual import VirtualClock, VirtualLoop

__all__ = ["Runtime", "SystemRuntime", "VirtualRuntime", "runtime_for"]


class Runtime(Protocol):
    """A loop and the clock that belongs to it."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Give the loop; whoever runs it closes it."""

    @property
    def clock(self) -> Clock:
        """Give the clock of that loop."""

    @property
    def is_virtual(self) -> bool:
        """Tell whether time passes only where something waits for it."""

    @property
    def pace(self) -> float | None:
        """Give the multiple of real time; None = as fast as possible."""

    def set_pace(self, pace: float | None) -> None:
        """Change the pace before anything runs; real time has but one."""

    def begin(self, at_ns: int) -> None:
        """Set the time at which everything starts, where that can be chosen."""


class VirtualRuntime(Runtime):
    """Virtual time: for sources that bring their own."""

    def __init__(self, pace: float | None = None) -> None:
        self._loop = VirtualLoop(pace=pace)
        self._clock = VirtualClock(self._loop)

    @property
    @override
    def loop(self) -> VirtualLoop:
        return self._loop

    @property
    @override
    def clock(self) -> Clock:
        return self._clock

    @property
    @override
    def is_virtual(self) -> bool:
        return True

    @property
    @override
    def pace(self) -> float | None:
        return self._loop.pace

    @override
    def set_pace(self, pace: float | None) -> None:
        self._loop.pace = pace

    @override
    def begin(self, at_ns: int) -> None:
        self._loop.begin(at_ns)


class SystemRuntime(Runtime):
    """The machine's own time, with sockets: for venues that are really there."""

    def __init__(self) -> None:
        self._loop = asyncio.SelectorEventLoop()
        self._clock = SystemClock()

    @property
    @override
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    @property
    @override
    def clock(self) -> Clock:
        return self._clock

    @property
    @override
    def is_virtual(self) -> bool:
        return False

    @property
    @override
    def pace(self) -> float:
        return 1.0

    @override
    def set_pace(self, pace: float | None) -> None:
        """Do nothing: a second takes a second."""

    @override
    def begin(self, at_ns: int) -> None:
        """Do nothing: it is now."""


def runtime_for(mode: str, pace: float | None = None) -> Runtime:
    """Give a mode its time: paper follows its sources, everything else the machine's clock."""
    return VirtualRuntime(pace) if mode == "paper" else SystemRuntime()

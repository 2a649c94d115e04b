"""Kill a process in virtual time: after that nothing of it reaches the world any more.

Everything that an engine does to the world passes its gate, and each passing is a point at which
it can be killed. Killing does what SIGKILL does as far as anyone else can see: tasks end where
they are, and whatever runs while they unwind finds every seam dead.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from typing import Any

__all__ = ["Gate", "Killed", "install_task_factory"]

#: The gate of the engine whose code runs now; None = the world's own code.
_CURRENT: ContextVar[Gate | None] = ContextVar("gate", default=None)
# A task that swallows its cancellation this often does not mean to end.
_MOST_CANCELS = 20


class Killed(BaseException):
    """The process is dead. No handler of errors catches it, as none survives SIGKILL."""


class Gate:
    """One engine's way to the world; `kill` closes it for good."""

    def __init__(self) -> None:
        self.alive = True
        #: How often each kind of point was passed.
        self.passed: Counter[str] = Counter()
        #: Where it was killed; "" = it was not.
        self.killed_at = ""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._armed: tuple[str, int] | None = None
        self._listeners: list[Callable[[], None]] = []

    def on_kill(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when the engine is killed, before anything else of it ends."""
        self._listeners.append(listener)

    def arm(self, count: int, point: str = "") -> None:
        """Kill at the ``count``-th passing from now, of points that begin with ``point``."""
        self._armed = (point, count)

    def disarm(self) -> None:
        """Let it live after all."""
        self._armed = None

    def check(self) -> None:
        """Let the living pass. :raises Killed: once the engine is dead."""
        if not self.alive:
            raise Killed

    def passing(self, point: str) -> None:
        """Pass a point. :raises Killed: when the engine is dead, or dies here."""
        self.touch(point)
        if not self.alive:
            raise Killed

    def touch(self, point: str) -> None:
        """Pass a point without being stopped by it; the engine may die here all the same."""
        if not self.alive:
            return
        self.passed[point] += 1
        if self._armed is None or not point.startswith(self._armed[0]):
            return
        prefix, left = self._armed
        self._armed = (prefix, left - 1)
        if left <= 1:
            self.kill(point)

    def kill(self, point: str = "between two points") -> None:
        """Kill the engine now; without effect when it is dead."""
        if not self.alive:
            return
        self.alive, self._armed, self.killed_at = False, None, point
        for listener in self._listeners:
            listener()
        self._cancel()

    def run(self, main: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start the engine's first task; all that it starts belong to it."""
        token = _CURRENT.set(self)
        try:
            return asyncio.get_running_loop().create_task(main, name="engine")
        finally:
            _CURRENT.reset(token)

    def within(self, work: Callable[[], None]) -> None:
        """Let the engine's own code do something now; what it starts belongs to the engine."""
        token = _CURRENT.set(self)
        try:
            work()
        finally:
            _CURRENT.reset(token)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Take a task that the engine has started."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def bury(self) -> int:
        """Wait until every task of a dead engine has ended; gives how many would not."""
        for _ in range(_MOST_CANCELS):
            if not self._tasks:
                return 0
            self._cancel()
            # Its tasks end in this turn of the loop or wait for something that never comes.
            await asyncio.sleep(0)  # sim-ok: gives way once, waits for no time
        return len(self._tasks)

    def _cancel(self) -> None:
        for task in sorted(self._tasks, key=lambda one: one.get_name()):
            task.cancel()


def install_task_factory(loop: asyncio.AbstractEventLoop) -> None:
    """Let every task belong to the engine whose code starts it."""

    def make(
        on: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        *,
        context: Context | None = None,
        **more: Any,  # noqa: ANN401 - newer versions of asyncio hand on more
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=on, context=context, **more)
        gate = _CURRENT.get() if context is None else context.get(_CURRENT)
        if gate is not None:
            gate.adopt(task)
        return task

    loop.set_task_factory(make)

"""Do the work that is really outside, beside an engine in virtual time: sockets and requests.

An engine on the system's clock has a loop that can wait for sockets; there everything runs on
that one. In virtual time nothing real can be waited for, so an ordinary loop stands beside it and
gets a turn whenever the engine's loop looks up, some fifty times a second. Nothing that happens
here reaches the engine but by `engine_soon`; a run that nobody asks anything is the same run.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from fairlead.kernel.virtual import VirtualLoop

__all__ = ["SideLoop"]

_TURN_S = 0.02


class SideLoop:
    """Tasks beside the engine that runs on ``engine``; close it after the engine is done."""

    def __init__(self, engine: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._own: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[asyncio.Task[Any], None] = {}
        if isinstance(engine, VirtualLoop):
            self._own = asyncio.SelectorEventLoop()
            engine.beside = self._turn

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task here; it is cancelled by `close`."""
        task = (self._own or self._engine).create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    def engine_soon(self, callback: Callable[[], None]) -> None:
        """Call back in the engine's next turn: the only way from here to there."""
        self._engine.call_soon(callback)

    async def settle(self, task: asyncio.Task[Any], limit_s: float) -> bool:
        """Wait for one task in real time, for at most ``limit_s``; gives whether it is done."""
        if self._own is None:
            await asyncio.wait([task], timeout=limit_s)
        else:
            end = self._own.time() + limit_s
            while not task.done() and self._own.time() < end:
                self._turn(_TURN_S)
        return task.done()

    async def close(self) -> None:
        """Cancel what still runs here and wait for its end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if self._own is None:
            await asyncio.gather(*tasks, return_exceptions=True)
            return
        if isinstance(self._engine, VirtualLoop):
            self._engine.beside = None
        with _aside():
            self._own.run_until_complete(_all(tasks))
            self._own.run_until_complete(self._own.shutdown_asyncgens())
            self._own.close()

    def _turn(self, wait_s: float = 0.0) -> None:
        if self._own is None or self._own.is_closed():
            return
        if wait_s:
            self._own.call_later(wait_s, self._own.stop)
        else:
            self._own.stop()  # one turn and back
        with _aside():
            self._own.run_forever()


@contextmanager
def _aside() -> Iterator[None]:
    # A thread has one running loop; the engine's steps aside for one turn.
    running = events._get_running_loop()
    events._set_running_loop(None)
    try:
        yield
    finally:
        events._set_running_loop(running)


async def _all(tasks: list[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)

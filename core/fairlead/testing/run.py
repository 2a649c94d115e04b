"""Run a coroutine in virtual time, as fast as the machine can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fairlead.kernel import VirtualClock, VirtualLoop

__all__ = ["run_virtual"]

ResultT = TypeVar("ResultT")

#: What to run: a coroutine, or a call that makes one and gets the clock.
_Main = Coroutine[Any, Any, ResultT] | Callable[[VirtualClock], Coroutine[Any, Any, ResultT]]


def run_virtual(main: _Main[ResultT], *, start_ns: int = 0) -> ResultT:
    """Run ``main`` on a loop of its own that starts at ``start_ns`` and give its result.

    Tasks that it leaves running are cancelled.

    :raises StandstillError: when everything waits for something that never comes.
    """
    loop = VirtualLoop(start_ns)
    clock = VirtualClock(loop)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(clock) if callable(main) else main)

"""Ask a connector and always get something back: its answer, or that there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fairlead.model import Unavailable

__all__ = ["ask"]

AnswerT = TypeVar("AnswerT")

_SECOND = 1_000_000_000


async def ask(
    question: Callable[[], Awaitable[AnswerT]], patience_ns: int
) -> AnswerT | Unavailable:
    """Ask, for at most ``patience_ns``; whatever goes wrong over there is `Unavailable`.

    Only a cancellation of the caller itself passes through.
    """
    try:
        async with asyncio.timeout(max(patience_ns, 0) / _SECOND):
            return await question()
    except TimeoutError:
        return Unavailable("no answer in time")
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling() > 0:
            raise
        return Unavailable("the connector called itself off")
    except Exception as error:  # noqa: BLE001 - plugin boundary: any failure is no answer
        return Unavailable(f"the connector raised {error!r}")

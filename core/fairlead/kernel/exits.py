"""Bring every position of a session to where it belongs, one market after the other, and end it."""

from __future__ import annotations

import asyncio
from typing import Any

from fairlead.kernel.control_command import Answer, Flatten, Refused
from fairlead.kernel.session import Session

__all__ = ["Exits"]

_SECOND = 1_000_000_000
_LOOK_NS = _SECOND // 10
# What the start and the first decisions may take, before it goes on without.
_PATIENCE_NS = 90 * _SECOND


class Exits:
    """Beside a session that only exits: asks for each market to be flattened, then for the end."""

    def __init__(self, max_slippage: str, to: str) -> None:
        self._max_slippage = max_slippage
        self._to = to
        #: What was done in each market, as ``fairlead flatten`` tells it.
        self.done: list[dict[str, Any]] = []
        #: Markets where nothing was done, and why.
        self.refused: list[str] = []

    @property
    def complete(self) -> bool:
        """Tell whether nothing is left that could still be traded."""
        return not self.refused and not any(done["open"] for done in self.done)

    async def __call__(self, session: Session) -> None:
        """Run until every exit is over; the session ends then."""
        try:
            await self._ready(session)
            if session.engine.assembled:
                for market in tuple(session.engine.desk.markets):
                    await self._flatten(session, str(market))
        finally:
            session.engine.request_stop()

    async def _ready(self, session: Session) -> None:
        # A target is known after the first decision, which needs a valid book.
        clock = session.clock
        limit_ns = clock.monotonic_ns() + _PATIENCE_NS
        while clock.monotonic_ns() < limit_ns:
            await clock.sleep_ns(_LOOK_NS)
            if not session.engine.assembled:
                continue
            runners = session.engine.desk.runners.values()
            if all(not one.target_awaited and one.market.mid is not None for one in runners):
                return

    async def _flatten(self, session: Session, market: str) -> None:
        answered: asyncio.Future[Answer | Refused] = asyncio.get_running_loop().create_future()
        command = Flatten(market, self._max_slippage, self._to)
        session.control.take(command, "panic", answered.set_result)
        match await answered:
            case Answer(result=result):
                self.done.append(result)
            case Refused(reason=reason):
                self.refused.append(f"{market}: {reason}")

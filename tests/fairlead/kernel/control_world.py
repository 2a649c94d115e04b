"""Steer the shipped demo from a script, in virtual time and memory."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fairlead.cli.config import configured
from fairlead.config import Settings
from fairlead.kernel import (
    Answer,
    Command,
    Refused,
    RiskMemory,
    Session,
    SessionOptions,
    SessionOutcome,
)
from fairlead.store import Durability, InlineWriter, memory_database
from fairlead.testing import MemoryTrace, VirtualProcess
from tests.conftest import ROOT

SECOND = 1_000_000_000
#: Warm at once, and no brake that a busy minute would trip.
CALM = ("risk.warm_up=1 s", "risk.one_sided_fills=1000")
MARKET = "main:ALT/USDT"


class Hand:
    """What a script acts by."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._start_ns = session.clock.now_ns()

    async def at(self, second: float) -> None:
        """Wait until so many seconds after the begin, between two ticks."""
        await self.session.clock.sleep_until_ns(self._start_ns + int(second * SECOND))

    async def ask(self, command: Command, who: str = "a test") -> Answer | Refused:
        """Wait for the answer, and give it."""
        answered: asyncio.Future[Answer | Refused] = asyncio.get_running_loop().create_future()
        self.session.control.take(command, who, answered.set_result)
        return await answered

    async def told(self, command: Command) -> dict[str, Any]:
        answer = await self.ask(command)
        assert isinstance(answer, Answer), answer
        return answer.result

    async def refused(self, command: Command) -> Refused:
        answer = await self.ask(command)
        assert isinstance(answer, Refused), answer
        return answer

    def live(self, strategy: str = "alt") -> list[str]:
        orders = self.session.engine.desk.orders.live(strategy=strategy)
        return [order.client_id for order in orders]

    @property
    def gap(self) -> Decimal:
        desk = self.session.engine.desk
        (market,) = desk.markets
        target = desk.target(market)
        assert target is not None
        return desk.position(market) - target


@dataclass(frozen=True)
class Steered:
    outcome: SessionOutcome
    trace: MemoryTrace
    process: VirtualProcess
    session: Session


Script = Callable[[Hand], Coroutine[Any, Any, None]]


def steer(
    script: Script | None,
    *sets: str,
    seconds: int = 150,
    config: Path = ROOT / "plugins.toml",
    reread: Callable[[], Settings] | None = None,
    options: SessionOptions | None = None,
    memory: RiskMemory | None = None,
) -> Steered:
    """Run the demo, warmed up at once, with a script beside it; what a script raises is raised."""
    found = configured(config, (*CALM, *sets), env={})
    trace, process = MemoryTrace(), VirtualProcess()
    session = Session(
        found.settings,
        found.plugins,
        found.offers,
        store=InlineWriter(memory_database("memory", Durability.NORMAL)),
        traces=lambda name: trace,
        process=process,
        options=replace(options or SessionOptions(), for_ns=seconds * SECOND, reread=reread),
    )
    if memory is not None:
        session.container.memory.override(memory)

    async def watch(session: Session) -> None:
        if script is not None:
            await script(Hand(session))

    outcome = session.run(watch)
    if script is not None and isinstance(outcome.result.failure, Exception):
        raise outcome.result.failure
    return Steered(outcome, trace, process, session)

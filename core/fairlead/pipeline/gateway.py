"""Send to one venue and bring the outcomes back: the only place where orders leave.

A create leaves once, after its record is durable. Whatever goes wrong after that is UNKNOWN,
never a failure. Cancels never wait for the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.api import Connector
from fairlead.errors import StoreError
from fairlead.model import (
    Accepted,
    CancelRequest,
    NotSent,
    OrderIntent,
    Outcome,
    Rejected,
    Unavailable,
    Unknown,
)
from fairlead.pipeline.patience import ask

if TYPE_CHECKING:
    from fairlead.store import Journal

__all__ = ["Gateway", "GatewayNews"]

_SECOND = 1_000_000_000
# What an answer may take beyond twice the venue's deadline: a venue that is near says 0.
_MARGIN_NS = 1 * _SECOND


@dataclass(frozen=True, slots=True)
class GatewayNews:
    """Whom a gateway tells: outcomes of creates and cancels, a store or a part that failed."""

    created: Callable[[OrderIntent, Outcome], None]
    cancelled: Callable[[CancelRequest, Outcome], None]
    #: Creates leave now: from here on the venue's deadline for them runs.
    sent: Callable[[Sequence[OrderIntent]], None]
    #: The store failed, or what was told could not be taken in: nothing may be trusted any more.
    failed: Callable[[BaseException], None]


class Gateway:
    """Requests in flight to one venue, each in a task of its own."""

    def __init__(self, connector: Connector, journal: Journal, news: GatewayNews) -> None:
        self.connector = connector
        self._journal = journal
        self._news = news
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = 0
        # Twice the venue's own deadline: by then an answer no longer changes what is proven.
        self._patience_ns = 2 * connector.capabilities.deadline_ns + _MARGIN_NS

    @property
    def room(self) -> int:
        """Give how many more requests may be in flight."""
        return self.connector.capabilities.max_in_flight - len(self._tasks)

    def create(self, intents: Sequence[OrderIntent], seq: int) -> None:
        """Send creates in one request, as soon as the journal is durable up to ``seq``."""
        self._spawn(self._create(tuple(intents), seq))

    def cancel(self, requests: Sequence[CancelRequest]) -> None:
        """Send cancels, at once, in requests of the size that the venue takes."""
        size = max(self.connector.capabilities.batch.cancels, 1)
        for start in range(0, len(requests), size):
            self._spawn(self._cancel(tuple(requests[start : start + size])))

    async def drain(self) -> None:
        """Wait until nothing is in flight; what a disk holds back for too long is called off."""
        patience_s = (self._patience_ns + _MARGIN_NS) / _SECOND
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._news.failed(error)

    async def _create(self, intents: tuple[OrderIntent, ...], seq: int) -> None:
        outcomes: tuple[Outcome, ...] = (NotSent(0, "called off before it left"),) * len(intents)
        try:
            await self._journal.durable(seq)
            self.requests += 1
            self._news.sent(intents)
            outcomes = (Unknown("called off under way"),) * len(intents)
            outcomes = await self._ask(lambda: self.connector.submit(intents), len(intents))
        except StoreError as error:
            outcomes = (NotSent(0, "the store failed"),) * len(intents)
            self._news.failed(error)
        finally:
            for intent, outcome in zip(intents, outcomes, strict=True):
                self._news.created(intent, outcome)

    async def _cancel(self, requests: tuple[CancelRequest, ...]) -> None:
        self.requests += 1
        outcomes: tuple[Outcome, ...] = (Unknown("called off under way"),) * len(requests)
        try:
            outcomes = await self._ask(lambda: self.connector.cancel(requests), len(requests))
        finally:
            for request, outcome in zip(requests, outcomes, strict=True):
                self._news.cancelled(request, outcome)

    async def _ask(
        self, question: Callable[[], Awaitable[tuple[Outcome, ...]]], count: int
    ) -> tuple[Outcome, ...]:
        outcomes = await ask(question, self._patience_ns)
        if isinstance(outcomes, Unavailable):
            return (Unknown(outcomes.cause),) * count
        if not isinstance(outcomes, Sequence) or len(outcomes) != count:
            return (Unknown(f"no {count} outcomes: {outcomes!r}"),) * count
        return tuple(_proper(outcome) for outcome in outcomes)


def _proper(outcome: Outcome) -> Outcome:
    # What is no outcome proves nothing.
    if isinstance(outcome, Accepted | Rejected | Unknown | NotSent):
        return outcome
    return Unknown(f"no outcome: {outcome!r}")

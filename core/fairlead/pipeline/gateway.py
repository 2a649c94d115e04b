"""Send to one venue and bring the outcomes back: the only place where orders leave.

A create leaves once, after its record is durable. Whatever goes wrong after that is UNKNOWN,
never a failure. Cancels never wait for the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.api import Connector
from fairlead.errors import StoreError
from fairlead.model import CancelRequest, NotSent, OrderIntent, Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from fairlead.store import Journal

__all__ = ["Gateway", "GatewayNews"]

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class GatewayNews:
    """Whom a gateway tells: outcomes of creates and cancels, and a store that failed."""

    created: Callable[[OrderIntent, Outcome], None]
    cancelled: Callable[[CancelRequest, Outcome], None]
    store_failed: Callable[[StoreError], None]


class Gateway:
    """Requests in flight to one venue, each in a task of its own."""

    def __init__(self, connector: Connector, journal: Journal, news: GatewayNews) -> None:
        self.connector = connector
        self._journal = journal
        self._news = news
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = 0

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
        """Wait until nothing is in flight."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _create(self, intents: tuple[OrderIntent, ...], seq: int) -> None:
        try:
            await self._journal.durable(seq)
        except StoreError as error:
            for intent in intents:
                self._news.created(intent, NotSent(0, "the store failed"))
            self._news.store_failed(error)
            return
        self.requests += 1
        outcomes = await self._ask(self.connector.submit(intents), len(intents))
        for intent, outcome in zip(intents, outcomes, strict=True):
            self._news.created(intent, outcome)

    async def _cancel(self, requests: tuple[CancelRequest, ...]) -> None:
        self.requests += 1
        outcomes = await self._ask(self.connector.cancel(requests), len(requests))
        for request, outcome in zip(requests, outcomes, strict=True):
            self._news.cancelled(request, outcome)

    async def _ask(
        self, question: Coroutine[None, None, tuple[Outcome, ...]], count: int
    ) -> tuple[Outcome, ...]:
        # Twice the venue's own deadline: by then an answer no longer changes what is proven.
        patience_s = 2 * self.connector.capabilities.deadline_ns / _SECOND
        try:
            async with asyncio.timeout(patience_s):
                outcomes = await question
        except TimeoutError:
            return (Unknown("no answer in time"),) * count
        except Exception as error:  # noqa: BLE001 - plugin boundary: any failure is unproven
            return (Unknown(f"the connector raised {error!r}"),) * count
        if len(outcomes) != count:
            return (Unknown(f"{len(outcomes)} outcomes for {count} requests"),) * count
        return outcomes

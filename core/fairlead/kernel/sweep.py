"""Cancel one instance's orders at every venue from outside of its engine, and prove them gone.

The watchdog and ``fairlead panic`` do this with connectors of their own. Proof is as at a clean
stop: two complete reads, a second or more apart, that show none of ours, the first begun after
whatever was sent last can no longer land.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fairlead.api import Clock, Connector
from fairlead.model import CancelRequest, ClientId, OrderUpdate, Unavailable
from fairlead.pipeline import ask

__all__ = ["Sweep", "SweepParts"]

_SECOND = 1_000_000_000
_GAP_NS = 1 * _SECOND
_ROUND_NS = 500_000_000
_PATIENCE_NS = 5 * _SECOND
_SOON_NS = _SECOND // 10
_NEVER_NS = 1 << 62
# What a request may wait at the venue before its deadline is looked at.
_MARGIN_NS = 1 * _SECOND


@dataclass(frozen=True, slots=True)
class SweepParts:
    """Where to sweep, and what is ours there."""

    connectors: Mapping[str, Connector]
    clock: Clock
    #: Tells our orders from those of others, which are left alone.
    ours: Callable[[ClientId], bool]
    #: When the last create may have left, by the wall clock; None = one may leave yet.
    silent_ns: Callable[[], int | None]
    #: Whom each step is told.
    tell: Callable[[str], None]


class Sweep:
    """One sweep of all venues; each goes on by itself."""

    def __init__(self, parts: SweepParts) -> None:
        self._parts = parts
        #: Every order that was asked to be cancelled, with its venue.
        self.cancelled: dict[str, str] = {}
        self._left: dict[str, tuple[str, ...]] = dict.fromkeys(parts.connectors, ("not read yet",))

    @property
    def left(self) -> tuple[str, ...]:
        """Give what is not proven gone, venue by venue; empty = all is."""
        return tuple(f"{venue}: {what}" for venue, many in self._left.items() for what in many)

    async def run(self, limit_ns: int) -> tuple[str, ...]:
        """Cancel and read until all is proven or the clock reaches ``limit_ns``; gives `left`."""
        await asyncio.gather(
            *(
                self._venue(venue, connector, limit_ns)
                for venue, connector in self._parts.connectors.items()
            )
        )
        return self.left

    async def _venue(self, venue: str, connector: Connector, limit_ns: int) -> None:
        clock = self._parts.clock
        clean_ns: int | None = None  # when the first clean read began
        while clock.now_ns() < limit_ns:
            begun_ns = clock.now_ns()
            answer = await ask(connector.open_orders, min(_PATIENCE_NS, limit_ns - begun_ns))
            if isinstance(answer, Unavailable):
                self._left[venue] = (f"open orders unavailable ({answer.cause})",)
                await clock.sleep_ns(_ROUND_NS)
                continue
            mine = [order for order in answer if self._is_ours(order)]
            if mine:
                self._left[venue] = tuple(order.client_id for order in mine)
                await self._cancel(venue, connector, mine)
            landed_ns = self._landed_ns(connector)
            if mine or begun_ns < landed_ns:
                clean_ns = None
                if not mine:
                    self._left[venue] = ("what was sent last may still land",)
                await clock.sleep_ns(max(min(_ROUND_NS, landed_ns - clock.now_ns()), _SOON_NS))
            elif clean_ns is None or begun_ns - clean_ns < _GAP_NS:
                clean_ns = clean_ns or begun_ns
                self._left[venue] = ("read but once",)
                await clock.sleep_until_ns(clean_ns + _GAP_NS)
            else:
                self._left[venue] = ()
                return

    def _landed_ns(self, connector: Connector) -> int:
        # When nothing can land any more; never, as long as something may leave.
        silent_ns = self._parts.silent_ns()
        if silent_ns is None:
            return _NEVER_NS
        return silent_ns + connector.capabilities.deadline_ns + _MARGIN_NS

    def _is_ours(self, order: OrderUpdate) -> bool:
        name = ClientId.parse(order.client_id)
        return name is not None and self._parts.ours(name)

    async def _cancel(
        self, venue: str, connector: Connector, orders: Sequence[OrderUpdate]
    ) -> None:
        for order in orders:
            if order.client_id not in self.cancelled:
                self.cancelled[order.client_id] = venue
                self._parts.tell(f"{venue}: cancelling {order.client_id}")
        requests = [
            CancelRequest(order.client_id, order.market, order.venue_id or None, "sweep")
            for order in orders
        ]
        size = max(connector.capabilities.batch.cancels, 1)
        for start in range(0, len(requests), size):
            batch = requests[start : start + size]
            await ask(partial(connector.cancel, batch), _PATIENCE_NS)

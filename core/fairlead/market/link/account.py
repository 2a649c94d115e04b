"""Make up for what an account's stream did not deliver: read it, and publish it as news."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fairlead.api import Clock
from fairlead.model import AccountEvent, Fill, OrderUpdate, Unavailable

__all__ = ["AccountReplay"]

_SECOND = 1_000_000_000


class AccountReplay:
    """Fills since the last one seen and every open order, after a gap of the account's stream.

    What was known before comes again; who hears it tells news from repetition by trade id and
    state. ``overlap_ns`` covers fills that the venue shows late and steps of its clock.
    """

    def __init__(
        self,
        fills: Callable[[int], Awaitable[tuple[Fill, ...] | Unavailable]],
        open_orders: Callable[[], Awaitable[tuple[OrderUpdate, ...] | Unavailable]],
        publish: Callable[[AccountEvent], None],
        clock: Clock,
        *,
        overlap_ns: int = 30 * _SECOND,
        pause_ns: int = _SECOND // 2,
    ) -> None:
        self._fills = fills
        self._open_orders = open_orders
        self._publish = publish
        self._clock = clock
        self._overlap_ns = overlap_ns
        self._pause_ns = pause_ns
        #: The venue's time of the last fill that was seen, or since when there can be none.
        self.seen_ns = 0

    def begin(self, venue_ns: int) -> None:
        """Say from when on fills are ours to tell: what came before is read at the start."""
        self.seen_ns = max(self.seen_ns, venue_ns)

    def saw(self, fill: Fill) -> None:
        """Note a fill that the stream delivered."""
        self.seen_ns = max(self.seen_ns, fill.venue_ns)

    async def replay(self) -> None:
        """Read and publish, as often as it takes; fills oldest first, then the open orders."""
        while (fills := await self._read_fills()) is None:
            await self._clock.sleep_ns(self._pause_ns)
        for fill in fills:
            self.saw(fill)
            self._publish(fill)
        while isinstance(orders := await self._open_orders(), Unavailable):
            await self._clock.sleep_ns(self._pause_ns)
        for order in orders:
            self._publish(order)

    async def _read_fills(self) -> tuple[Fill, ...] | None:
        fills = await self._fills(max(self.seen_ns - self._overlap_ns, 0))
        return None if isinstance(fills, Unavailable) else fills

"""Hold the engine to what it is told: a fill that has come is booked, whatever came before it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from typing_extensions import override

from fairlead.api import Record
from fairlead.model import MarketId
from fairlead.store import FillBooked, OrderRecorded, TickPassed
from fairlead.testing.neutral.wire import FillLine, UserMessage
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["ToldOracle"]

_MILLISECOND = 1_000_000
# Within this after it came: a turn of the loop, and what its disk's clock rounds.
_BOOKED_NS = 100 * _MILLISECOND

_decode = msgspec.json.Decoder(UserMessage).decode


class ToldOracle(Oracle):
    """News of a fill of a process's own order is booked as it comes, before or after anything."""

    def __init__(self, add: Callable[[str, str], None], now_ns: Callable[[], int]) -> None:
        self._add = add
        self._now_ns = now_ns
        self._orders: dict[str, None] = {}
        self._booked: dict[tuple[str, str], None] = {}
        self._waiting: dict[tuple[str, str], int] = {}

    @override
    def begun(self, life: Life) -> None:
        self._orders.clear()
        self._booked.clear()
        self._waiting.clear()

    @override
    def told(self, life: Life, venue: str, message: str | bytes) -> None:
        if b"trade_id" not in (message if isinstance(message, bytes) else message.encode()):
            return
        news = _decode(message).news
        if not isinstance(news, FillLine) or news.client_id not in self._orders:
            return
        trade = (str(MarketId(venue, news.symbol)), news.trade_id)
        if trade not in self._booked:
            self._waiting.setdefault(trade, self._now_ns())

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        match record:
            case OrderRecorded(order=order):
                self._orders[order] = None
            case FillBooked(market=market, trade=trade):
                self._booked[market, trade] = None
                self._waiting.pop((market, trade), None)
            case TickPassed():
                now_ns = self._now_ns()
                for (_, trade), told_ns in self._waiting.items():
                    if now_ns - told_ns > _BOOKED_NS:
                        self._add("a fill that is told is booked at once", f"trade {trade}")
            case _:
                pass

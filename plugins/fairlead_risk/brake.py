"""Switch off a side whose quotes are filled too fast."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from typing_extensions import override

from fairlead.api import FillSeen, Gauge, Posture, RiskNews, RiskView
from fairlead.model import MarketId, Purpose, Side
from fairlead_risk.config_brake import OneSidedFillsConfig
from fairlead_risk.rule import Rule

__all__ = ["OneSidedFills", "OneSidedMemory", "SideMemory"]


class SideMemory(msgspec.Struct, frozen=True, gc=False):
    """One side of a market: when its last fills came, and until when it is off; 0 = it is on."""

    market: str
    side: Side
    fills_ns: tuple[int, ...] = ()
    until_ns: int = 0
    reason: str = ""


class OneSidedMemory(msgspec.Struct, frozen=True):
    """What outlives a restart: the sides with fills of late, and those that are off."""

    sides: tuple[SideMemory, ...] = ()


@dataclass(slots=True)
class _Side:
    fills_ns: deque[int]
    until_ns: int = 0
    reason: str = ""


class OneSidedFills(Rule):
    """Switch a side off when its quotes are filled too fast: someone knows more than we do."""

    name: ClassVar[str] = "one_sided_fills"

    def __init__(self, config: OneSidedFillsConfig) -> None:
        self._config = config
        self._sides: dict[tuple[MarketId, Side], _Side] = {}
        self._memory: OneSidedMemory | None = OneSidedMemory()

    @property
    def memory(self) -> OneSidedMemory:
        """Give fills and sides that are off; a new object whenever they changed."""
        if self._memory is None:
            self._memory = OneSidedMemory(
                tuple(
                    SideMemory(str(market), side, tuple(one.fills_ns), one.until_ns, one.reason)
                    for (market, side), one in self._sides.items()
                )
            )
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored; what is over goes with the first assessment."""
        memory = msgspec.json.decode(text, type=OneSidedMemory)
        self._sides = {
            (MarketId.parse(one.market), one.side): _Side(
                deque(one.fills_ns, maxlen=self._config.limit), one.until_ns, one.reason
            )
            for one in memory.sides
        }
        self._memory = memory

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Count a quote's fill; True when its side goes off with it."""
        if not isinstance(news, FillSeen) or news.purpose is not Purpose.QUOTE:
            return False
        key, now_ns, config = (news.slot.market, news.fill.side), view.now_ns, self._config
        one = self._sides.setdefault(key, _Side(deque(maxlen=config.limit)))
        times = one.fills_ns
        times.append(now_ns)
        self._memory = None
        if len(times) < config.limit or now_ns - times[0] > config.within.ns:
            return False
        times.clear()
        side = key[1]
        one.until_ns = now_ns + config.off.ns
        one.reason = f"{side} side off {config.off}: {config.limit} {side} fills in {config.within}"
        return True

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause the sides that are off."""
        self._forget(view.now_ns)
        return tuple(
            Posture(rule=self.name, reason=one.reason, market=market, paused=(side,))
            for (market, side), one in self._sides.items()
            if one.until_ns
        )

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Count the last fills of each side."""
        since_ns, limit = view.now_ns - self._config.within.ns, self._config.limit
        return tuple(
            Gauge(side.value, str(count), str(limit), count / limit, str(market))
            for (market, side), one in self._sides.items()
            for count in (sum(at_ns >= since_ns for at_ns in one.fills_ns),)
        )

    def _forget(self, now_ns: int) -> None:
        # A clock that was set back while nothing ran makes no pause longer than it is.
        latest_ns = now_ns + self._config.off.ns
        for one in self._sides.values():
            if one.until_ns and not now_ns < one.until_ns <= latest_ns:
                one.until_ns = 0 if one.until_ns <= now_ns else latest_ns
                self._memory = None

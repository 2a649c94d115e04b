"""Stand aside for a while: after a crash, after refusals, and before a flood of orders."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import sqrt
from typing import ClassVar

from typing_extensions import override

from fairlead.api import (
    Allowed,
    Answered,
    Denied,
    Gauge,
    Posture,
    PostureLevel,
    RiskNews,
    RiskView,
    Verdict,
)
from fairlead.model import (
    Accepted,
    MarketId,
    OrderIntent,
    OrderState,
    Purpose,
    RejectClass,
    Rejected,
    statistic,
)
from fairlead_risk.config_brake import (
    CrashPauseConfig,
    OrderRateConfig,
    RejectPauseConfig,
    SlowTicksConfig,
)
from fairlead_risk.rule import Rule, is_new_risk
from fairlead_risk.timed import TimedRule

__all__ = ["CrashPause", "OrderRate", "RejectPause", "SlowTicks"]

_SECOND = 1_000_000_000
# How fast the volatility forgets: half of it in this long. It says nothing while it is younger.
_HALF_LIFE_S = 300.0
_WARM_NS = 120 * _SECOND


@dataclass(slots=True)
class _Moves:
    #: (time, mid, variance per second until then) of the window, oldest first.
    mids: deque[tuple[int, float, float]] = field(default_factory=deque)
    variance: float = 0.0
    since_ns: int = 0
    #: The largest move within the window, and the one that would pause.
    move: float = 0.0
    bound: float = 0.0


class CrashPause(TimedRule):
    """Pause a market whose mid jumps: by a share, or by many standard deviations.

    Volatility is an exponentially weighted mean of squared returns per second, taken from before
    the window that is judged, so that a crash does not raise its own bar. A restart learns it
    anew: nobody knows what the mid did in between.
    """

    name: ClassVar[str] = "crash_pause"

    def __init__(self, config: CrashPauseConfig) -> None:
        super().__init__(config.pause.ns)
        self._config = config
        self._markets: dict[MarketId, _Moves] = {}

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Follow every mid; pause where one has jumped."""
        for market in view.markets():
            moves = self._markets.setdefault(market, _Moves())
            self._follow(moves, view.market(market).mid is not None, market, view)
        return self.paused_markets(view)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure the largest move within the window."""
        del view
        return tuple(
            Gauge(
                "",
                f"{moves.move * 1e4:.1f} bps",
                f"{moves.bound * 1e4:.1f} bps",
                moves.move / moves.bound if moves.bound else None,
                str(market),
            )
            for market, moves in self._markets.items()
        )

    def _follow(self, moves: _Moves, valid: bool, market: MarketId, view: RiskView) -> None:
        now_ns, mid = view.now_ns, view.market(market).mid
        if mid is None or not valid:
            # Across a gap nobody knows how fast it went; what was learnt of volatility stays.
            moves.mids.clear()
            moves.move = 0.0
            return
        price = statistic(mid)
        if moves.mids:
            at_ns, last, _ = moves.mids[-1]
            span_s = (now_ns - at_ns) / 1e9
            if span_s <= 0:
                return
            weight = 1 - 0.5 ** (span_s / _HALF_LIFE_S)
            squared = ((price - last) / last) ** 2 / span_s
            moves.variance += weight * (squared - moves.variance)
        else:
            moves.since_ns = moves.since_ns or now_ns
        moves.mids.append((now_ns, price, moves.variance))
        while now_ns - moves.mids[0][0] > self._config.within.ns:
            moves.mids.popleft()
        self._judge(moves, price, market, now_ns)

    def _judge(self, moves: _Moves, price: float, market: MarketId, now_ns: int) -> None:
        config = self._config
        moves.move = max(abs(price - then) / then for _, then, _ in moves.mids)
        share = statistic(config.limit.value)
        moves.bound, why = share, f"limit {config.limit}"
        before = moves.mids[0][2]
        if before > 0 and now_ns - moves.since_ns >= _WARM_NS:
            sigma = sqrt(before * config.within.ns / 1e9)
            many = max(statistic(config.sigmas.value) * sigma, statistic(config.floor.value))
            if many < share:
                moves.bound, why = many, f"{config.sigmas} sigma are {many * 1e4:.1f} bps"
        if moves.move >= moves.bound:
            reason = (
                f"paused {config.pause}: mid moved {moves.move * 1e4:.1f} bps within "
                f"{config.within}, {why}"
            )
            self.pauses.begin(str(market), now_ns, reason)


class RejectPause(TimedRule):
    """Pause a market that refuses one order after the other, and take away what rests there.

    The venue's breaker counts the same refusals, but pulls nothing: it probes with single orders.
    """

    name: ClassVar[str] = "reject_pause"

    def __init__(self, config: RejectPauseConfig) -> None:
        super().__init__(config.pause.ns)
        self._config = config
        self._rejects: dict[MarketId, int] = {}

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Count; True with the one that pauses. A refused post-only order is everyday life."""
        if not isinstance(news, Answered):
            return False
        match news.outcome:
            case Accepted():
                self._rejects[news.market] = 0
            case Rejected(reason=kind) if kind is not RejectClass.POST_ONLY:
                count = self._rejects.get(news.market, 0) + 1
                self._rejects[news.market] = count
                config = self._config
                if count >= config.limit:
                    self._rejects[news.market] = 0
                    reason = f"paused {config.pause}: {config.limit} rejects in a row"
                    self.pauses.begin(str(news.market), view.now_ns, reason)
                    return True
            case _:
                pass
        return False

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause what refused too often."""
        return self.paused_markets(view)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Count the rejects in a row."""
        del view
        limit = self._config.limit
        return tuple(
            Gauge("", str(count), str(limit), count / limit, str(market))
            for market, count in self._rejects.items()
        )


class SlowTicks(Rule):
    """Let orders only reduce while the engine is late again and again: it quotes what was."""

    name: ClassVar[str] = "slow_ticks"

    def __init__(self, config: SlowTicksConfig) -> None:
        self._config = config
        self._seen = 0
        self._late_ns: deque[int] = deque()

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Count what was late lately."""
        more = view.account.overruns - self._seen
        self._seen += more
        self._late_ns.extend([view.now_ns] * more)
        while self._late_ns and view.now_ns - self._late_ns[0] >= self._config.within.ns:
            self._late_ns.popleft()
        count, config = len(self._late_ns), self._config
        if count <= config.limit:
            return ()
        reason = f"{count} ticks within {config.within} took too long, limit {config.limit}"
        return (Posture(PostureLevel.REDUCING, self.name, reason),)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Show how many ticks were late lately."""
        del view
        count, limit = len(self._late_ns), self._config.limit
        return (Gauge("", str(count), str(limit), count / limit),)


class OrderRate(Rule):
    """Deny quotes and entries beyond so many in so long; hedges and exits pass."""

    name: ClassVar[str] = "order_rate"

    def __init__(self, config: OrderRateConfig) -> None:
        self._config = config
        self._sent_ns: dict[MarketId, deque[int]] = {}

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Note that an order was sent; those without an answer yet are seen as orders."""
        if isinstance(news, Answered) and news.purpose in (Purpose.QUOTE, Purpose.ENTRY):
            times = self._sent_ns.setdefault(news.market, deque(maxlen=self._config.limit))
            times.append(view.now_ns)
        return False

    @override
    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Count what was sent lately and what is on its way."""
        if not is_new_risk(intent):
            return Allowed()
        count, limit = self._count(intent.instrument.market, view) + 1, self._config.limit
        if count > limit:
            detail = f"orders in {self._config.within}"
            return Denied(self.name, str(count), str(limit), detail)
        return Allowed()

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Count each market's."""
        limit = self._config.limit
        return tuple(
            Gauge("", str(count), str(limit), count / limit, str(market))
            for market in view.markets()
            for count in (self._count(market, view),)
        )

    def _count(self, market: MarketId, view: RiskView) -> int:
        since_ns, times = view.now_ns - self._config.within.ns, self._sent_ns.get(market, ())
        on_the_way = sum(
            order.state is OrderState.PENDING_CREATE
            and order.purpose is not Purpose.HEDGE
            and not order.is_reservation
            for order in view.market(market).orders
        )
        if times and len(times) == self._config.limit and times[0] > since_ns:
            return len(times) + on_the_way
        return sum(at_ns > since_ns for at_ns in times) + on_the_way

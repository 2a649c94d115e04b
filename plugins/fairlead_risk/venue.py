"""Judge venues: does their stream speak, their clock agree, do answers come, is the price right."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from statistics import median_low
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
from fairlead.model import MarketId, NotSent, OrderIntent, Unknown, trimmed
from fairlead_risk.config_venue import (
    ClockSkewConfig,
    SecondSourceConfig,
    SelfTradeConfig,
    UserStreamConfig,
    VenueHealthConfig,
)
from fairlead_risk.rule import BOTH, Rule, is_new_risk, of_venue, seconds, used
from fairlead_risk.timed import TimedRule

__all__ = ["ClockSkew", "SecondSource", "SelfTrade", "UserStream", "VenueHealth"]

_CANCEL_ONLY, _HALTED = PostureLevel.CANCEL_ONLY, PostureLevel.HALTED


class UserStream(Rule):
    """Pull a venue's orders when its account stream has not been proven for too long."""

    name: ClassVar[str] = "user_stream"

    def __init__(self, config: UserStreamConfig) -> None:
        self._config = config

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give CANCEL_ONLY for the markets of such a venue."""
        postures: list[Posture] = []
        for venue in _venues(view):
            since_ns = view.stream(venue).unproven_since_ns
            if since_ns is None or view.now_ns - since_ns < self._config.limit.ns:
                continue
            reason = f"{venue}: user stream unproven, limit {self._config.limit}"
            postures += (
                Posture(_CANCEL_ONLY, self.name, reason, market) for market in of_venue(view, venue)
            )
        return tuple(postures)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure how long each stream has been unproven."""
        limit, gauges = self._config.limit, []
        for venue in _venues(view):
            since_ns = view.stream(venue).unproven_since_ns
            silent_ns = 0 if since_ns is None else view.now_ns - since_ns
            gauges.append(Gauge(venue, seconds(silent_ns), str(limit), silent_ns / limit.ns))
        return tuple(gauges)


class ClockSkew(Rule):
    """Warn when a venue's clock and ours disagree, halt when they do by too much."""

    name: ClassVar[str] = "clock_skew"

    def __init__(self, config: ClockSkewConfig) -> None:
        self._config = config

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give HALTED beyond the limit, a warning before it, nothing where nobody measured."""
        postures = []
        for venue in _venues(view):
            skew_ns = view.stream(venue).skew_ns
            if skew_ns is None or abs(skew_ns) <= self._config.warn.ns:
                continue
            beyond = abs(skew_ns) > self._config.limit.ns
            limit = self._config.limit if beyond else self._config.warn
            reason = f"{venue}: its clock is {skew_ns / 1e6:+.0f} ms from ours, limit {limit}"
            level = _HALTED if beyond else PostureLevel.ACTIVE
            postures.append(Posture(level, self.name, reason))
        return tuple(postures)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure each venue's skew."""
        limit, gauges = self._config.limit, []
        for venue in _venues(view):
            skew_ns = view.stream(venue).skew_ns
            if skew_ns is None:
                gauges.append(Gauge(venue, "unavailable", str(limit)))
            else:
                shown = f"{skew_ns / 1e6:+.0f} ms"
                gauges.append(Gauge(venue, shown, str(limit), abs(skew_ns) / limit.ns))
        return tuple(gauges)


class VenueHealth(TimedRule):
    """Pause a venue whose answers to orders get lost, or that is not to be had."""

    name: ClassVar[str] = "venue_health"

    def __init__(self, config: VenueHealthConfig) -> None:
        super().__init__(config.pause.ns)
        self._config = config
        self._answers: dict[str, deque[bool]] = {}

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Note an answer; True with the one that pauses."""
        if not isinstance(news, Answered):
            return False
        venue, config = news.market.venue, self._config
        answers = self._answers.setdefault(venue, deque(maxlen=config.answers))
        answers.append(isinstance(news.outcome, Unknown | NotSent))
        missing = Decimal(sum(answers)) / config.answers
        if len(answers) < config.answers or missing <= config.limit.value:
            return False
        answers.clear()
        reason = (
            f"{venue} paused {config.pause}: more than {config.limit} of the last "
            f"{config.answers} answers were lost or not to be had"
        )
        self.pauses.begin(venue, view.now_ns, reason)
        return True

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause the markets of such venues."""
        return tuple(
            Posture(rule=self.name, reason=reason, market=market, paused=BOTH)
            for venue, reason in self.pauses.running(view.now_ns).items()
            for market in of_venue(view, venue)
        )

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure the share of answers that are missing."""
        del view
        config = self._config
        return tuple(
            Gauge(
                venue,
                f"{sum(answers)} of {config.answers}",
                str(config.limit),
                used(Decimal(sum(answers)) / config.answers, config.limit.value),
            )
            for venue, answers in self._answers.items()
        )


class SecondSource(Rule):
    """Pause a market whose mid is far from the same market's elsewhere: one of them is wrong."""

    name: ClassVar[str] = "second_source"

    def __init__(self, config: SecondSourceConfig) -> None:
        self._config = config

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause beyond the limit; without a second source there is nothing to compare."""
        postures = []
        for market in view.markets():
            away = self._away(market, view)
            if isinstance(away, Decimal) and away > self._config.limit.value:
                reason = (
                    f"mid {away.scaleb(4):.1f} bps from that of other venues, "
                    f"limit {self._config.limit}"
                )
                postures.append(Posture(rule=self.name, reason=reason, market=market, paused=BOTH))
        return tuple(postures)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure how far each mid is from the median elsewhere."""
        limit, gauges = self._config.limit, []
        for market in view.markets():
            away = self._away(market, view)
            if isinstance(away, str):
                gauges.append(Gauge("", away, str(limit), None, str(market)))
            else:
                shown = f"{away.scaleb(4):.1f} bps"
                gauges.append(Gauge("", shown, str(limit), used(away, limit.value), str(market)))
        return tuple(gauges)

    def _away(self, market: MarketId, view: RiskView) -> Decimal | str:
        sources, mid = view.sources(market), view.market(market).mid
        if not sources:
            return "no second source configured"
        oldest_ns = view.now_ns - self._config.fresh.ns
        mids = [
            one.mid
            for one in sources
            if one.mid is not None and one.changed_ns is not None and one.changed_ns >= oldest_ns
        ]
        if mid is None or not mids:
            return "unavailable"
        other = median_low(mids)
        return abs(mid - other) / other


class SelfTrade(Rule):
    """Never let an order meet one of our own, of whatever strategy, on its market.

    A hedge or an exit is denied too, but what is in its way is cancelled for it.
    """

    name: ClassVar[str] = "self_trade"

    def __init__(self, config: SelfTradeConfig) -> None:
        self._config = config

    @override
    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Compare with every live order of the other side, unproven and leaving ones too."""
        sign, market = intent.side.sign, intent.instrument.market
        met = [
            order
            for order in view.market(market).orders
            if order.side is not intent.side
            and not order.is_reservation
            and sign * (intent.price - order.price) >= 0
        ]
        if not met:
            return Allowed()
        nearest = min(met, key=lambda order: sign * order.price)
        clear = self._config.clear_the_way and not is_new_risk(intent)
        return Denied(
            self.name,
            # Texts: no smaller order would pass, so none is to be tried.
            trimmed(intent.price),
            trimmed(nearest.price),
            f"would trade with our own {nearest.side} order of {nearest.slot.strategy}",
            tuple(order.client_id for order in met if order.client_id) if clear else (),
        )


def _venues(view: RiskView) -> tuple[str, ...]:
    return tuple(dict.fromkeys(market.venue for market in view.markets()))

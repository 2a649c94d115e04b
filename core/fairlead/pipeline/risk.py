"""Ask the risk rules: what they restrain as a whole, and what they say to one order.

Rules come from plugins; their order and failing closed are the kernel's. A rule that raises
denies, or gives CANCEL_ONLY when it was asked about the account.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fairlead.api import (
    Allowed,
    Denied,
    MarketRisk,
    Posture,
    PostureLevel,
    RiskRule,
    RiskView,
)
from fairlead.model import ONE, ZERO, MarketId, OrderIntent, Side
from fairlead.store import Incident, Journal, PostureChanged

__all__ = ["RiskGate", "growing"]

_ACTIVE = Posture()


def growing(side: Side, gap: Decimal) -> bool:
    """Tell whether an order of this side moves |position - target| up; any side does at zero."""
    return side.sign * gap >= 0


class RiskGate:
    """Every enabled rule, the posture that they add up to, and the judgement on an intent."""

    def __init__(self, rules: Sequence[RiskRule], journal: Journal) -> None:
        self._rules = tuple(rules)
        self._journal = journal
        self._postures: dict[MarketId | None, Posture] = {}
        self._raised: dict[str, int] = {}
        self._imposed: dict[tuple[str, MarketId | None], Posture] = {}
        self._ruled: tuple[Posture, ...] = ()

    @property
    def postures(self) -> tuple[Posture, ...]:
        """Give the restraints in force, the account's first."""
        return tuple(self._postures.values())

    def assess(self, view: RiskView) -> tuple[MarketId | None, ...]:
        """Ask every rule about the account; gives what changed (None = the account)."""
        self._ruled = tuple(
            posture for rule in self._rules for posture in self._assess_one(rule, view)
        )
        return self._combine(self._ruled)

    def impose(
        self, rule: str, level: PostureLevel, reason: str, market: MarketId | None = None
    ) -> None:
        """Restrain trading from now on, whatever the rules say, until `lift`."""
        self._imposed[rule, market] = Posture(level, rule, reason, market)
        self._combine(self._ruled)

    def lift(self, rule: str) -> None:
        """End a restraint that `impose` began; without effect when there is none."""
        kept = {key: posture for key, posture in self._imposed.items() if key[0] != rule}
        if len(kept) != len(self._imposed):
            self._imposed = kept
            self._combine(self._ruled)

    def posture(self, market: MarketId) -> Posture:
        """Give what restrains a market: its own posture or the account's, the stricter."""
        account, own = self._of(self._postures, None), self._of(self._postures, market)
        return _stricter(own, account, market)

    def check(self, intent: OrderIntent, view: RiskView) -> Denied | None:
        """Judge one intent by posture and then by each rule; the first refusal counts."""
        market = intent.instrument.market
        posture = self.posture(market)
        match posture.level:
            case PostureLevel.HALTED | PostureLevel.CANCEL_ONLY:
                return Denied(posture.rule, posture.level.value, "ACTIVE", posture.reason)
            case PostureLevel.REDUCING:
                refusal = _reduce_only(intent, view.market(market), posture)
                if refusal is not None:
                    return refusal
            case PostureLevel.ACTIVE:
                pass
        for rule in self._rules:
            verdict = self._check_one(rule, intent, view)
            if isinstance(verdict, Denied):
                return verdict
        return None

    def _combine(self, ruled: Sequence[Posture]) -> tuple[MarketId | None, ...]:
        # The strictest of all restraints on the account and on each market wins.
        strictest: dict[MarketId | None, Posture] = {None: _ACTIVE}
        for posture in (*self._imposed.values(), *ruled):
            held = strictest.get(posture.market, _ACTIVE)
            strictest[posture.market] = _stricter(posture, held, posture.market)
        changed = tuple(
            market
            for market in {**self._postures, **strictest}
            if self._of(self._postures, market).level != self._of(strictest, market).level
        )
        self._postures = strictest
        for market in changed:
            posture = self._of(strictest, market)
            self._journal.append(
                PostureChanged(
                    market="" if market is None else str(market),
                    level=posture.level.value,
                    rule=posture.rule,
                    reason=posture.reason,
                )
            )
        return changed

    def _assess_one(self, rule: RiskRule, view: RiskView) -> tuple[Posture, ...]:
        try:
            return tuple(rule.assess(view))
        except Exception as error:  # noqa: BLE001 - plugin boundary: a broken rule fails closed
            self._report(rule, error)
            reason = f"the rule failed: {error!r}"
            return (Posture(PostureLevel.CANCEL_ONLY, rule.name, reason),)

    def _check_one(self, rule: RiskRule, intent: OrderIntent, view: RiskView) -> Allowed | Denied:
        try:
            verdict = rule.check(intent, view)
        except Exception as error:  # noqa: BLE001 - plugin boundary: a broken rule fails closed
            self._report(rule, error)
            return Denied(rule.name, "the rule failed", "a verdict", repr(error))
        if isinstance(verdict, Allowed | Denied):
            return verdict
        self._report(rule, TypeError(f"no verdict: {verdict!r}"))
        return Denied(rule.name, repr(verdict), "a verdict", "the rule gave no verdict")

    def _report(self, rule: RiskRule, error: Exception) -> None:
        seen = self._raised.get(rule.name, 0)
        self._raised[rule.name] = seen + 1
        if seen == 0:
            self._journal.append(Incident(name="rule_failed", detail=f"{rule.name}: {error!r}"))

    @staticmethod
    def _of(postures: dict[MarketId | None, Posture], market: MarketId | None) -> Posture:
        return postures.get(market, _ACTIVE)


def _stricter(one: Posture, other: Posture, market: MarketId | None) -> Posture:
    winner = one if one.level.rank > other.level.rank else other
    factor = max(one.spread_factor, other.spread_factor, ONE)
    return Posture(winner.level, winner.rule, winner.reason, market, factor)


def _reduce_only(intent: OrderIntent, market: MarketRisk, posture: Posture) -> Denied | None:
    gap = market.gap
    if growing(intent.side, gap):
        return Denied(posture.rule, gap, "reduce only", posture.reason)
    working = sum(
        (order.leaves for order in market.orders if order.side is intent.side), start=ZERO
    )
    room = intent.instrument.round_quantity(abs(gap) - working)
    if intent.quantity > room:
        return Denied(posture.rule, intent.quantity, room, "reduce only: beyond the gap")
    return None

"""Ask the risk rules: what they restrain as a whole, and what they say to one order.

Rules come from plugins; their order and failing closed are the kernel's. A rule that raises on an
order denies it. One that raises on news or on the account is broken: it has missed something, so
orders may only reduce until a person has looked, and only cancels pass while it gives no answer.
One whose memory cannot be read has forgotten what it may have restrained: it is broken too, and
what is stored stays as it is until then, so that no restart lifts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial

import msgspec

from fairlead.api import (
    Admitting,
    Allowed,
    Denied,
    Leg,
    MarketRisk,
    Observing,
    Posture,
    PostureLevel,
    Remembering,
    RiskNews,
    RiskRule,
    RiskView,
    Verdict,
)
from fairlead.model import ONE, ZERO, InstrumentKind, MarketId, OrderIntent, Purpose, Side
from fairlead.pipeline.firing import Firings
from fairlead.store import Incident, Journal, PostureChanged, RuleState

__all__ = ["TARGET_UNKNOWN", "RiskGate", "growing"]

#: What is seen of a gap while a strategy of the market has yet to say what it steers to.
TARGET_UNKNOWN = "target unknown"

_ACTIVE = Posture()
_NEW_RISK = (Purpose.QUOTE, Purpose.ENTRY)


def growing(side: Side, gap: Decimal) -> bool:
    """Tell whether an order of this side moves |position - target| up; any side does at zero."""
    return side.sign * gap >= 0


class RiskGate:
    """Every enabled rule, the posture that they add up to, and the judgement on an intent."""

    def __init__(self, rules: Sequence[RiskRule], journal: Journal) -> None:
        self._rules = tuple(rules)
        self._observing = tuple(rule for rule in self._rules if isinstance(rule, Observing))
        self._remembering = tuple(rule for rule in self._rules if isinstance(rule, Remembering))
        self._admitting = tuple(rule for rule in self._rules if isinstance(rule, Admitting))
        self._journal = journal
        self._postures: dict[MarketId | None, Posture] = {}
        self._raised: set[tuple[str, str]] = set()
        self._imposed: dict[tuple[str, MarketId | None], Posture] = {}
        self._ruled: dict[str, tuple[Posture, ...]] = {}
        self._stored: dict[str, msgspec.Struct] = {}
        #: Rules whose memory could not be read, until a person has looked.
        self._unread: set[str] = set()
        #: What each rule did, when and for how long.
        self.firings = Firings(journal)

    @property
    def rules(self) -> tuple[RiskRule, ...]:
        """Give the rules in the order in which they are asked."""
        return self._rules

    @property
    def postures(self) -> tuple[Posture, ...]:
        """Give the restraints in force, the account's first."""
        return tuple(self._postures.values())

    @property
    def strictest(self) -> Posture:
        """Give the strictest restraint of all, on whatever market; ACTIVE when there is none."""
        return max(self._postures.values(), key=_weight, default=_ACTIVE)

    def recall(self, states: Mapping[str, str]) -> None:
        """Let rules take up what they stored in an earlier run, as JSON by rule.

        One that cannot lets orders only reduce until it is lifted.
        """
        for rule in self._remembering:
            text = states.get(rule.name)
            if text is None:
                continue
            try:
                rule.recall(text)
                self._stored[rule.name] = rule.memory
            except Exception as error:  # noqa: BLE001 - plugin boundary: a broken rule fails closed
                self._break(rule, "its memory", error)
                self._unread.add(rule.name)
        if self._unread:
            self._combine()

    def assess(self, view: RiskView) -> tuple[MarketId | None, ...]:
        """Ask every rule about the account; gives what changed (None = the account)."""
        seen = view.still()
        for rule in self._rules:
            self._ruled[rule.name] = self._assess_one(rule, seen)
        self._remember()
        return self._combine()

    def hear(self, news: RiskNews, view: RiskView) -> tuple[MarketId | None, ...]:
        """Tell the rules that listen; gives what changed at once (None = the account)."""
        moved = False
        for rule in self._observing:
            try:
                again = rule.observe(news, view)
            except Exception as error:  # noqa: BLE001 - plugin boundary: a broken rule fails closed
                self._break(rule, "news", error)
                again = True
            if again:
                self._ruled[rule.name] = self._assess_one(rule, view)
                moved = True
        if not moved:
            return ()
        self._remember()
        return self._combine()

    def impose(
        self, rule: str, level: PostureLevel, reason: str, market: MarketId | None = None
    ) -> None:
        """Restrain trading from now on, whatever the rules say, until `lift`."""
        self._imposed[rule, market] = Posture(level, rule, reason, market)
        self._combine()

    def lift(self, *rules: str) -> None:
        """End restraints that `impose` began, or a rule by failing; others are passed over.

        What a rule remembers then takes the place of what could not be read.
        """
        if not self._unread.isdisjoint(rules):
            self._unread.difference_update(rules)
            self._remember()
        kept = {key: posture for key, posture in self._imposed.items() if key[0] not in rules}
        if len(kept) != len(self._imposed):
            self._imposed = kept
            self._combine()

    def posture(self, market: MarketId) -> Posture:
        """Give what restrains a market: its own posture or the account's, the stricter."""
        account, own = self._of(self._postures, None), self._of(self._postures, market)
        return _stricter(own, account, market)

    def check(self, intent: OrderIntent, view: RiskView) -> Denied | None:
        """Judge one intent by posture and then by each rule; the first refusal counts."""
        seen = view.still()
        refusal = self._by_posture(intent, seen)
        if refusal is not None:
            return refusal
        for rule in self._rules:
            verdict = self._verdict(rule, partial(rule.check, intent, seen))
            if isinstance(verdict, Denied):
                return verdict
        return None

    def admit(self, legs: Sequence[Leg], view: RiskView) -> Denied | None:
        """Judge a plan by all that it may trade at most; the first refusal counts."""
        seen = view.still()
        for rule in self._admitting:
            verdict = self._verdict(rule, partial(rule.admit, legs, seen))
            if isinstance(verdict, Denied):
                return verdict
        return None

    def reduces_only(self, intent: OrderIntent) -> bool:
        """Tell whether the venue's own reduce-only flag belongs on an order that may pass."""
        if intent.instrument.kind is not InstrumentKind.PERPETUAL:
            return False
        level = self.posture(intent.instrument.market).level
        return level is PostureLevel.REDUCING and not _of_a_plan(intent)

    def _by_posture(self, intent: OrderIntent, view: RiskView) -> Denied | None:
        market = intent.instrument.market
        posture = self.posture(market)
        match posture.level:
            case PostureLevel.HALTED | PostureLevel.CANCEL_ONLY:
                # A stop may come with an exit that it wants itself.
                wanted = posture.relief is not None and intent.purpose is Purpose.EXIT
                if not wanted or _of_a_plan(intent):
                    return Denied(posture.rule, posture.level.value, "ACTIVE", posture.reason)
                return _reduce_only(intent, view.market(market), posture)
            case PostureLevel.REDUCING:
                # What shrinks a plan's own exposure was held to it by the plan's admission.
                if not _of_a_plan(intent):
                    refusal = _reduce_only(intent, view.market(market), posture)
                    if refusal is not None:
                        return refusal
            case PostureLevel.ACTIVE:
                pass
        if intent.purpose in _NEW_RISK and intent.side in posture.paused:
            return Denied(posture.rule, f"{intent.side} paused", "quoting", posture.reason)
        return None

    def _combine(self) -> tuple[MarketId | None, ...]:
        # The strictest of all restraints on the account and on each market wins.
        strictest: dict[MarketId | None, Posture] = {None: _ACTIVE}
        ruled = [posture for postures in self._ruled.values() for posture in postures]
        in_force = (*self._imposed.values(), *ruled)
        for posture in in_force:
            held = strictest.get(posture.market, _ACTIVE)
            strictest[posture.market] = _stricter(posture, held, posture.market)
        before, self._postures = self._postures, strictest
        self.firings.update(in_force)
        changed = []
        for market in {**before, **strictest}:
            was, now = self._of(before, market), self._of(strictest, market)
            if was.level is not now.level:
                self._journal.append(
                    PostureChanged(
                        market="" if market is None else str(market),
                        level=now.level.value,
                        rule=now.rule,
                        reason=now.reason,
                    )
                )
            if was.level is not now.level or was.paused != now.paused:
                changed.append(market)
        return tuple(changed)

    def _remember(self) -> None:
        for rule in self._remembering:
            if rule.name in self._unread:
                continue
            try:
                memory = rule.memory
                if memory is self._stored.get(rule.name):
                    continue
                text = msgspec.json.encode(memory).decode()
            except Exception as error:  # noqa: BLE001 - plugin boundary: it forgets, loudly
                self._report(rule, "writing its memory", error)
                continue
            self._stored[rule.name] = memory
            self._journal.append(RuleState(rule=rule.name, state=text))

    def _assess_one(self, rule: RiskRule, view: RiskView) -> tuple[Posture, ...]:
        try:
            return tuple(map(_posture, rule.assess(view)))
        except Exception as error:  # noqa: BLE001 - plugin boundary: a broken rule fails closed
            reason = self._break(rule, "account", error)
            return (Posture(PostureLevel.CANCEL_ONLY, rule.name, reason),)

    def _verdict(self, rule: RiskRule, ask: Callable[[], Verdict]) -> Allowed | Denied:
        try:
            verdict = ask()
        except Exception as error:  # noqa: BLE001 - plugin boundary: a broken rule fails closed
            self._report(rule, "order", error)
            return Denied(rule.name, "the rule failed", "a verdict", repr(error))
        if isinstance(verdict, (Allowed, Denied)):
            return verdict
        self._report(rule, "order", TypeError(f"no verdict: {verdict!r}"))
        return Denied(rule.name, repr(verdict), "a verdict", "the rule gave no verdict")

    def _break(self, rule: RiskRule, what: str, error: Exception) -> str:
        # What it missed will not come again, so it would count too little from now on.
        self._report(rule, what, error)
        reason = f"the rule failed on {what}: {error!r}"
        held = Posture(PostureLevel.REDUCING, rule.name, reason)
        self._imposed.setdefault((rule.name, None), held)
        return reason

    def _report(self, rule: RiskRule, what: str, error: Exception) -> None:
        if (rule.name, what) not in self._raised:
            self._raised.add((rule.name, what))
            detail = f"{rule.name}: on {what}: {error!r}"
            self._journal.append(Incident(name="rule_failed", detail=detail))

    @staticmethod
    def _of(postures: dict[MarketId | None, Posture], market: MarketId | None) -> Posture:
        return postures.get(market, _ACTIVE)


def _posture(posture: object) -> Posture:
    if not isinstance(posture, Posture):
        raise TypeError(f"no posture: {posture!r}")
    return posture


def _weight(posture: Posture) -> tuple[int, int, Decimal]:
    return posture.level.rank, len(posture.paused), posture.spread_factor


def _stricter(one: Posture, other: Posture, market: MarketId | None) -> Posture:
    winner, loser = (one, other) if _weight(one) > _weight(other) else (other, one)
    paused = winner.paused
    if one.paused and other.paused and one.paused != other.paused:
        paused = tuple(side for side in Side if side in (*one.paused, *other.paused))
    return Posture(
        winner.level,
        winner.rule,
        winner.reason,
        market,
        max(one.spread_factor, other.spread_factor, ONE),
        paused or one.paused or other.paused,
        winner.relief or (loser.relief if loser.level is winner.level else None),
    )


def _of_a_plan(intent: OrderIntent) -> bool:
    return bool(intent.slot.plan) and intent.purpose not in _NEW_RISK


def _reduce_only(intent: OrderIntent, market: MarketRisk, posture: Posture) -> Denied | None:
    gap = market.gap
    if gap is None:
        return Denied(posture.rule, TARGET_UNKNOWN, "reduce only", posture.reason)
    if growing(intent.side, gap):
        return Denied(posture.rule, gap, "reduce only", posture.reason)
    working = sum(
        (order.leaves for order in market.orders if order.side is intent.side), start=ZERO
    )
    room = intent.instrument.round_quantity(abs(gap) - working)
    if intent.quantity > room:
        return Denied(posture.rule, intent.quantity, room, "reduce only: beyond the gap")
    return None

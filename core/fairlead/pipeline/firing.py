"""Remember which risk rules fired, when and for how long, and write it down as it happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fairlead.api import Posture, PostureLevel
from fairlead.model import ONE, Side, trimmed
from fairlead.store import Journal, RuleEnded, RuleFired

__all__ = ["Firings", "effect_of"]

#: Rule, market ("" = the account) and what it does there.
_Key: TypeAlias = tuple[str, str, str]


def effect_of(posture: Posture) -> str:
    """Say in a word or two what a posture does; "warning" when it restrains nothing."""
    parts = [] if posture.level is PostureLevel.ACTIVE else [posture.level.value]
    if len(posture.paused) == len(Side):
        parts.append("paused")
    else:
        parts += [f"{side} paused" for side in posture.paused]
    if posture.spread_factor > ONE:
        parts.append(f"spread x {trimmed(posture.spread_factor)}")
    return ", ".join(parts) or "warning"


@dataclass(slots=True)
class _Rule:
    fired: int = 0
    active_ns: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    #: How many of its restraints are in force, and since when any is.
    in_force: int = 0
    since_ns: int = 0


class Firings:
    """The restraints in force, and what each rule has done so far."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._in_force: dict[_Key, int] = {}
        self._rules: dict[str, _Rule] = {}

    def update(self, postures: Iterable[Posture]) -> None:
        """Take the restraints in force now; what is new or over is journaled."""
        now: dict[_Key, str] = {}
        for posture in postures:
            market = "" if posture.market is None else str(posture.market)
            now[posture.rule, market, effect_of(posture)] = posture.reason
        if now.keys() == self._in_force.keys():
            return
        at_ns = self._journal.now_ns()
        for key in [key for key in self._in_force if key not in now]:
            self._end(key, at_ns)
        for key, reason in now.items():
            if key not in self._in_force:
                self._begin(key, reason, at_ns)

    def figures(self, now_ns: int, denied: Mapping[str, int]) -> dict[str, dict[str, Any]]:
        """Give by rule how often it fired, for how long in all, and what it denied.

        Times are integer nanoseconds; None = never.
        """
        names = dict.fromkeys((*self._rules, *sorted(denied)))
        return {name: self._of(name, now_ns, denied.get(name, 0)) for name in names}

    def in_force(self, rule: str) -> list[dict[str, str]]:
        """Give what a rule restrains now, by market ("" = the account)."""
        return [
            {"market": market, "effect": effect}
            for name, market, effect in self._in_force
            if name == rule
        ]

    @property
    def nothing(self) -> dict[str, Any]:
        """Give the figures of a rule that has done nothing."""
        return self._of("", 0, 0)

    def _of(self, name: str, now_ns: int, denied: int) -> dict[str, Any]:
        rule = self._rules.get(name, _Rule())
        running_ns = now_ns - rule.since_ns if rule.in_force else 0
        return {
            "fired": rule.fired,
            "active_ns": rule.active_ns + running_ns,
            "first_ns": rule.first_ns,
            "last_ns": rule.last_ns,
            "in_force": bool(rule.in_force),
            "denied": denied,
        }

    def _begin(self, key: _Key, reason: str, at_ns: int) -> None:
        name, market, effect = key
        self._in_force[key] = at_ns
        rule = self._rules.setdefault(name, _Rule())
        rule.fired += 1
        rule.last_ns = at_ns
        if rule.first_ns is None:
            rule.first_ns = at_ns
        if not rule.in_force:
            rule.since_ns = at_ns
        rule.in_force += 1
        self._journal.append(RuleFired(rule=name, market=market, effect=effect, reason=reason))

    def _end(self, key: _Key, at_ns: int) -> None:
        name, market, effect = key
        lasted_ns = at_ns - self._in_force.pop(key)
        rule = self._rules[name]
        rule.in_force -= 1
        if not rule.in_force:
            rule.active_ns += at_ns - rule.since_ns
        self._journal.append(
            RuleEnded(rule=name, market=market, effect=effect, lasted_ns=lasted_ns)
        )

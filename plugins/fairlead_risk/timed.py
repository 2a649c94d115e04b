"""Keep pauses that only time ends, over restarts too: who dies and starts again lifts none."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from fairlead.api import Posture, RiskView
from fairlead_risk.rule import BOTH, Rule

__all__ = ["PauseMemory", "PausesMemory", "TimedPauses", "TimedRule"]


class PauseMemory(msgspec.Struct, frozen=True, gc=False):
    """One market, or venue, that is paused: until when, and why."""

    of: str
    until_ns: int
    reason: str


class PausesMemory(msgspec.Struct, frozen=True):
    """What outlives a restart: the pauses that run, one for each market or venue at most."""

    pauses: tuple[PauseMemory, ...] = ()


class TimedPauses:
    """The pauses of one rule, each as long as ``longest_ns`` at most from when it is looked at."""

    def __init__(self, longest_ns: int) -> None:
        self._longest_ns = longest_ns
        self._pauses: dict[str, PauseMemory] = {}
        self._memory: PausesMemory | None = PausesMemory()

    @property
    def memory(self) -> PausesMemory:
        """Give the pauses; a new object whenever they changed."""
        if self._memory is None:
            self._memory = PausesMemory(tuple(self._pauses.values()))
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored; what is over goes when it is looked at.

        :raises msgspec.ValidationError: when it is of another version.
        """
        memory = msgspec.json.decode(text, type=PausesMemory)
        self._pauses = {one.of: one for one in memory.pauses}
        self._memory = memory

    def begin(self, of: str, now_ns: int, reason: str) -> None:
        """Pause a market or venue from now on; one that is paused already is so for longer."""
        self._pauses[of] = PauseMemory(of, now_ns + self._longest_ns, reason)
        self._memory = None

    def running(self, now_ns: int) -> dict[str, str]:
        """Give why each is paused that is; those that are over are forgotten."""
        # A clock that was set back while nothing ran makes no pause longer than it is.
        latest_ns = now_ns + self._longest_ns
        kept = {
            of: one
            if one.until_ns <= latest_ns
            else msgspec.structs.replace(one, until_ns=latest_ns)
            for of, one in self._pauses.items()
            if now_ns < one.until_ns
        }
        if kept != self._pauses:
            self._pauses, self._memory = kept, None
        return {of: one.reason for of, one in kept.items()}


class TimedRule(Rule):
    """A rule whose pauses go on after a restart; what it counts until then begins anew."""

    name: ClassVar[str] = ""

    def __init__(self, longest_ns: int) -> None:
        self.pauses = TimedPauses(longest_ns)

    @property
    def memory(self) -> PausesMemory:
        """Give the pauses; a new object whenever they changed."""
        return self.pauses.memory

    def recall(self, text: str) -> None:
        """Take up what was stored; what is over goes with the first assessment."""
        self.pauses.recall(text)

    def paused_markets(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause each traded market that has a pause which runs."""
        running = self.pauses.running(view.now_ns)
        return tuple(
            Posture(rule=self.name, reason=running[str(market)], market=market, paused=BOTH)
            for market in view.markets()
            if str(market) in running
        )

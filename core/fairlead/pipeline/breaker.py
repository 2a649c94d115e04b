"""Risk nothing new where it goes wrong again and again: the circuit breaker of one venue.

It gates new risk only: quotes and entries. Hedges, exits, cancels and queries never pass here,
but how they fare is learnt from. It pulls nothing: that is for risk rules. A circuit that has
opened lets one order through after its pause; what becomes of that one closes or opens it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import Clock, Denied, RequestKind
from fairlead.model import (
    Accepted,
    MarketId,
    OrderIntent,
    Outcome,
    Purpose,
    RejectClass,
    Rejected,
)

__all__ = ["NEW_RISK", "Breaker", "BreakerPolicy", "Circuit"]

_SECOND = 1_000_000_000

#: The purposes of orders that add risk.
NEW_RISK = (Purpose.QUOTE, Purpose.ENTRY)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """After how many failures in a row a circuit opens, and for how long.

    Source of the rejects: ten in a row pause a market (docs/reference/money-words).
    """

    #: Requests of one kind without a proper answer.
    failures: int = 5
    pause_ns: int = 30 * _SECOND
    #: Orders of one market that the venue refused.
    rejects: int = 10
    rejects_pause_ns: int = 60 * _SECOND


class Circuit:
    """Closed; open for a while after ``limit`` failures in a row; then half open for a probe."""

    def __init__(self, limit: int, pause_ns: int) -> None:
        self.limit = limit
        self.pause_ns = pause_ns
        #: Failures since the last success.
        self.failures = 0
        #: Until when it is open, by the monotonic clock; None = it is closed.
        self.until_ns: int | None = None
        #: The one order that is let through is under way.
        self.probing = False

    def blocks(self, now_ns: int) -> bool:
        """Tell whether nothing new may pass now; a half-open circuit blocks while it probes."""
        return self.until_ns is not None and (self.probing or now_ns < self.until_ns)

    def half_open(self, now_ns: int) -> bool:
        """Tell whether one order may pass now, and no more than one."""
        return self.until_ns is not None and not self.blocks(now_ns)

    def succeeded(self) -> None:
        """Close it."""
        self.failures, self.until_ns, self.probing = 0, None, False

    def failed(self, now_ns: int) -> bool:
        """Count a failure; True when it opened just now, from closed or again after a probe."""
        self.failures += 1
        probed, self.probing = self.probing, False
        if self.until_ns is None:
            opens = self.failures >= self.limit
        else:
            # What was under way when it opened says nothing new.
            opens = probed or now_ns >= self.until_ns
        if opens:
            self.until_ns = now_ns + self.pause_ns
        return opens

    def undecided(self) -> None:
        """Take a probe back that proved nothing: another may follow."""
        self.probing = False


class Breaker:
    """The circuits of one venue: one for each kind of request, and one for each market."""

    def __init__(self, clock: Clock, policy: BreakerPolicy | None = None) -> None:
        self._now_ns = clock.monotonic_ns
        self._policy = policy or BreakerPolicy()
        self._kinds: dict[str, Circuit] = {}
        self._markets: dict[MarketId, Circuit] = {}

    def check(self, market: MarketId) -> Denied | None:
        """Refuse new risk while the venue or the market is paused."""
        now_ns, policy = self._now_ns(), self._policy
        for kind, circuit in self._kinds.items():
            if circuit.blocks(now_ns):
                return Denied(
                    "venue_failing",
                    Decimal(circuit.failures),
                    Decimal(policy.failures - 1),
                    f"{kind} requests failed in a row; {_paused(circuit, now_ns)}",
                )
        own = self._markets.get(market)
        if own is not None and own.blocks(now_ns):
            return Denied(
                "rejects_in_a_row",
                Decimal(own.failures),
                Decimal(policy.rejects - 1),
                f"the venue refused one order after another; {_paused(own, now_ns)}",
            )
        return None

    def passing(self, intents: Sequence[OrderIntent]) -> tuple[OrderIntent, ...]:
        """Give those that may leave now: all but new risk where a circuit is not closed.

        Of a half-open circuit one is given, the first.
        """
        if all(one.until_ns is None for one in self._all()):
            return tuple(intents)
        now_ns = self._now_ns()
        taken: list[Circuit] = []
        passing = []
        for intent in intents:
            if intent.purpose in NEW_RISK:
                circuits = self._of(intent.slot.market)
                if any(one.blocks(now_ns) for one in circuits):
                    continue
                probed = [one for one in circuits if one.half_open(now_ns)]
                if any(one in taken for one in probed):
                    continue
                taken += probed
            passing.append(intent)
        return tuple(passing)

    def leaves(self, intents: Sequence[OrderIntent]) -> None:
        """Note that these leave now; where a circuit is half open they are its probe."""
        now_ns = self._now_ns()
        for intent in intents if any(one.until_ns is not None for one in self._all()) else ():
            if intent.purpose in NEW_RISK:
                for circuit in self._of(intent.slot.market):
                    circuit.probing = circuit.probing or circuit.half_open(now_ns)

    def learn(self, market: MarketId, outcome: Outcome) -> bool:
        """Take what became of one order; True when its market was paused just now.

        A post-only refusal is a maker's everyday life and does not count.
        """
        policy = self._policy
        match outcome:
            case Accepted():
                if market in self._markets:
                    self._markets[market].succeeded()
            case Rejected(reason=reason) if reason is not RejectClass.POST_ONLY:
                circuit = self._markets.get(market)
                if circuit is None:
                    circuit = Circuit(policy.rejects, policy.rejects_pause_ns)
                    self._markets[market] = circuit
                return circuit.failed(self._now_ns())
            case _:
                if market in self._markets:
                    self._markets[market].undecided()
        return False

    def answered(self, kind: str, answered: bool | None) -> bool:
        """Take how a request fared; True when its circuit opened just now.

        ``answered`` None = it proves nothing about the venue. Creates are probes: what becomes of
        one holds for the circuits of all kinds.
        """
        creates = kind == RequestKind.CREATE
        own = self._kinds.get(kind)
        reached = tuple(self._kinds.values()) if creates else (() if own is None else (own,))
        match answered:
            case None:
                for circuit in reached if creates else ():
                    circuit.undecided()
                return False
            case True:
                for circuit in reached:
                    circuit.succeeded()
                return False
            case False:
                pass
        now_ns = self._now_ns()
        for circuit in reached:
            if circuit is not own and circuit.probing:
                circuit.failed(now_ns)
        if own is None:
            own = self._kinds[kind] = Circuit(self._policy.failures, self._policy.pause_ns)
        return own.failed(now_ns)

    @property
    def paused(self) -> tuple[str, ...]:
        """Name what is paused now: kinds of requests, and markets."""
        return tuple(
            str(name)
            for circuits in (self._kinds, self._markets)
            for name, circuit in circuits.items()
            if circuit.until_ns is not None
        )

    def _all(self) -> tuple[Circuit, ...]:
        return (*self._kinds.values(), *self._markets.values())

    def _of(self, market: MarketId) -> tuple[Circuit, ...]:
        own = self._markets.get(market)
        return (*self._kinds.values(), own) if own is not None else tuple(self._kinds.values())


def _paused(circuit: Circuit, now_ns: int) -> str:
    left_ns = 0 if circuit.until_ns is None else circuit.until_ns - now_ns
    return f"paused for {left_ns / _SECOND:.0f} s more" if left_ns > 0 else "one order probes it"

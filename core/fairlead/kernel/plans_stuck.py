"""Tell a person of exits and hedges that get nowhere, while their plans go on trying.

One that is refused, that the venue rejects, or that takes nothing again and again changes nothing:
what it was to shrink stays open. Its plan tries on; how long that may go on is for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fairlead.api import Place, Refused
from fairlead.execution import refusal_text
from fairlead.kernel.plans_left import held_text
from fairlead.kernel.plans_run import PlanRun
from fairlead.model import OrderIntent, OrderState, Slot, TimeInForce
from fairlead.pipeline import URGENT
from fairlead.store import AlertRaised, Journal
from fairlead.trackers import Order

__all__ = ["PlanStuck"]

_SECOND = 1_000_000_000
# So often and for so long it was tried in vain before a person is told, and told again.
_TRIES = 3
_PATIENCE_NS = 15 * _SECOND
_AGAIN_NS = 600 * _SECOND
# What was tried in vain longer ago is another matter.
_FORGOTTEN_NS = 60 * _SECOND


@dataclass(slots=True)
class _Streak:
    # Attempts of one slot in a row that came to nothing.
    since_ns: int
    last_ns: int
    tries: int = 0
    told_ns: int | None = None


class PlanStuck:
    """The attempts of all executions to shrink what they hold."""

    def __init__(self, journal: Journal, now_ns: Callable[[], int]) -> None:
        self._journal = journal
        self._now_ns = now_ns
        self._streaks: dict[Slot, _Streak] = {}

    def refused(self, run: PlanRun, refused: Refused) -> None:
        """Take that a wish did not become an order."""
        self._in_vain(run, refused.place, refusal_text(refused))

    def order_changed(self, run: PlanRun, order: Order) -> None:
        """Take that an order moved: it got somewhere, or it has come to nothing."""
        intent = order.intent
        at_once = intent.time_in_force is not TimeInForce.GTC
        match order.state:
            case OrderState.REJECTED:
                self._in_vain(run, intent, "the venue rejects it")
            case OrderState.EXPIRED | OrderState.CANCELLED if at_once and not order.filled:
                self._in_vain(run, intent, "nothing was there at its price")
            case OrderState.OPEN if not at_once:
                self._streaks.pop(intent.slot, None)  # it rests, as it was meant to
            case OrderState.PARTIALLY_FILLED | OrderState.FILLED:
                self._streaks.pop(intent.slot, None)
            case _:
                pass

    def forget(self, run: PlanRun) -> None:
        """Forget an execution that has ended."""
        for slot in [one for one in self._streaks if one.plan == run.execution]:
            del self._streaks[slot]

    def _in_vain(self, run: PlanRun, wish: Place | OrderIntent, why: str) -> None:
        if wish.purpose not in URGENT:
            return
        now_ns = self._now_ns()
        streak = self._streaks.get(wish.slot)
        if streak is None or now_ns - streak.last_ns > _FORGOTTEN_NS:
            streak = self._streaks[wish.slot] = _Streak(now_ns, now_ns)
        streak.last_ns, streak.tries = now_ns, streak.tries + 1
        late = now_ns - streak.since_ns >= _PATIENCE_NS and streak.tries >= _TRIES
        told_ns = streak.told_ns
        if not late or (told_ns is not None and now_ns - told_ns < _AGAIN_NS):
            return
        streak.told_ns = now_ns
        what = f"{wish.purpose} by {wish.side} on {wish.slot.market}"
        detail = (
            f"{run.strategy} execution {run.name}: {what} has got nowhere for "
            f"{(now_ns - streak.since_ns) // _SECOND} s ({why}); {held_text(run)}; it tries on"
        )
        # One that only rests would be a better way out; what takes is the last one.
        severity = "warning" if wish.post_only else "critical"
        self._journal.append(AlertRaised(severity, "exit_stuck", detail))

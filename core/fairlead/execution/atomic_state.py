"""Hold what an atomic plan remembers, and take in what it hears."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from fairlead.api import (
    Action,
    PlanEvent,
    PlanStep,
    PlanView,
    Refused,
    Resumed,
    Stop,
)
from fairlead.api.plans.atomic import AtomicPolicy
from fairlead.execution.easing import Easings, hear_refusal
from fairlead.execution.flight import Asked, asked_orders, still_asked
from fairlead.execution.partial import PairedLeg
from fairlead.model import ZERO, Purpose

__all__ = ["AtomicPhase", "AtomicState", "hear_event", "remember_sent"]


class AtomicPhase(StrEnum):
    """How far an atomic plan is."""

    READY = "ready"
    #: Its own orders work.
    OPEN = "open"
    #: The policy closes an open side.
    MENDING = "mending"
    ENDED = "ended"


class AtomicState(msgspec.Struct, frozen=True):
    """What an atomic plan remembers; what was filled is not in here."""

    legs: tuple[PairedLeg, ...]
    phase: AtomicPhase = AtomicPhase.READY
    asked: tuple[Asked, ...] = ()
    #: When its legs, or the leading one, must be done.
    deadline_ns: int = 0
    #: Why no order of its own is to work any more; "" = they may.
    cause: str = ""
    #: Since when a side has been open behind the leading leg; 0 = none is.
    open_ns: int = 0
    #: How the open side is closed now, and since when; 0 = there was none to close.
    policy: AtomicPolicy = AtomicPolicy.COMPLETE
    since_ns: int = 0
    #: Nothing is tried again before; but the leading leg is followed at once where more than
    #: ``followed`` (its base units or contracts) is filled, which the last try did not know of.
    next_ns: int = 0
    followed: Decimal = ZERO
    #: The mid of the hedge market when covering there began.
    hedge_mid: Decimal | None = None
    #: What hedges and exits give up since some were refused.
    easings: Easings = ()
    end: str = ""
    #: False: what is left is agreed to, or smaller than any order.
    alarm: bool = False


def hear_event(state: AtomicState, event: PlanEvent, view: PlanView) -> AtomicState:
    """Take in an event: what became of orders, and whatever ends the plan's own orders."""
    state = msgspec.structs.replace(
        state,
        asked=still_asked(state.asked, event, view),
        easings=hear_refusal(state.easings, event, view),
    )
    match event:
        case Stop():
            return _caused(state, "stopped")
        case Refused(place=place, denied=denied) if place.purpose is Purpose.ENTRY:
            return _caused(state, f"{place.slot.market} was refused: {denied.rule}")
        case Resumed():
            # What went by while nobody looked does not count against the policy.
            return msgspec.structs.replace(
                _caused(state, "restarted"),
                since_ns=view.now_ns if state.since_ns else 0,
                open_ns=view.now_ns if state.open_ns else 0,
                next_ns=0,
            )
        case _:
            return state


def remember_sent(
    state: AtomicState, actions: tuple[Action, ...], wake_ns: int, view: PlanView
) -> PlanStep[AtomicState]:
    """Give a step with these actions; the orders among them are remembered until seen."""
    places = asked_orders(actions)
    if places:
        state = msgspec.structs.replace(
            state, asked=(*state.asked, *places), next_ns=view.now_ns + view.tick_ns
        )
    return PlanStep(state, actions, wake_ns)


def _caused(state: AtomicState, cause: str) -> AtomicState:
    return state if state.cause else msgspec.structs.replace(state, cause=cause)

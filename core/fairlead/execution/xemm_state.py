"""Hold what a cross-exchange plan remembers, and take in what it hears."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.api import Filled, PlanEvent, PlanView, Refused, Resumed, Stop
from fairlead.api.plans.xemm import XemmPlan
from fairlead.execution.easing import Easings, hear_refusal
from fairlead.execution.flight import Asked, still_asked
from fairlead.model import ZERO

__all__ = ["XemmState"]


class XemmState(msgspec.Struct, frozen=True):
    """What a cross-exchange plan remembers; what was filled is not in here."""

    #: In units of the maker's market, and the worst price of the quote.
    quantity: Decimal
    bound: Decimal
    begun: bool = False
    asked: tuple[Asked, ...] = ()
    #: When quoting ends; 0 = it has no end.
    deadline_ns: int = 0
    #: Why nothing is quoted any more; "" = it may be.
    cause: str = ""
    #: Since when something that could be hedged is not, counted from the last progress; 0 = none.
    open_ns: int = 0
    #: No hedge, and no quote, is tried again before; but a hedge at once where more than
    #: ``hedged`` (units of the maker's market) is filled, which the last one did not know of.
    hedge_ns: int = 0
    hedged: Decimal = ZERO
    quote_ns: int = 0
    #: Why the last wish did not become an order; "" = none was refused.
    refused: str = ""
    #: What hedges give up since some were refused.
    easings: Easings = ()
    end: str = ""
    #: True: what is left is nobody's to mend.
    alarm: bool = False

    def hear(self, event: PlanEvent, view: PlanView, plan: XemmPlan) -> XemmState:
        """Take in an event."""
        asked = still_asked(self.asked, event, view)
        easings = hear_refusal(self.easings, event, view)
        state = msgspec.structs.replace(self, asked=asked, easings=easings)
        if not state.begun:
            limit = plan.time_limit
            deadline_ns = 0 if limit is None else view.now_ns + limit.ns
            state = msgspec.structs.replace(state, begun=True, deadline_ns=deadline_ns)
        match event:
            case Stop():
                return msgspec.structs.replace(state, cause=state.cause or "stopped")
            case Filled(slot=slot) if slot.market == plan.taker_market and state.open_ns:
                return msgspec.structs.replace(state, open_ns=view.now_ns)
            case Refused(place=place, denied=denied):
                why = f"{place.slot.market} {place.purpose}: {denied.rule}"
                return msgspec.structs.replace(state, refused=why)
            case Resumed():
                # What went by while nobody looked does not count.
                open_ns = view.now_ns if state.open_ns else 0
                return msgspec.structs.replace(state, open_ns=open_ns, hedge_ns=0, quote_ns=0)
            case _:
                return state

    def look_at_clock(self, view: PlanView, plan: XemmPlan, *, open_side: bool) -> XemmState:
        """Note since when a side is open, and whether a time is over."""
        open_ns = (self.open_ns or view.now_ns) if open_side else 0
        state = msgspec.structs.replace(self, open_ns=open_ns)
        cause = ""
        if state.is_late(view, plan):
            cause = "hedging took too long"
        elif state.deadline_ns and view.now_ns >= state.deadline_ns:
            cause = "time limit"
        return msgspec.structs.replace(state, cause=state.cause or cause)

    def is_late(self, view: PlanView, plan: XemmPlan) -> bool:
        """Tell whether a side has been open for longer than the plan allows."""
        return bool(self.open_ns) and view.now_ns >= self.open_ns + plan.hedge_time.ns

    def is_stalled(self, view: PlanView) -> bool:
        """Tell whether a side has been open for a tick: no more is quoted then."""
        return bool(self.open_ns) and view.now_ns >= self.open_ns + view.tick_ns

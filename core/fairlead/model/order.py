"""Name what can happen to an order: sides, kinds, and the one table of its states."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

__all__ = [
    "CLOSED_STATES",
    "TRANSITIONS",
    "OrderState",
    "OrderTrigger",
    "Purpose",
    "Side",
    "TimeInForce",
    "next_state",
]


class Side(StrEnum):
    """Which way an order or fill goes for its owner."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """Give +1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """Give the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class TimeInForce(StrEnum):
    """How long an order works: until cancelled, or at once for what it can or all of it."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Purpose(StrEnum):
    """Why an order exists; decides its priority in the pipeline."""

    QUOTE = "quote"
    ENTRY = "entry"
    HEDGE = "hedge"
    EXIT = "exit"


class OrderState(StrEnum):
    """Where an order stands, by what is proven about it."""

    PENDING_CREATE = "PENDING_CREATE"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    #: A create whose fate is unproven. It blocks its slot and keeps its reservation.
    UNKNOWN = "UNKNOWN"

    @property
    def is_closed(self) -> bool:
        """Tell whether the order can no longer fill, late fills apart."""
        return self in CLOSED_STATES

    @property
    def is_unproven(self) -> bool:
        """Tell whether nobody has proven yet that the venue has the order, or has not."""
        return self in (OrderState.PENDING_CREATE, OrderState.UNKNOWN)


class OrderTrigger(StrEnum):
    """What moves an order from one state to the next."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    ANSWER_LOST = "answer_lost"
    PARTIAL_FILL = "partial_fill"
    FULL_FILL = "full_fill"
    CANCEL_SENT = "cancel_sent"
    CANCELLED = "cancelled"
    #: The venue proved that the order lives although its cancel was sent.
    PROVEN_OPEN = "proven_open"
    PROVEN_PARTIAL = "proven_partial"
    EXPIRED = "expired"
    #: Proven absent after its deadline, with the fills read.
    NEVER_LANDED = "never_landed"


_S = OrderState
_T = OrderTrigger

#: States in which nothing is left to happen but a late fill.
CLOSED_STATES = frozenset({_S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED})

#: (state, trigger) -> state. What is not here is illegal; news that repeats what is known is
#: recognised before it becomes a trigger.
TRANSITIONS = MappingProxyType(
    {
        (_S.PENDING_CREATE, _T.ACCEPTED): _S.OPEN,
        (_S.PENDING_CREATE, _T.REJECTED): _S.REJECTED,
        (_S.PENDING_CREATE, _T.NOT_SENT): _S.CANCELLED,
        (_S.PENDING_CREATE, _T.ANSWER_LOST): _S.UNKNOWN,
        # The user stream may be faster than the answer to the request.
        (_S.PENDING_CREATE, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
        (_S.PENDING_CREATE, _T.FULL_FILL): _S.FILLED,
        (_S.PENDING_CREATE, _T.CANCELLED): _S.CANCELLED,
        (_S.PENDING_CREATE, _T.EXPIRED): _S.EXPIRED,
        (_S.OPEN, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
        (_S.OPEN, _T.FULL_FILL): _S.FILLED,
        (_S.OPEN, _T.CANCEL_SENT): _S.PENDING_CANCEL,
        # A dead-man timer, an administrator or the user may cancel what we did not.
        (_S.OPEN, _T.CANCELLED): _S.CANCELLED,
        (_S.OPEN, _T.EXPIRED): _S.EXPIRED,
        (_S.PARTIALLY_FILLED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
        (_S.PARTIALLY_FILLED, _T.FULL_FILL): _S.FILLED,
        (_S.PARTIALLY_FILLED, _T.CANCEL_SENT): _S.PENDING_CANCEL,
        (_S.PARTIALLY_FILLED, _T.CANCELLED): _S.CANCELLED,
        (_S.PARTIALLY_FILLED, _T.EXPIRED): _S.EXPIRED,
        # A cancel races fills until the venue proves one of them.
        (_S.PENDING_CANCEL, _T.PARTIAL_FILL): _S.PENDING_CANCEL,
        (_S.PENDING_CANCEL, _T.FULL_FILL): _S.FILLED,
        (_S.PENDING_CANCEL, _T.CANCELLED): _S.CANCELLED,
        (_S.PENDING_CANCEL, _T.EXPIRED): _S.EXPIRED,
        (_S.PENDING_CANCEL, _T.PROVEN_OPEN): _S.OPEN,
        (_S.PENDING_CANCEL, _T.PROVEN_PARTIAL): _S.PARTIALLY_FILLED,
        # The cancel may have been that of an unproven create: when it fails, nothing more is
        # known than before, and the create may still turn out to have been refused or lost.
        (_S.PENDING_CANCEL, _T.ANSWER_LOST): _S.UNKNOWN,
        (_S.PENDING_CANCEL, _T.REJECTED): _S.REJECTED,
        (_S.PENDING_CANCEL, _T.NEVER_LANDED): _S.CANCELLED,
        # An unproven create goes anywhere, by proof only.
        (_S.UNKNOWN, _T.ACCEPTED): _S.OPEN,
        (_S.UNKNOWN, _T.REJECTED): _S.REJECTED,
        (_S.UNKNOWN, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
        (_S.UNKNOWN, _T.FULL_FILL): _S.FILLED,
        (_S.UNKNOWN, _T.CANCELLED): _S.CANCELLED,
        (_S.UNKNOWN, _T.EXPIRED): _S.EXPIRED,
        (_S.UNKNOWN, _T.NEVER_LANDED): _S.CANCELLED,
        (_S.UNKNOWN, _T.CANCEL_SENT): _S.PENDING_CANCEL,
        # Late fills: the venue's books were slower than its answers. Each opens an incident.
        (_S.CANCELLED, _T.PARTIAL_FILL): _S.CANCELLED,
        (_S.CANCELLED, _T.FULL_FILL): _S.FILLED,
        (_S.EXPIRED, _T.PARTIAL_FILL): _S.EXPIRED,
        (_S.EXPIRED, _T.FULL_FILL): _S.FILLED,
    }
)


def next_state(state: OrderState, trigger: OrderTrigger) -> OrderState | None:
    """Give the state after ``trigger``, or None when that step is illegal."""
    return TRANSITIONS.get((state, trigger))

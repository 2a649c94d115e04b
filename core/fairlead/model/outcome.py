"""Name what a venue answered: values, not exceptions, one for each order or cancel."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Accepted", "NotSent", "Outcome", "RejectClass", "Rejected", "Unavailable", "Unknown"]


class RejectClass(StrEnum):
    """Why a venue refused, as far as the engine must tell the reasons apart."""

    PRICE = "price"
    QUANTITY = "quantity"
    NOTIONAL = "notional"
    BALANCE = "balance"
    POST_ONLY = "post_only"
    NOT_FOUND = "not_found"
    DUPLICATE = "duplicate"
    RATE = "rate"
    MARKET_CLOSED = "market_closed"
    PERMISSION = "permission"
    OTHER = "other"


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The venue took it. For a cancel: the order is gone or will be; the stream says which."""

    venue_id: str


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """The venue refused it, and it had no effect."""

    code: str
    reason: RejectClass
    detail: str = ""
    #: The request was refused as a whole, before anyone looked at its orders: another order of it
    #: may be to blame, and each may be sent on its own.
    whole: bool = False


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """The answer was lost: the effect may have happened, or may still happen."""

    cause: str


class NotSent(msgspec.Struct, frozen=True, gc=False):
    """It certainly never left; ``retry_at_ns`` says when trying again makes sense."""

    retry_at_ns: int
    cause: str = ""
    #: As in `Rejected`: turned away by the venue as a whole.
    whole: bool = False


Outcome = Accepted | Rejected | Unknown | NotSent


class Unavailable(msgspec.Struct, frozen=True, gc=False):
    """A query got no answer. Never read as zero, empty or flat."""

    cause: str

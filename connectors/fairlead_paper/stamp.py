"""Give market events the two times that they have at a paper venue."""

from __future__ import annotations

from msgspec.structs import replace

from fairlead.model import BookLost, MarketEvent

__all__ = ["stamped"]


def stamped(event: MarketEvent, venue_ns: int, local_ns: int) -> MarketEvent:
    """Give the event as the engine sees it: made at ``venue_ns``, received at ``local_ns``.

    The source's own venue stamp belongs to another clock than our fills do, so it goes.
    """
    if isinstance(event, BookLost):
        return replace(event, local_ns=local_ns)
    return replace(event, venue_ns=venue_ns, local_ns=local_ns)
